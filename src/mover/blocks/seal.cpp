#include "mover/blocks/seal.h"

#include "base/hash.h"
#include "mover/blocks/buffer.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <span>

namespace drydock::mover::blocks {
namespace {

constexpr std::size_t k_key_bytes = 32;
constexpr std::size_t k_tag_bytes = 16;
constexpr std::size_t k_nonce_bytes = 16;
constexpr std::size_t k_head_bytes = k_tag_bytes + k_nonce_bytes;
constexpr int k_zstd_level = 1;  // as backy2
constexpr std::size_t k_uid_drawn = 22;
constexpr std::size_t k_uid_digits = 10;
constexpr std::size_t k_folder_digits = 4;  // of two levels

using Cipher = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;
using Compressor = std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)>;

tl::unexpected<Error> refuse(const char* what) {
    return fail("blocks.seal", what, "look at memory, and at the installation of OpenSSL");
}

const unsigned char* in(std::string_view bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

unsigned char* out(std::string& bytes) {
    return reinterpret_cast<unsigned char*>(bytes.data());
}

std::string hex_of(std::string_view bytes) {
    return to_hex(std::span(in(bytes), bytes.size()));
}

Result<std::string> random_bytes(std::size_t size) {
    std::string bytes(size, '\0');
    if (RAND_bytes(out(bytes), static_cast<int>(size)) != 1) {
        return refuse("no random bytes");
    }
    return bytes;
}

// One frame that says its size, behind room for the head: backy2 refuses others.
Status compress_frame(std::string_view plain, Buffer& bytes) {
    thread_local const Compressor compressor(ZSTD_createCCtx(), &ZSTD_freeCCtx);
    bytes.reset(k_head_bytes + ZSTD_compressBound(plain.size()));
    const std::size_t size = ZSTD_compressCCtx(compressor.get(),
                                               bytes.data() + k_head_bytes,
                                               bytes.size() - k_head_bytes,
                                               plain.data(),
                                               plain.size(),
                                               k_zstd_level);
    if (ZSTD_isError(size) != 0) {
        return refuse("a block cannot be compressed");
    }
    bytes.shrink(k_head_bytes + size);
    return {};
}

// Makes tag, nonce and ciphertext of the frame, in its place.
Status encrypt(Buffer& bytes, const std::string& data_key, const std::string& nonce) {
    const Cipher cipher(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
    EVP_CIPHER_CTX* raw = cipher.get();
    auto* head = reinterpret_cast<unsigned char*>(bytes.data());
    unsigned char* frame = head + k_head_bytes;
    const auto frame_bytes = static_cast<int>(bytes.size() - k_head_bytes);
    int size = 0;
    int rest = 0;
    const bool is_done =
        EVP_EncryptInit_ex(raw, EVP_aes_256_gcm(), nullptr, nullptr, nullptr) == 1
        && EVP_CIPHER_CTX_ctrl(raw, EVP_CTRL_GCM_SET_IVLEN, int{k_nonce_bytes}, nullptr) == 1
        && EVP_EncryptInit_ex(raw, nullptr, nullptr, in(data_key), in(nonce)) == 1
        && EVP_EncryptUpdate(raw, frame, &size, frame, frame_bytes) == 1
        && EVP_EncryptFinal_ex(raw, frame + size, &rest) == 1
        && EVP_CIPHER_CTX_ctrl(raw, EVP_CTRL_GCM_GET_TAG, int{k_tag_bytes}, head) == 1;
    if (!is_done || size + rest != frame_bytes) {
        return refuse("a block cannot be encrypted");
    }
    std::ranges::copy(nonce, bytes.data() + k_tag_bytes);
    return {};
}

// RFC 3394.
Result<std::string> wrap(const std::string& data_key, const std::string& key) {
    const Cipher cipher(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
    std::string wrapped(data_key.size() + 16, '\0');
    int size = 0;
    EVP_CIPHER_CTX_set_flags(cipher.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    if (key.size() != k_key_bytes
        || EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_wrap(), nullptr, in(key), nullptr) != 1
        || EVP_EncryptUpdate(
               cipher.get(), out(wrapped), &size, in(data_key), static_cast<int>(data_key.size()))
               != 1) {
        return refuse("a data key cannot be wrapped");
    }
    wrapped.resize(static_cast<std::size_t>(size));
    return wrapped;
}

}  // namespace

Result<SealedBlock> seal(std::string_view plain, const std::string& key) {
    DRYDOCK_TRY_ASSIGN(const std::string data_key, random_bytes(k_key_bytes));
    DRYDOCK_TRY_ASSIGN(const std::string nonce, random_bytes(k_nonce_bytes));
    thread_local Buffer bytes;
    DRYDOCK_TRY(compress_frame(plain, bytes));
    DRYDOCK_TRY(encrypt(bytes, data_key, nonce));
    SealedBlock sealed;
    sealed.bytes = bytes.view();
    DRYDOCK_TRY_ASSIGN(const std::string wrapped, wrap(data_key, key));
    sealed.envelope = hex_of(wrapped);
    sealed.nonce = hex_of(nonce);
    return sealed;
}

Result<std::string> new_blob_uid(const std::string& neighbour) {
    constexpr std::string_view k_alphabet =
        "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    DRYDOCK_TRY_ASSIGN(const std::string random, random_bytes(k_uid_drawn * 2));
    std::string drawn;
    for (std::size_t i = 0; i < k_uid_drawn; ++i) {
        const auto high = static_cast<unsigned char>(random[2 * i]);
        const auto low = static_cast<unsigned char>(random[2 * i + 1]);
        drawn += k_alphabet[(high * 256U + low) % k_alphabet.size()];
    }
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    if (EVP_Digest(drawn.data(), drawn.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) {
        return refuse("a name cannot be drawn");
    }
    const std::string folders = neighbour.substr(0, k_folder_digits);
    const std::string digits = to_hex(std::span(digest).first(size)).substr(folders.size());
    return folders + digits.substr(0, k_uid_digits - folders.size()) + drawn;
}

}  // namespace drydock::mover::blocks
