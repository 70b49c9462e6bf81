// Durable files, private folders and locks.
//
// A durable write has four steps: a temporary name beside the target, fsync of the file, rename,
// fsync of the folder. A crash before the rename leaves the old content; a crash after it leaves
// the new one. No reader ever sees a part. The temporary file is removed after an error.
//
// open_file() sets O_CLOEXEC and O_NONBLOCK: children must not inherit descriptors, and a FIFO in
// the place of a file must not block the conductor.
#include "os/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <thread>

namespace drydock::os {
namespace {

constexpr std::size_t k_holder_bytes_max = 256;
constexpr auto k_lock_poll = std::chrono::milliseconds(5);

// Makes an error of errno. A full disk and a missing file have codes of their own, since callers
// decide by them.
tl::unexpected<Error> os_error(std::string_view call, const std::string& path) {
    const int number = errno;
    auto error = fail_errno("os." + std::string(call), fmt::format("{} {}", call, path), number);
    if (number == ENOSPC || number == EDQUOT) {
        error.value().code = "os.disk_full";
        error.value().remedy = "free some space there, then try again";
    }
    if (number == ENOENT) {
        error.value().code = "os.missing";
    }
    return error;
}

// Returns a name beside `path` that no other thread or process of this moment uses.
std::string temporary_name(const std::string& path) {
    static std::atomic<unsigned> counter = 0;
    return fmt::format("{}.tmp.{}.{}", path, ::getpid(), counter++);
}

tl::unexpected<Error> not_private(const std::string& path, std::string_view reason) {
    return fail(
        "os.not_private",
        fmt::format("the folder {} {}", path, reason),
        "use a folder of your own that only you can write to, or correct its owner and mode");
}

// Checks all parents up to the root. A parent that another user may write to lets that user rename
// the private folder away. The sticky bit forbids that, so /tmp is allowed.
Status check_parent(const std::string& path) {
    struct stat facts = {};
    if (::stat(path.c_str(), &facts) != 0) {
        return os_error("stat", path);
    }
    if (facts.st_uid != 0 && facts.st_uid != ::geteuid()) {
        return not_private(path, "belongs to another user, who could replace what is in it");
    }
    if ((facts.st_mode & 022U) != 0 && (facts.st_mode & S_ISVTX) == 0U) {
        return not_private(path, "may be written by others, who could replace what is in it");
    }
    return path == "/" ? Status() : check_parent(folder_of(path));
}

Status check_private(const std::string& path) {
    struct stat facts = {};
    if (::lstat(path.c_str(), &facts) != 0) {
        return os_error("lstat", path);
    }
    if (S_ISLNK(facts.st_mode)) {
        return not_private(path, "is a symlink");
    }
    if (!S_ISDIR(facts.st_mode)) {
        return not_private(path, "is no folder");
    }
    if (facts.st_uid != ::geteuid()) {
        return not_private(path, "belongs to another user");
    }
    if ((facts.st_mode & 022U) != 0) {
        return not_private(path, "may be written by others");
    }
    return {};
}

// Resolves symlinks: only the modes of the real folders count.
Result<std::string> real_path(const std::string& path) {
    char* resolved = ::realpath(path.c_str(), nullptr);
    if (resolved == nullptr) {
        return os_error("realpath", path);
    }
    std::string answer = resolved;
    std::free(resolved);  // NOLINT: realpath allocates with malloc
    return answer;
}

Status make_missing(const std::string& path) {
    struct stat facts = {};
    if (::lstat(path.c_str(), &facts) == 0) {
        return {};
    }
    DRYDOCK_TRY(make_missing(folder_of(path)));
    DRYDOCK_TRY(make_folder_durable(path));
    return {};
}

// Returns the first line of a lock file. Its text is for messages only; the kernel decides about
// the lock.
std::string holder_line(int descriptor) {
    std::string line(k_holder_bytes_max, '\0');
    const auto size = ::pread(descriptor, line.data(), line.size(), 0);
    line.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return line.substr(0, line.find('\n'));
}

Status write_holder(const Fd& file, const std::string& path, std::string_view holder) {
    const std::string line = std::string(holder.substr(0, k_holder_bytes_max - 1)) + "\n";
    if (::ftruncate(file.get(), 0) != 0
        || ::pwrite(file.get(), line.data(), line.size(), 0) != static_cast<ssize_t>(line.size())) {
        return os_error("write", path);
    }
    return {};
}

// Writes and syncs a new file. fchmod sets the mode again, because the umask may have removed bits.
Status write_temporary(const std::string& name, std::string_view bytes, mode_t mode) {
    DRYDOCK_TRY_ASSIGN(const Fd file, open_file(name, O_WRONLY | O_CREAT | O_EXCL, mode));
    if (::fchmod(file.get(), mode) != 0) {
        return os_error("chmod", name);
    }
    if (auto written = write_all(file.get(), bytes); !written) {
        return tl::unexpected(written.error().with_context(name));
    }
    if (::fsync(file.get()) != 0) {
        return os_error("fsync", name);
    }
    return {};
}

}  // namespace

Fd& Fd::operator=(Fd&& source) noexcept {
    if (this != &source) {
        close();
        number_ = source.release();
    }
    return *this;
}

int Fd::release() {
    return std::exchange(number_, -1);
}

void Fd::close() {
    if (number_ >= 0) {
        ::close(release());
    }
}

Result<std::pair<Fd, Fd>> make_pipe() {
    std::array<int, 2> ends = {};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return fail_errno("os.pipe", "pipe", errno);
    }
    return std::pair(Fd(ends[0]), Fd(ends[1]));
}

Result<Fd> make_file(const std::string& path, int flags, mode_t mode) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
        return fail_errno("os.unlink", "remove " + path, errno);
    }
    return open_file(path, flags | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
}

Result<Fd> open_file(const std::string& path, int flags, mode_t mode) {
    Fd file(::open(path.c_str(), flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, mode));
    if (!file) {
        return os_error("open", path);
    }
    return file;
}

namespace {

// Returns the present size of a regular file. Without it a growing string would copy megabytes
// again and again. Files of the kernel have size 0.
std::size_t size_hint(const Fd& file) {
    struct stat facts = {};
    return ::fstat(file.get(), &facts) == 0 && S_ISREG(facts.st_mode)
               ? static_cast<std::size_t>(facts.st_size)
               : 0;
}

// Reads until the end of the file, not until its size: files in /proc have size 0, and a file may
// grow meanwhile.
Result<std::string> read_open(const Fd& file, const std::string& path, std::size_t size_max) {
    std::string bytes;
    bytes.reserve(std::min(size_hint(file), size_max));
    std::array<char, 16384> chunk = {};
    for (;;) {
        const auto size = ::read(file.get(), chunk.data(), chunk.size());
        if (size < 0 && errno == EINTR) {
            continue;
        }
        if (size < 0) {
            return os_error("read", path);
        }
        if (size == 0) {
            return bytes;
        }
        bytes.append(chunk.data(), static_cast<std::size_t>(size));
        if (bytes.size() > size_max) {
            return fail("os.too_large", fmt::format("{} has over {} bytes", path, size_max));
        }
    }
}

}  // namespace

Result<Fd> open_plain(const std::string& path, int flags, mode_t mode) {
    DRYDOCK_TRY_ASSIGN(Fd file, open_file(path, flags, mode));
    struct stat facts = {};
    if (::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) {
        return fail("os.not_plain",
                    path + " is no plain file",
                    "a pipe or a device may never end: write it into a file first");
    }
    return file;
}

Result<std::string> read_file(const std::string& path, std::size_t size_max) {
    DRYDOCK_TRY_ASSIGN(const Fd file, open_plain(path, O_RDONLY));
    return read_open(file, path, size_max);
}

Result<Fd> memory_file(std::string_view bytes) {
    Fd file(::memfd_create("drydock", MFD_CLOEXEC));
    if (!file) {
        return fail_errno("os.memfd_create", "making a file in memory", errno);
    }
    DRYDOCK_TRY(write_all(file.get(), bytes));
    ::lseek(file.get(), 0, SEEK_SET);
    return file;
}

Result<std::string> read_again(const Fd& file, std::size_t size_max) {
    ::lseek(file.get(), 0, SEEK_SET);
    return read_open(file, "a file in memory", size_max);
}

bool exists(const std::string& path) {
    struct stat facts = {};
    return ::lstat(path.c_str(), &facts) == 0;
}

Status write_all(int descriptor, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto size = ::write(descriptor, bytes.data(), bytes.size());
        if (size < 0 && errno != EINTR) {
            return os_error("write", "");
        }
        bytes.remove_prefix(size > 0 ? static_cast<std::size_t>(size) : 0);
    }
    return {};
}

Status write_file_durable(const std::string& path, std::string_view bytes, mode_t mode) {
    const std::string name = temporary_name(path);
    auto written = write_temporary(name, bytes, mode);
    if (written && ::rename(name.c_str(), path.c_str()) != 0) {
        written = os_error("rename", path);
    }
    if (!written) {
        ::unlink(name.c_str());
        return written;
    }
    return sync_folder(folder_of(path));
}

Status sync_folder(const std::string& path) {
    DRYDOCK_TRY_ASSIGN(const Fd folder, open_file(path, O_RDONLY | O_DIRECTORY));
    if (::fsync(folder.get()) != 0) {
        return os_error("fsync", path);
    }
    return {};
}

Result<bool> make_folder(const std::string& path, mode_t mode) {
    const bool is_new = ::mkdir(path.c_str(), mode) == 0;
    if (!is_new && errno != EEXIST) {
        return os_error("mkdir", path);
    }
    return is_new;
}

Result<bool> make_folder_durable(const std::string& path, mode_t mode) {
    DRYDOCK_TRY_ASSIGN(const bool is_new, make_folder(path, mode));
    DRYDOCK_TRY(sync_folder(folder_of(path)));
    return is_new;
}

// The order matters: a symlink at the end is refused before anything is made through it. The check
// after the creation covers a folder that another process made in between.
Status ensure_private_folder(const std::string& path) {
    struct stat facts = {};
    if (::lstat(path.c_str(), &facts) == 0) {
        DRYDOCK_TRY(check_private(path));
    }
    DRYDOCK_TRY(make_missing(path));
    DRYDOCK_TRY(check_private(path));
    DRYDOCK_TRY_ASSIGN(const std::string real, real_path(path));
    return check_parent(folder_of(real));
}

Result<std::int64_t> free_bytes(const std::string& path) {
    struct statvfs facts = {};
    if (::statvfs(path.c_str(), &facts) != 0) {
        return os_error("statvfs", path);
    }
    return static_cast<std::int64_t>(facts.f_bavail * facts.f_frsize);
}

// Counts as df does: blocks that are reserved for root belong to neither part.
Result<double> used_percent(const std::string& path) {
    struct statvfs facts = {};
    if (::statvfs(path.c_str(), &facts) != 0) {
        return os_error("statvfs", path);
    }
    const auto used = static_cast<double>(facts.f_blocks - facts.f_bfree);
    const auto total = used + static_cast<double>(facts.f_bavail);  // as df counts
    return total > 0 ? used * 100 / total : 0;
}

std::string real_path_of(const std::string& path) {
    return real_path(path).value_or("");
}

std::string folder_of(const std::string& path) {
    const auto end = path.find_last_not_of('/');
    const auto slash = end == path.npos ? path.npos : path.rfind('/', end);
    if (slash == path.npos) {
        return !path.empty() && path.front() == '/' ? "/" : ".";
    }
    return slash == 0 ? "/" : path.substr(0, slash);
}

std::string name_of(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == path.npos ? path : path.substr(slash + 1);
}

Result<FileLock> FileLock::take(const std::string& path, std::string_view holder) {
    DRYDOCK_TRY_ASSIGN(Fd file, open_plain(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
    return take_open(std::move(file), path, holder);
}

Result<FileLock> FileLock::take_open(Fd file, const std::string& path, std::string_view holder) {
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) {
            return os_error("flock", path);
        }
        return fail("os.locked",
                    fmt::format("{} is held by {}", path, holder_line(file.get())),
                    "wait until that one has ended",
                    ErrorClass::transient);
    }
    DRYDOCK_TRY(write_holder(file, path, holder));
    return FileLock(std::move(file));
}

// Polls the lock. A blocking flock has no time limit, and a signal to end it would disturb other
// threads.
Result<FileLock>
FileLock::take_within(const std::string& path, std::string_view holder, std::int64_t timeout_ms) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    for (;;) {
        auto lock = take(path, holder);
        if (lock || lock.error().code != "os.locked" || std::chrono::steady_clock::now() >= end) {
            return lock;
        }
        std::this_thread::sleep_for(k_lock_poll);
    }
}

// A shared lock is enough for the question, and closing the file drops it at once.
Result<bool> is_locked(const std::string& path) {
    auto file = open_file(path, O_RDWR);
    if (!file) {
        return file.error().code == "os.missing" ? Result<bool>(false)
                                                 : tl::unexpected(file.error());
    }
    if (::flock(file->get(), LOCK_SH | LOCK_NB) == 0) {
        return false;
    }
    return errno == EWOULDBLOCK ? Result<bool>(true) : os_error("flock", path);
}

}  // namespace drydock::os
