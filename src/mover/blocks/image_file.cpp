// Writes an image in order, with holes for zeros.
//
// The final name appears only with the whole image behind it: a reader must not take half an image
// for a backup. RENAME_NOREPLACE makes the check for an existing file atomic, since the first check
// is minutes old by then.
//
// A device or a pipe as a target is refused: a rename would replace the device's node by a file.
#include "mover/blocks/image_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace drydock::mover::blocks {
namespace {

constexpr std::size_t k_zeros_at_once = 1U << 20U;

tl::unexpected<Error> exists_error(const std::string& path) {
    return fail("blocks.exists",
                fmt::format("{} exists", path),
                "name another file, or replace it with --replace");
}

// Makes an error of errno; a full disk has a code of its own.
tl::unexpected<Error> call_error(const char* call, const std::string& path) {
    const int number = errno;
    return fail_errno(number == ENOSPC ? "os.disk_full" : fmt::format("os.{}", call),
                      fmt::format("{} {}", call, path),
                      number);
}

}  // namespace

Result<ImageFile> ImageFile::create(const std::string& path, bool replaces) {
    struct stat attributes{};
    if (lstat(path.c_str(), &attributes) == 0) {
        if (!S_ISREG(attributes.st_mode)) {
            return fail("blocks.exists",
                        fmt::format("{} is no regular file", path),
                        "restore to a new file, or to stdout");
        }
        if (!replaces) {
            return exists_error(path);
        }
    }
    ImageFile image;
    image.path_ = path;
    image.replaces_ = replaces;
    const std::string temporary = fmt::format("{}.drydock-{}", path, getpid());
    DRYDOCK_TRY_ASSIGN(image.file_, os::open_file(temporary, O_WRONLY | O_CREAT | O_EXCL, 0600));
    image.temporary_ = temporary;
    image.descriptor_ = image.file_.get();
    return image;
}

ImageFile ImageFile::stream(int descriptor) {
    ImageFile image;
    image.descriptor_ = descriptor;
    return image;
}

ImageFile::ImageFile(ImageFile&& source) noexcept
    : file_(std::move(source.file_))
    , descriptor_(source.descriptor_)
    , path_(std::move(source.path_))
    , temporary_(std::exchange(source.temporary_, {}))
    , offset_(source.offset_)
    , replaces_(source.replaces_) {
}

ImageFile::~ImageFile() {
    if (!temporary_.empty()) {
        unlink(temporary_.c_str());
    }
}

Status ImageFile::write(std::string_view bytes) {
    DRYDOCK_TRY(os::write_all(descriptor_, bytes));
    offset_ += static_cast<std::int64_t>(bytes.size());
    return {};
}

// A seek over the range leaves a hole. A hole at the end exists only after keep() has set the size.
Status ImageFile::write_zeros(std::int64_t bytes) {
    offset_ += bytes;
    if (!path_.empty()) {
        return lseek(descriptor_, bytes, SEEK_CUR) < 0 ? call_error("lseek", path_) : Status{};
    }
    static const std::string zeros(k_zeros_at_once, '\0');
    while (bytes > 0) {
        const auto size = std::min<std::int64_t>(bytes, k_zeros_at_once);
        DRYDOCK_TRY(os::write_all(
            descriptor_, std::string_view(zeros).substr(0, static_cast<std::size_t>(size))));
        bytes -= size;
    }
    return {};
}

Status ImageFile::keep() {
    if (temporary_.empty()) {
        return {};
    }
    if (ftruncate(descriptor_, offset_) != 0) {
        return call_error("ftruncate", temporary_);
    }
    if (fsync(descriptor_) != 0) {
        return call_error("fsync", temporary_);
    }
    const unsigned flags = replaces_ ? 0 : RENAME_NOREPLACE;
    if (renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, path_.c_str(), flags) != 0) {
        return errno == EEXIST ? exists_error(path_) : call_error("rename", path_);
    }
    temporary_.clear();
    return os::sync_folder(os::folder_of(path_));
}

}  // namespace drydock::mover::blocks
