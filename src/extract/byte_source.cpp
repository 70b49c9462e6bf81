// Reads a file from its start to its end, once, and computes its digest on the way.
#include "extract/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace drydock::extract {

namespace {

Result<std::int64_t> size_of(const os::Fd& file, const std::string& path) {
    struct stat status{};
    if (::fstat(file.get(), &status) != 0) {
        return fail_errno("os.stat", "look at " + path, errno);
    }
    return status.st_size;
}

}  // namespace

Result<std::size_t> MemorySource::read(char* target, std::size_t size) {
    const std::size_t count = std::min(size, rest_.size());
    std::memcpy(target, rest_.data(), count);
    rest_.remove_prefix(count);
    return count;
}

// The advice lets the kernel read ahead; nothing depends on it.
Result<FileSource> FileSource::open(const std::string& path) {
    DRYDOCK_TRY_ASSIGN(os::Fd file, os::open_plain(path, O_RDONLY));
    DRYDOCK_TRY_ASSIGN(const std::int64_t size, size_of(file, path));
    (void)::posix_fadvise(file.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
    return FileSource(std::move(file), path, size);
}

Result<std::int64_t> FileSource::size_now() const {
    return size_of(file_, path_);
}

Result<std::size_t> FileSource::read(char* target, std::size_t size) {
    ssize_t count = 0;
    do {
        count = ::read(file_.get(), target, size);
    } while (count < 0 && errno == EINTR);
    if (count < 0) {
        return fail_errno("os.read", "read " + path_, errno);
    }
    const auto bytes = static_cast<std::size_t>(count);
    digest_.update({target, bytes});
    bytes_read_ += count;
    return bytes;
}

}  // namespace drydock::extract
