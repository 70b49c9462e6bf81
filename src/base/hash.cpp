// Digests by OpenSSL and xxHash, compression by zstd.
//
// Speed decides here: the checker hashes millions of short state vectors a second, and the journal
// a record for each event. So XXH3 is compiled inline, and the objects of OpenSSL are made once.
#include "base/hash.h"

#include "base/check.h"

#define XXH_INLINE_ALL  // the checker hashes millions of short state vectors a second
#include <openssl/evp.h>
#include <xxhash.h>
#include <zstd.h>

#include <memory>

namespace drydock {

namespace {

using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

// To look up the algorithm and to make a context takes longer than a short digest. So the algorithm
// is kept for the process and the context for each thread. A context is not thread-safe.
Digest sha256_of(std::initializer_list<std::string_view> parts) {
    static const EVP_MD* const k_algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    thread_local const Context context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    Digest digest{};
    CHECK(EVP_DigestInit_ex(context.get(), k_algorithm, nullptr) == 1);
    for (const std::string_view part : parts) {
        CHECK(EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1);
    }
    CHECK(EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1);
    return digest;
}

}  // namespace

Digest sha256(std::string_view bytes) {
    return sha256_of({bytes});
}

Digest sha256(std::initializer_list<std::string_view> parts) {
    return sha256_of(parts);
}

std::string sha256_hex(std::string_view bytes) {
    return to_hex(sha256(bytes));
}

std::string to_hex(std::span<const std::uint8_t> bytes) {
    constexpr std::string_view k_digits = "0123456789abcdef";
    std::string hex;
    hex.reserve(2 * bytes.size());
    for (const std::uint8_t byte : bytes) {
        hex.append({k_digits[byte >> 4U], k_digits[byte & 0xFU]});
    }
    return hex;
}

std::uint64_t xxh3(std::span<const std::uint8_t> bytes) {
    return XXH3_64bits(bytes.data(), bytes.size());
}

std::string compress(std::string_view bytes) {
    std::string result(ZSTD_compressBound(bytes.size()), '\0');
    const std::size_t size =
        ZSTD_compress(result.data(), result.size(), bytes.data(), bytes.size(), 3);
    CHECK(ZSTD_isError(size) == 0);
    result.resize(size);
    return result;
}

// The size in the frame's header comes from the input, so it is compared with `size_max` before
// memory is allocated. Without that check 20 hostile bytes could ask for terabytes.
Result<std::string> decompress(std::string_view bytes, std::size_t size_max) {
    const auto size = ZSTD_getFrameContentSize(bytes.data(), bytes.size());
    if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > size_max) {
        return fail("zstd.frame", "compressed data is damaged or too large");
    }
    std::string result(size, '\0');
    const std::size_t result_size =
        ZSTD_decompress(result.data(), result.size(), bytes.data(), bytes.size());
    if (ZSTD_isError(result_size) != 0 || result_size != size) {
        return fail("zstd.frame", "compressed data is damaged");
    }
    return result;
}

}  // namespace drydock
