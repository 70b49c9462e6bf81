// Digests of files: XXH3-128, which costs almost nothing on the way, or SHA-256, which also shows
// tampering.
//
// A file of more than one chunk has the digest of the digests of its chunks, so that several
// threads work on it and a copy goes on in its middle (docs/formats/tree.md). Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace drydock::mover::tree {

inline constexpr std::int64_t k_chunk_bytes = std::int64_t{16} << 20;

enum class DigestKind : std::uint8_t { xxh3, sha256 };

// "xxh3-128", "sha256".
[[nodiscard]] const char* name_of(DigestKind kind);

// Returns the digest in raw bytes: 16 of XXH3 in its canonical order, 32 of SHA-256.
[[nodiscard]] std::string digest_of(DigestKind kind, std::string_view bytes);

// The digest of bytes that come piece by piece. Not thread-safe.
class RunningDigest {
public:
    explicit RunningDigest(DigestKind kind);
    RunningDigest(RunningDigest&&) noexcept;
    RunningDigest& operator=(RunningDigest&&) noexcept;
    ~RunningDigest();

    void add(std::string_view bytes);
    // Adds that many zero bytes: a hole.
    void add_zeros(std::int64_t bytes);
    [[nodiscard]] std::string end();

private:
    struct State;

    std::unique_ptr<State> state_;
};

// Collects the digests of the chunks of one file in any order.
class ChunkDigests {
public:
    ChunkDigests(DigestKind kind, std::int64_t bytes) : kind_(kind), bytes_(bytes) {}

    [[nodiscard]] std::int64_t chunks() const;
    // The size of a chunk; the last one may be shorter.
    [[nodiscard]] std::int64_t bytes_of(std::int64_t chunk) const;

    void add(std::int64_t chunk, std::string digest) { digests_[chunk] = std::move(digest); }

    // The digest of the whole file. A chunk that was not added is a hole.
    [[nodiscard]] std::string whole() const;

private:
    DigestKind kind_;
    std::int64_t bytes_;
    std::map<std::int64_t, std::string> digests_;
};

}  // namespace drydock::mover::tree
