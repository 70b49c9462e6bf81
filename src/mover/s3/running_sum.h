// RunningSum: a digest of bytes that come piece by piece. Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace drydock::mover::s3 {

enum class DigestKind : std::uint8_t { md5, sha256, sha512 };

class RunningSum {
public:
    explicit RunningSum(DigestKind kind);
    RunningSum(RunningSum&&) noexcept;
    RunningSum& operator=(RunningSum&&) noexcept;
    ~RunningSum();

    void add(std::string_view bytes);

    // Returns the digest in hex, and begins anew.
    [[nodiscard]] std::string take();

private:
    struct Context;

    std::unique_ptr<Context> context_;
};

}  // namespace drydock::mover::s3
