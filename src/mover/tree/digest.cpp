// Digests by xxHash and OpenSSL.
#include "mover/tree/digest.h"

#include "base/check.h"
#include "base/hash.h"

#include <openssl/evp.h>
#include <xxhash.h>

#include <algorithm>
#include <array>

namespace drydock::mover::tree {

const char* name_of(DigestKind kind) {
    return kind == DigestKind::xxh3 ? "xxh3-128" : "sha256";
}

std::string digest_of(DigestKind kind, std::string_view bytes) {
    if (kind == DigestKind::sha256) {
        const Digest digest = sha256(bytes);
        return {digest.begin(), digest.end()};
    }
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes.data(), bytes.size()));
    return {std::begin(canonical.digest), std::end(canonical.digest)};
}

struct RunningDigest::State {
    std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> xxh3 = {nullptr, XXH3_freeState};
    std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> sha256 = {nullptr, EVP_MD_CTX_free};
};

RunningDigest::RunningDigest(DigestKind kind) : state_(std::make_unique<State>()) {
    if (kind == DigestKind::xxh3) {
        state_->xxh3.reset(XXH3_createState());
        CHECK(XXH3_128bits_reset(state_->xxh3.get()) == XXH_OK);
    } else {
        state_->sha256.reset(EVP_MD_CTX_new());
        CHECK(EVP_DigestInit_ex(state_->sha256.get(), EVP_sha256(), nullptr) == 1);
    }
}

RunningDigest::RunningDigest(RunningDigest&&) noexcept = default;
RunningDigest& RunningDigest::operator=(RunningDigest&&) noexcept = default;
RunningDigest::~RunningDigest() = default;

void RunningDigest::add(std::string_view bytes) {
    if (state_->xxh3) {
        CHECK(XXH3_128bits_update(state_->xxh3.get(), bytes.data(), bytes.size()) == XXH_OK);
    } else {
        CHECK(EVP_DigestUpdate(state_->sha256.get(), bytes.data(), bytes.size()) == 1);
    }
}

void RunningDigest::add_zeros(std::int64_t bytes) {
    static constexpr std::array<char, std::size_t{64} << 10> k_zeros = {};
    while (bytes > 0) {
        const std::int64_t piece = std::min<std::int64_t>(bytes, k_zeros.size());
        add({k_zeros.data(), static_cast<std::size_t>(piece)});
        bytes -= piece;
    }
}

std::string RunningDigest::end() {
    if (state_->xxh3) {
        XXH128_canonical_t canonical;
        XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state_->xxh3.get()));
        return {std::begin(canonical.digest), std::end(canonical.digest)};
    }
    Digest digest{};
    CHECK(EVP_DigestFinal_ex(state_->sha256.get(), digest.data(), nullptr) == 1);
    return {digest.begin(), digest.end()};
}

std::int64_t ChunkDigests::chunks() const {
    return (bytes_ + k_chunk_bytes - 1) / k_chunk_bytes;
}

std::int64_t ChunkDigests::bytes_of(std::int64_t chunk) const {
    return std::min(k_chunk_bytes, bytes_ - chunk * k_chunk_bytes);
}

std::string ChunkDigests::whole() const {
    std::string zeros;  // of a whole chunk; most files have no hole
    std::string all;
    for (std::int64_t chunk = 0; chunk < chunks(); ++chunk) {
        const auto found = digests_.find(chunk);
        if (found != digests_.end()) {
            all += found->second;
        } else if (bytes_of(chunk) < k_chunk_bytes) {
            all += digest_of(kind_, std::string(static_cast<std::size_t>(bytes_of(chunk)), '\0'));
        } else {
            if (zeros.empty()) {
                zeros = digest_of(kind_, std::string(k_chunk_bytes, '\0'));
            }
            all += zeros;
        }
    }
    return digest_of(kind_, all);
}

}  // namespace drydock::mover::tree
