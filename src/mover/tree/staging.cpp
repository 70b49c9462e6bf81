#include "mover/tree/staging.h"

#include "mover/tree/names.h"
#include "mover/tree/walk.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <thread>
#include <vector>

namespace drydock::mover::tree {
namespace {

using Failed = std::function<void(const std::string& path, const Error& error)>;

// Lists a folder as a whole from its begin.
Result<std::vector<Name>> all_names(int folder) {
    if (::lseek(folder, 0, SEEK_SET) < 0) {
        return fail_errno("tree.list", "list", errno);
    }
    std::vector<Name> all;
    while (true) {
        DRYDOCK_TRY_ASSIGN(auto names, next_names(folder));
        if (names.empty()) {
            return all;
        }
        all.insert(all.end(), names.begin(), names.end());
    }
}

// Moves the entries of one folder into another one.
class Publisher {
public:
    Publisher(bool replaces, const Failed& failed) : replaces_(replaces), failed_(failed) {}

    void move_all(int staged, int target, const std::string& path) {
        const auto names = all_names(staged);
        if (!names) {
            failed_(path, names.error());
            return;
        }
        for (const Name& name : *names) {
            const std::string entry_path = path.empty() ? name.text : path + "/" + name.text;
            if (const Status moved = move(staged, target, name.text, entry_path); !moved) {
                failed_(entry_path, moved.error());
            }
        }
    }

private:
    Status move(int staged, int target, const std::string& name, const std::string& path) {
        DRYDOCK_TRY_ASSIGN(const Entry entry, read_entry(staged, name));
        const auto there = read_entry(target, name);
        if (there && there->kind == Kind::folder && entry.kind == Kind::folder) {
            return merge(staged, target, name, path);
        }
        if (!there && there.error().code != "tree.vanished") {
            return tl::unexpected(there.error());
        }
        if (there && (!replaces_ || there->kind == Kind::folder || entry.kind == Kind::folder)) {
            return fail("tree.occupied",
                        fmt::format("there is another {} at the target", name_of(there->kind)),
                        "move it away, or give --replace for files");
        }
        return rename(staged, target, name, entry);
    }

    // A folder gets another parent, so its owner must be allowed to write in it for a moment.
    Status rename(int staged, int target, const std::string& name, const Entry& entry) {
        const auto renamed = [&] {
            const unsigned flags = replaces_ ? 0 : RENAME_NOREPLACE;
            return ::renameat2(staged, name.c_str(), target, name.c_str(), flags) == 0
                   || (errno == EINVAL
                       && ::renameat(staged, name.c_str(), target, name.c_str()) == 0);
        };
        bool is_done = renamed();
        if (!is_done && errno == EACCES && entry.kind == Kind::folder) {
            static_cast<void>(
                ::fchmodat(staged, name.c_str(), entry.mode | S_IRWXU, AT_SYMLINK_NOFOLLOW));
            is_done = renamed();
            static_cast<void>(::fchmodat(
                is_done ? target : staged, name.c_str(), entry.mode, AT_SYMLINK_NOFOLLOW));
        }
        if (!is_done) {
            return fail_errno("tree.rename", "rename", errno);
        }
        // Two names of one file: rename() leaves both, which is how a second attempt ends.
        ::unlinkat(staged, name.c_str(), 0);
        return {};
    }

    Status merge(int staged, int target, const std::string& name, const std::string& path) {
        DRYDOCK_TRY_ASSIGN(const os::Fd from, open_entry(staged, name, O_RDONLY | O_DIRECTORY));
        DRYDOCK_TRY_ASSIGN(const os::Fd into, open_entry(target, name, O_RDONLY | O_DIRECTORY));
        DRYDOCK_TRY_ASSIGN(const Entry entry, read_entry(from.get(), ""));
        DRYDOCK_TRY_ASSIGN(const auto extended, read_extended(from.get()));
        if (::fchmod(from.get(), S_IRWXU) != 0) {
            return fail_errno("tree.rename", "make the folder writable", errno);
        }
        move_all(from.get(), into.get(), path);
        auto refused = set_attributes(into.get(), entry, extended);
        const auto kept = remove_extra_attributes(into.get(), extended);
        refused.insert(refused.end(), kept.begin(), kept.end());
        static_cast<void>(set_times(into.get(), entry, 0));
        if (!refused.empty()) {
            return fail_errno("tree.attributes", refused.front().what, refused.front().error);
        }
        return ::unlinkat(staged, name.c_str(), AT_REMOVEDIR) == 0
                   ? Status()
                   : fail_errno("tree.remove", "remove the staged folder", errno);
    }

    bool replaces_;
    const Failed& failed_;
};

}  // namespace

namespace {

Result<std::string> identity_of(int folder) {
    struct statx found{};
    if (::statx(folder, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &found) != 0) {
        return fail_errno("tree.stat", "stat the staging folder", errno);
    }
    return fmt::format(
        "{} {}.{:09}", found.stx_ino, found.stx_btime.tv_sec, found.stx_btime.tv_nsec);
}

// Opens the staging folder and takes its lock, which the kernel drops with the process.
Result<os::Fd> open_locked(const os::Fd& root, const std::string& target) {
    DRYDOCK_TRY_ASSIGN(os::Fd folder,
                       open_entry(root.get(), k_staging_name, O_RDONLY | O_DIRECTORY));
    if (::flock(folder.get(), LOCK_EX | LOCK_NB) != 0) {
        return fail("tree.busy",
                    fmt::format("another copy to {} is under way", target),
                    "wait until it has ended");
    }
    DRYDOCK_TRY_ASSIGN(const Entry entry, read_entry(folder.get(), ""));
    if (entry.user != ::geteuid() || (entry.mode & (S_IRWXG | S_IRWXO)) != 0) {
        return fail("tree.staging",
                    fmt::format("{}/{} can be entered by others", target, k_staging_name),
                    "find out who made it, and remove it");
    }
    remove_inheritance(folder.get());
    return folder;
}

bool make_folder(const os::Fd& root) {
    return ::mkdirat(root.get(), k_staging_name, S_IRWXU) == 0;
}

}  // namespace

// An empty folder is as good as none: a copy that was killed behind its last rename leaves one.
Result<Staging> Staging::open(const std::string& target, const std::string& known) {
    if (::mkdir(target.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
        return fail_errno("tree.target", "make " + target, errno);
    }
    os::Fd root(::open(target.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!root) {
        return fail_errno("tree.target", "open " + target, errno);
    }
    bool is_new = make_folder(root);
    if (!is_new && errno != EEXIST) {
        return fail_errno("tree.target", "make a folder in " + target, errno);
    }
    DRYDOCK_TRY_ASSIGN(os::Fd folder, open_locked(root, target));
    if (!is_new && ::unlinkat(root.get(), k_staging_name, AT_REMOVEDIR) == 0) {
        is_new = make_folder(root);
        DRYDOCK_TRY_ASSIGN(folder, open_locked(root, target));
    }
    DRYDOCK_TRY_ASSIGN(const std::string identity, identity_of(folder.get()));
    if (!is_new && identity != known) {
        return fail("tree.staging",
                    fmt::format("{}/{} is left of another copy", target, k_staging_name),
                    "finish that copy with its own command, or remove the folder");
    }
    return Staging(std::move(root), std::move(folder), is_new);
}

// A file system of several hosts may take a moment to show the mark everywhere.
Result<Staging> Staging::join(const std::string& target, const std::string& mark) {
    constexpr int k_attempts = 200;
    constexpr std::chrono::milliseconds k_wait(100);
    for (int attempt = 1;; ++attempt) {
        os::Fd root(::open(target.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        os::Fd folder(root ? ::openat(root.get(),
                                      k_staging_name,
                                      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                           : -1);
        if (folder && read_entry(folder.get(), mark)) {
            return Staging(std::move(root), std::move(folder), false);
        }
        if (attempt == k_attempts) {
            return fail("tree.rank",
                        fmt::format("{} is another folder there", target),
                        "mount the same file system on all hosts");
        }
        std::this_thread::sleep_for(k_wait);
    }
}

Result<std::string> Staging::identity() const {
    return identity_of(folder_.get());
}

// One name in two cases and in two forms of Unicode.
Result<bool> Staging::folds_names() const {
    constexpr const char* k_name = "drydock-A\u00e9";
    if (::mkdirat(folder_.get(), k_name, S_IRWXU) != 0) {
        return fail_errno("tree.target", "make a folder in the staging folder", errno);
    }
    const bool folds = read_entry(folder_.get(), "drydock-a\u00e9").has_value()
                       || read_entry(folder_.get(), "drydock-Ae\u0301").has_value();
    if (::unlinkat(folder_.get(), k_name, AT_REMOVEDIR) != 0) {
        return fail_errno("tree.remove", "remove a folder in the staging folder", errno);
    }
    return folds;
}

// The folder's own inode is changed, so no name is needed that an entry could have.
Result<Time> Staging::target_time() const {
    if (::fchmod(folder_.get(), S_IRWXU) != 0) {
        return fail_errno("tree.target", "change the staging folder", errno);
    }
    DRYDOCK_TRY_ASSIGN(const Entry entry, read_entry(folder_.get(), ""));
    return entry.changed;
}

Status Staging::sync() const {
    return ::syncfs(target_.get()) == 0 ? Status()
                                        : fail_errno("tree.sync", "sync the target", errno);
}

Status Staging::publish(bool replaces, const Failed& failed) {
    Publisher publisher(replaces, failed);
    publisher.move_all(folder_.get(), target_.get(), "");
    return {};
}

Status Staging::remove() const {
    return ::unlinkat(target_.get(), k_staging_name, AT_REMOVEDIR) == 0
               ? Status()
               : fail_errno("tree.remove", "remove the staging folder", errno);
}

Status remove_entry(int folder, const std::string& name) {
    if (::unlinkat(folder, name.c_str(), 0) == 0 || errno == ENOENT) {
        return {};
    }
    if (errno != EISDIR && errno != EPERM) {
        return fail_errno("tree.remove", "remove", errno);
    }
    DRYDOCK_TRY_ASSIGN(const os::Fd inner, open_entry(folder, name, O_RDONLY | O_DIRECTORY));
    static_cast<void>(::fchmod(inner.get(), S_IRWXU));
    DRYDOCK_TRY_ASSIGN(const auto names, all_names(inner.get()));
    for (const Name& entry : names) {
        DRYDOCK_TRY(remove_entry(inner.get(), entry.text));
    }
    return ::unlinkat(folder, name.c_str(), AT_REMOVEDIR) == 0
               ? Status()
               : fail_errno("tree.remove", "remove", errno);
}

std::pair<std::string, std::string> split_path(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == path.npos ? std::pair(std::string(), path)
                              : std::pair(path.substr(0, slash), path.substr(slash + 1));
}

Result<os::Fd> open_folder_below(int root, const std::string& path) {
    DRYDOCK_TRY_ASSIGN(os::Fd folder, open_entry(root, ".", O_RDONLY | O_DIRECTORY));
    for (std::size_t begin = 0; begin < path.size();) {
        const std::size_t end = std::min(path.find('/', begin), path.size());
        DRYDOCK_TRY_ASSIGN(
            folder,
            open_entry(folder.get(), path.substr(begin, end - begin), O_RDONLY | O_DIRECTORY));
        begin = end + 1;
    }
    return folder;
}

}  // namespace drydock::mover::tree
