// ByteSource: where the bytes of a stream come from, a file or memory. Not thread-safe.
#pragma once

#include "base/result.h"
#include "extract/digest.h"
#include "os/files.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace drydock::extract {

class ByteSource {
public:
    virtual ~ByteSource() = default;

    // Reads at most `size` bytes to `target`. Returns how many; 0 only at the end.
    [[nodiscard]] virtual Result<std::size_t> read(char* target, std::size_t size) = 0;
};

// Bytes in memory, which it borrows.
class MemorySource final : public ByteSource {
public:
    explicit MemorySource(std::string_view bytes) : rest_(bytes) {}

    [[nodiscard]] Result<std::size_t> read(char* target, std::size_t size) override;

private:
    std::string_view rest_;
};

// A regular file, read from its start. It computes the SHA-256 of what was read.
class FileSource final : public ByteSource {
public:
    // Errors: "os.open", "os.not_plain" for pipes and devices, which may never end.
    [[nodiscard]] static Result<FileSource> open(const std::string& path);

    // Error: "os.read".
    [[nodiscard]] Result<std::size_t> read(char* target, std::size_t size) override;

    // The size in bytes when it was opened.
    [[nodiscard]] std::int64_t size_at_open() const { return size_; }

    // Returns the size now, which differs from the first one while somebody writes. Error:
    // "os.stat".
    [[nodiscard]] Result<std::int64_t> size_now() const;

    // Bytes that were read so far.
    [[nodiscard]] std::int64_t bytes_read() const { return bytes_read_; }

    // Returns the digest of the bytes read so far, in hex. A second call would tell that of later
    // bytes.
    [[nodiscard]] std::string sha256_hex() { return digest_.finish_hex(); }

private:
    FileSource(os::Fd file, std::string path, std::int64_t size)
        : file_(std::move(file))
        , path_(std::move(path))
        , size_(size) {}

    os::Fd file_;
    std::string path_;  // for messages
    std::int64_t size_ = 0;
    std::int64_t bytes_read_ = 0;
    StreamDigest digest_{StreamDigest::Algorithm::sha256};
};

}  // namespace drydock::extract
