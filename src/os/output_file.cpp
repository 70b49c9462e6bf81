// Output into folders that another user may control, such as /tmp or an agent's state directory.
//
// An ordinary open() follows links on the way. A hostile user could exchange a directory for a link
// between a check and the open, and so direct root's writing to any file. Here the kernel resolves
// one part of the path at a time, with O_NOFOLLOW and relative to the held descriptor. Links are
// read and judged by this code. All later calls are relative to the held folder.
//
// The file itself could be a hard link to a file of another user, so its link count must be 1.
#include "os/output_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstdio>
#include <deque>
#include <thread>

namespace drydock::os {
namespace {

constexpr int k_links_max = 40;  // the limit of the kernel
constexpr auto k_lock_poll = std::chrono::milliseconds(5);

// Returns a name beside `name` that no other thread or process of this moment uses.
std::string temporary_name(const std::string& name) {
    static std::atomic<unsigned> counter = 0;
    return fmt::format("{}.tmp.{}.{}", name, ::getpid(), counter++);
}

std::deque<std::string> parts_of(const std::string& path) {
    std::deque<std::string> parts;
    std::string part;
    for (const char c : path + "/") {
        if (c != '/') {
            part += c;
        } else if (!part.empty()) {
            parts.push_back(std::exchange(part, {}));
        }
    }
    return parts;
}

// True for users that this process has to trust in any case.
bool is_trusted(uid_t user) {
    return user == 0 || user == ::geteuid();
}

// Walks a path from the root, one part at a time.
class PathWalk {
public:
    Status open_path(const std::string& path) {
        parts_ = parts_of(path);
        DRYDOCK_TRY_ASSIGN(folder_, open_file("/", O_PATH | O_DIRECTORY));
        while (!parts_.empty()) {
            const std::string part = parts_.front();
            parts_.pop_front();
            DRYDOCK_TRY(step(part));
        }
        return {};
    }

    [[nodiscard]] Fd take() { return std::move(folder_); }

private:
    Status step(const std::string& part) {
        Fd next(::openat(folder_.get(), part.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
        struct stat facts = {};
        if (!next || ::fstat(next.get(), &facts) != 0) {
            return fail_errno(errno == ENOENT ? "os.missing" : "os.open", "opening " + part, errno);
        }
        if (S_ISLNK(facts.st_mode)) {
            return follow(part, next, facts);
        }
        folder_ = std::move(next);
        return {};
    }

    // Puts the parts of a link's target in front of the parts that remain. The kernel's limit of 40
    // links ends circles.
    Status follow(const std::string& part, const Fd& link, const struct stat& facts) {
        std::array<char, PATH_MAX> target = {};
        const auto size = ::readlinkat(link.get(), "", target.data(), target.size());
        if (!is_trusted(facts.st_uid) || size <= 0 || ++links_ > k_links_max) {
            return fail(
                "os.strange_link",
                fmt::format("the link {} belongs to another user, and is not followed", part),
                "name the real path");
        }
        const std::string path(target.data(), static_cast<std::size_t>(size));
        const auto parts = parts_of(path);
        parts_.insert(parts_.begin(), parts.begin(), parts.end());
        if (path.front() == '/') {
            DRYDOCK_TRY_ASSIGN(folder_, open_file("/", O_PATH | O_DIRECTORY));
        }
        return {};
    }

    Fd folder_;
    std::deque<std::string> parts_;
    int links_ = 0;
};

}  // namespace

Result<OutputFolder> OutputFolder::of(const std::string& path) {
    if (path.empty() || path.front() != '/') {
        return fail("os.relative", fmt::format("`{}` is no absolute path", path));
    }
    const std::string folder = folder_of(path);
    PathWalk walk;
    if (auto walked = walk.open_path(folder); !walked) {
        return tl::unexpected(walked.error().with_context(folder));
    }
    return OutputFolder(walk.take(), folder);
}

// O_TRUNC is left out of the open. A file is emptied only after the checks, since it may be a hard
// link to a file of another user. O_NONBLOCK keeps a FIFO from blocking, and is removed after the
// checks.
Result<Fd> OutputFolder::open(const std::string& name, int flags, mode_t mode) const {
    const int safe = flags | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    Fd file(::openat(folder_.get(), name.c_str(), safe & ~O_TRUNC, mode));
    struct stat facts = {};
    if (!file && errno != ELOOP) {
        return fail_errno("os.open", fmt::format("opening {}/{}", path_, name), errno);
    }
    if (!file || ::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode) || facts.st_nlink != 1
        || facts.st_uid != ::geteuid()) {
        return fail(
            "os.strange_file",
            fmt::format("{}/{} is a link, or another user's, and is not written to", path_, name),
            "remove it");
    }
    if ((flags & O_TRUNC) != 0 && ::ftruncate(file.get(), 0) != 0) {
        return fail_errno("os.truncate", fmt::format("emptying {}/{}", path_, name), errno);
    }
    ::fcntl(file.get(), F_SETFL, flags & ~O_NONBLOCK);
    return file;
}

Status OutputFolder::rename(const std::string& old_name, const std::string& new_name) const {
    if (::renameat(folder_.get(), old_name.c_str(), folder_.get(), new_name.c_str()) != 0) {
        return fail_errno("os.rename", fmt::format("renaming {}/{}", path_, old_name), errno);
    }
    return sync();
}

// The held descriptor has O_PATH and cannot be synced, so the folder is opened again through it.
Status OutputFolder::sync() const {
    const Fd folder(::openat(folder_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder || ::fsync(folder.get()) != 0) {
        return fail_errno("os.fsync", path_, errno);
    }
    return {};
}

Status OutputFolder::write(const std::string& name, std::string_view bytes, mode_t mode) const {
    const std::string part = temporary_name(name);
    remove(part);  // of a process with this number that was killed
    auto written = write_part(part, bytes, mode);
    if (written) {
        written = rename(part, name);
    }
    if (!written) {
        remove(part);
    }
    return written;
}

Status
OutputFolder::write_part(const std::string& part, std::string_view bytes, mode_t mode) const {
    DRYDOCK_TRY_ASSIGN(const Fd file, open(part, O_WRONLY | O_EXCL, mode));
    DRYDOCK_TRY(write_all(file.get(), bytes));
    // fchmod sets the mode again, because the umask may have removed bits.
    if (::fchmod(file.get(), mode) != 0 || ::fsync(file.get()) != 0) {
        return fail_errno("os.fsync", fmt::format("writing {}/{}", path_, part), errno);
    }
    return {};
}

Status OutputFolder::link(const std::string& target, const std::string& name) const {
    const std::string part = temporary_name(name);
    remove(part);  // of a process with this number that was killed
    if (::symlinkat(target.c_str(), folder_.get(), part.c_str()) != 0) {
        return fail_errno("os.symlink", fmt::format("making {}/{}", path_, part), errno);
    }
    auto renamed = rename(part, name);
    if (!renamed) {
        remove(part);
    }
    return renamed;
}

void OutputFolder::remove(const std::string& name) const {
    ::unlinkat(folder_.get(), name.c_str(), 0);
}

Status write_output_durable(const std::string& path, std::string_view bytes, mode_t mode) {
    DRYDOCK_TRY_ASSIGN(const OutputFolder folder, OutputFolder::of(path));
    return folder.write(name_of(path), bytes, mode);
}

void remove_output(const std::string& path) {
    if (const auto folder = OutputFolder::of(path)) {
        folder->remove(name_of(path));
    }
}

Result<FileLock>
lock_output_within(const std::string& path, std::string_view holder, std::int64_t timeout_ms) {
    DRYDOCK_TRY_ASSIGN(const OutputFolder folder, OutputFolder::of(path));
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    for (;;) {
        DRYDOCK_TRY_ASSIGN(Fd file, folder.open(name_of(path), O_RDWR));
        auto lock = FileLock::take_open(std::move(file), path, holder);
        if (lock || lock.error().code != "os.locked" || std::chrono::steady_clock::now() >= end) {
            return lock;
        }
        std::this_thread::sleep_for(k_lock_poll);
    }
}

}  // namespace drydock::os
