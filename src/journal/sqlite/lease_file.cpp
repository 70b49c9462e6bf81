#include "journal/sqlite/lease_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace drydock::journal {

namespace {

struct flock byte_of(std::int64_t run, short kind) {
    struct flock lock{};
    lock.l_type = kind;
    lock.l_whence = SEEK_SET;
    lock.l_start = run;
    lock.l_len = 1;
    return lock;
}

}  // namespace

Result<LeaseFile> LeaseFile::open(const std::filesystem::path& path) {
    const int descriptor =
        ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    if (descriptor < 0) {
        return fail_errno("journal.io", "open " + path.string(), errno);
    }
    return LeaseFile(descriptor);
}

LeaseFile::~LeaseFile() {
    if (descriptor_ >= 0) {
        ::close(descriptor_);
    }
}

Result<bool> LeaseFile::try_lock(std::int64_t run) {
    struct flock lock = byte_of(run, F_WRLCK);
    if (::fcntl(descriptor_, F_OFD_SETLK, &lock) == 0) {
        return true;
    }
    if (errno == EAGAIN || errno == EACCES) {
        return false;
    }
    return fail_errno("journal.io", "lock the lease file", errno);
}

void LeaseFile::unlock(std::int64_t run) {
    struct flock lock = byte_of(run, F_UNLCK);
    static_cast<void>(::fcntl(descriptor_, F_OFD_SETLK, &lock));  // unlocking cannot fail usefully
}

bool LeaseFile::is_locked_elsewhere(std::int64_t run) const {
    struct flock lock = byte_of(run, F_WRLCK);
    return ::fcntl(descriptor_, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

}  // namespace drydock::journal
