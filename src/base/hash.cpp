// Digests by OpenSSL and xxHash.
//
// Speed decides here: the checker hashes millions of short state vectors a second, and the journal
// a record for each event. So XXH3 is compiled inline, and the objects of OpenSSL are made once.
#include "base/hash.h"

#include "base/check.h"

#define XXH_INLINE_ALL  // the checker hashes millions of short state vectors a second
#include <openssl/evp.h>
#include <xxhash.h>

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

}  // namespace drydock
