// The three primitives of a blob, by OpenSSL's EVP interface: AES-256-GCM with a nonce of 16 bytes,
// AES key wrap, and digests by name.
//
// The tag and then the nonce stand in the head of a blob. A nonce of 16 bytes is not the usual size
// of GCM, so it is set for each message.
#include "mover/blocks/cipher.h"

#include "base/hash.h"

#include <openssl/evp.h>

#include <array>
#include <memory>
#include <span>

namespace drydock::mover::blocks {
namespace {

using Context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;
using DigestFunction = std::unique_ptr<EVP_MD, decltype(&EVP_MD_free)>;

enum Direction : int { decrypts = 0, encrypts = 1 };

const unsigned char* const_bytes(std::string_view bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

unsigned char* mutable_bytes(std::string& bytes) {
    return reinterpret_cast<unsigned char*>(bytes.data());
}

// Returns the thread's context, ready for key and nonce; null if OpenSSL fails.
EVP_CIPHER_CTX* gcm_context(Direction direction) {
    static const EVP_CIPHER* const k_cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
    thread_local const Context context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
    EVP_CIPHER_CTX* raw = context.get();
    const bool is_ready =
        EVP_CipherInit_ex2(raw, k_cipher, nullptr, nullptr, direction, nullptr) == 1
        && EVP_CIPHER_CTX_ctrl(raw, EVP_CTRL_GCM_SET_IVLEN, int{k_nonce_bytes}, nullptr) == 1;
    return is_ready ? raw : nullptr;
}

// Wraps or unwraps. Returns an empty text on failure. A wrong key is noticed, because an unwrapped
// head must be A6A6A6A6A6A6A6A6.
std::string run_key_wrap(Direction direction,
                         std::string_view bytes,
                         std::string_view key,
                         std::size_t size_wanted) {
    static const EVP_CIPHER* const k_cipher = EVP_CIPHER_fetch(nullptr, "AES-256-WRAP", nullptr);
    const Context context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
    std::string output(bytes.size() + 16, '\0');
    int size = 0;
    EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    if (EVP_CipherInit_ex2(context.get(), k_cipher, const_bytes(key), nullptr, direction, nullptr)
            != 1
        || EVP_CipherUpdate(context.get(),
                            mutable_bytes(output),
                            &size,
                            const_bytes(bytes),
                            static_cast<int>(bytes.size()))
               != 1
        || size != static_cast<int>(size_wanted)) {
        return {};
    }
    output.resize(size_wanted);
    return output;
}

// A digest function of OpenSSL with its context. Belongs to one thread.
struct Digester {
    std::string name;
    DigestFunction function{nullptr, &EVP_MD_free};
    DigestContext context{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
};

// Returns the thread's digester. A store uses one function, so the last one is kept and no other.
const Digester& digester(const std::string& name) {
    thread_local Digester hasher;
    if (hasher.name != name || hasher.function == nullptr) {
        hasher.name = name;
        hasher.function.reset(EVP_MD_fetch(nullptr, name.c_str(), nullptr));
    }
    return hasher;
}

// Encrypts or decrypts in place. GCM reads an expected tag before its last step, and gives a new
// one after it.
bool run_gcm(Direction direction, std::string_view data_key, char* blob, std::size_t size) {
    EVP_CIPHER_CTX* raw = gcm_context(direction);
    auto* head = reinterpret_cast<unsigned char*>(blob);
    unsigned char* frame = head + k_head_bytes;
    const auto frame_bytes = static_cast<int>(size - k_head_bytes);
    int length = 0;
    int final_length = 0;
    const auto tag = [&](int command) {
        return EVP_CIPHER_CTX_ctrl(raw, command, int{k_tag_bytes}, head) == 1;
    };
    return raw != nullptr && data_key.size() == k_key_bytes
           && EVP_CipherInit_ex2(
                  raw, nullptr, const_bytes(data_key), head + k_tag_bytes, direction, nullptr)
                  == 1
           && EVP_CipherUpdate(raw, frame, &length, frame, frame_bytes) == 1
           && (direction == encrypts || tag(EVP_CTRL_GCM_SET_TAG))
           && EVP_CipherFinal_ex(raw, frame + length, &final_length) == 1
           && length + final_length == frame_bytes
           && (direction == decrypts || tag(EVP_CTRL_GCM_GET_TAG));
}

}  // namespace

bool encrypt_blob(std::string_view data_key, char* blob, std::size_t size) {
    return run_gcm(encrypts, data_key, blob, size);
}

bool decrypt_blob(std::string_view data_key, char* blob, std::size_t size) {
    return run_gcm(decrypts, data_key, blob, size);
}

std::string wrap_key(std::string_view data_key, std::string_view key) {
    const bool fits = key.size() == k_key_bytes && data_key.size() == k_key_bytes;
    return fits ? run_key_wrap(encrypts, data_key, key, k_envelope_bytes) : std::string();
}

std::string unwrap_key(std::string_view wrapped, std::string_view key) {
    const bool fits = key.size() == k_key_bytes && wrapped.size() == k_envelope_bytes;
    return fits ? run_key_wrap(decrypts, wrapped, key, k_key_bytes) : std::string();
}

std::string digest_hex(const std::string& function, std::string_view bytes) {
    const Digester& hasher = digester(function);
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    const bool is_done =
        hasher.function != nullptr
        && EVP_DigestInit_ex2(hasher.context.get(), hasher.function.get(), nullptr) == 1
        && EVP_DigestUpdate(hasher.context.get(), bytes.data(), bytes.size()) == 1
        && EVP_DigestFinal_ex(hasher.context.get(), digest.data(), &size) == 1;
    return is_done ? to_hex(std::span(digest).first(size)) : std::string();
}

}  // namespace drydock::mover::blocks
