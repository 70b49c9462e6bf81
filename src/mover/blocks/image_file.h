// ImageFile: the destination of a restored version, written in order: a file or a stream.
//
// A file is written under a temporary name beside its own; keep() gives it its name. The destructor
// removes a file that was not kept. Not thread-safe.
#pragma once

#include "os/files.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace drydock::mover::blocks {

class ImageFile {
public:
    // Creates the temporary file. Errors: "blocks.exists" if `path` exists and `replaces` is false;
    // those of opening.
    [[nodiscard]] static Result<ImageFile> create(const std::string& path, bool replaces);
    [[nodiscard]] static ImageFile stream(int descriptor);
    ImageFile(ImageFile&& source) noexcept;
    ImageFile& operator=(ImageFile&&) = delete;
    ImageFile(const ImageFile&) = delete;
    ImageFile& operator=(const ImageFile&) = delete;
    ~ImageFile();

    [[nodiscard]] Status write(std::string_view bytes);
    // Makes a hole in a file, or writes zeros to a stream.
    [[nodiscard]] Status write_zeros(std::int64_t bytes);
    // Gives the file its name; durable when it returns. Does nothing for a stream.
    [[nodiscard]] Status keep();

private:
    ImageFile() = default;

    os::Fd file_;
    int descriptor_ = -1;
    std::string path_;
    std::string temporary_;  // empty: a stream, or kept
    std::int64_t offset_ = 0;
    bool replaces_ = false;
};

}  // namespace drydock::mover::blocks
