// StreamDigest: SHA-256 or SHA-512 of bytes that come in pieces. Not thread-safe.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace drydock::extract {

class StreamDigest {
public:
    enum class Algorithm { sha256, sha512 };

    explicit StreamDigest(Algorithm algorithm);
    StreamDigest(StreamDigest&&) noexcept;
    StreamDigest& operator=(StreamDigest&&) noexcept;
    ~StreamDigest();

    void update(std::string_view bytes);
    // Returns the digest in lower-case hex, and begins a new one.
    [[nodiscard]] std::string finish_hex();

private:
    struct Context;

    std::unique_ptr<Context> context_;
};

}  // namespace drydock::extract
