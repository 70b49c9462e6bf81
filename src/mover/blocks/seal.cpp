// A plain block to a sealed blob: a zstd frame behind room for the head, then encryption in place.
// No copy is made between the two steps.
//
// Each blob has a data key of its own, so no key encrypts more than one message and a nonce cannot
// repeat under it. The key of the store only wraps data keys.
#include "mover/blocks/seal.h"

#include "base/hash.h"
#include "mover/blocks/buffer.h"
#include "mover/blocks/cipher.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <span>

namespace drydock::mover::blocks {
namespace {

constexpr int k_zstd_level = 1;  // as backy2
constexpr std::size_t k_uid_drawn = 22;
constexpr std::size_t k_uid_digits = 10;
constexpr std::size_t k_folder_digits = 4;  // of two levels

using Compressor = std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)>;

tl::unexpected<Error> refuse(const char* message) {
    return fail("blocks.seal", message, "look at memory, and at the installation of OpenSSL");
}

const unsigned char* const_bytes(std::string_view bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

unsigned char* mutable_bytes(std::string& bytes) {
    return reinterpret_cast<unsigned char*>(bytes.data());
}

std::string hex_of(std::string_view bytes) {
    return to_hex(std::span(const_bytes(bytes), bytes.size()));
}

Result<std::string> random_bytes(std::size_t size) {
    std::string bytes(size, '\0');
    if (RAND_bytes(mutable_bytes(bytes), static_cast<int>(size)) != 1) {
        return refuse("no random bytes");
    }
    return bytes;
}

// Compresses into one frame that says its size, behind room for the head. backy2 refuses frames
// without a size.
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

}  // namespace

Result<SealedBlock> seal(std::string_view plain, const std::string& key) {
    DRYDOCK_TRY_ASSIGN(const std::string random, random_bytes(k_key_bytes + k_nonce_bytes));
    const std::string_view data_key = std::string_view(random).substr(0, k_key_bytes);
    const std::string_view nonce = std::string_view(random).substr(k_key_bytes);
    thread_local Buffer bytes;
    DRYDOCK_TRY(compress_frame(plain, bytes));
    std::ranges::copy(nonce, bytes.data() + k_tag_bytes);
    const std::string wrapped = wrap_key(data_key, key);
    if (wrapped.empty() || !encrypt_blob(data_key, bytes.data(), bytes.size())) {
        return refuse("a block cannot be encrypted");
    }
    return SealedBlock{bytes.view(), hex_of(wrapped), hex_of(nonce)};
}

// The hex digits come from a digest of the random part, as in backy2. The alphabet has no
// characters that look alike.
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
