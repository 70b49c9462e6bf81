// Leases as open-file-description locks: byte N of the file belongs to run number N.
//
// The kernel drops such a lock when the last descriptor of its open file is closed, and thus also
// after `kill -9`. So a lock says that a conductor is alive, which no row of a table could. An
// ordinary fcntl() lock would belong to the process: two journals in one process would not
// conflict.
#include "journal/sqlite/lease_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace drydock::journal {

namespace {

// Returns a lock of that kind on the run's byte.
struct flock byte_of(std::int64_t run, short kind) {
    struct flock lock{};
    lock.l_type = kind;
    lock.l_whence = SEEK_SET;
    lock.l_start = run;
    lock.l_len = 1;
    return lock;
}

}  // namespace

// Refuses a symlink: the lock would lie on another file, and two conductors would not meet.
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

// Never waits: another conductor may hold a run for hours.
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

// Asks without locking. The own lock does not count, so the caller must know its own leases.
bool LeaseFile::is_locked_elsewhere(std::int64_t run) const {
    struct flock lock = byte_of(run, F_WRLCK);
    return ::fcntl(descriptor_, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

}  // namespace drydock::journal
