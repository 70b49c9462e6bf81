// openat() with O_NOFOLLOW for each folder on the way, renameat2() at the end.
#include "mover/s3/folder_tree.h"

#include "base/text.h"
#include "mover/s3/folder_names.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>

namespace drydock::mover::s3 {
namespace {

constexpr mode_t k_folder_mode = 0777;  // less the umask, as cp and tar do
constexpr mode_t k_file_mode = 0666;
constexpr int k_folder_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

struct CloseFolder {
    void operator()(DIR* folder) const { (void)::closedir(folder); }
};

tl::unexpected<Error> refuse(const std::string& path, int error_number) {
    return fail_errno("s3.folder", clip(path, 200), error_number);
}

tl::unexpected<Error> conflict(const std::string& path, const char* what) {
    return fail("s3.folder_conflict",
                fmt::format("{}: {}", clip(path, 200), what),
                "move it away, or name another folder");
}

// Returns the names in an open folder, without "." and "..".
Result<std::vector<std::string>> names_in(const os::Fd& folder, const std::string& path) {
    const int copy = ::openat(folder.get(), ".", k_folder_flags);
    const std::unique_ptr<DIR, CloseFolder> stream(copy < 0 ? nullptr : ::fdopendir(copy));
    if (!stream) {
        return refuse(path, errno);
    }
    std::vector<std::string> names;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): each stream is read by one thread
    for (const dirent* entry = ::readdir(stream.get()); entry != nullptr;
         entry = ::readdir(stream.get())) {  // NOLINT(concurrency-mt-unsafe)
        const std::string name(static_cast<const char*>(entry->d_name));
        if (name != "." && name != "..") {
            names.push_back(name);
        }
    }
    return names;
}

}  // namespace

Result<FolderTree> FolderTree::open(const std::string& folder, bool makes) {
    if (makes && ::mkdir(folder.c_str(), k_folder_mode) != 0 && errno != EEXIST) {
        return refuse(folder, errno);
    }
    // The folder itself may be a link that the operator made.
    os::Fd root(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!root && errno == ENOENT && !makes) {
        return FolderTree(folder, os::Fd());
    }
    if (!root) {
        return refuse(folder, errno);
    }
    if (::flock(root.get(), LOCK_EX | LOCK_NB) != 0) {
        return fail(
            "s3.folder_busy", folder + ": another copy works with it", "wait until that has ended");
    }
    DRYDOCK_TRY_ASSIGN(const std::vector<std::string> names, names_in(root, folder));
    for (const std::string& name : names) {
        if (makes && name.starts_with(std::string(k_own_name) + "part-")) {
            (void)::unlinkat(root.get(), name.c_str(), 0);
        }
    }
    return FolderTree(folder, std::move(root));
}

// Returns the folder that the path lies in; an empty one with errno if there is none.
Result<os::Fd> FolderTree::parent_of(const std::string& path, bool makes) const {
    if (!root_) {
        return os::Fd();
    }
    os::Fd folder(::openat(root_.get(), ".", k_folder_flags));
    std::size_t begin = 0;
    for (auto end = path.find('/'); folder && end != path.npos; end = path.find('/', begin)) {
        const std::string name = path.substr(begin, end - begin);
        begin = end + 1;
        if (makes && ::mkdirat(folder.get(), name.c_str(), k_folder_mode) != 0 && errno != EEXIST) {
            return refuse(path, errno);
        }
        folder = os::Fd(::openat(folder.get(), name.c_str(), k_folder_flags));
    }
    if (!folder && (errno == ENOTDIR || errno == ELOOP)) {
        return conflict(path, "a file or a link is on the way");
    }
    return folder || errno == ENOENT ? Result<os::Fd>(std::move(folder)) : refuse(path, errno);
}

Result<std::optional<std::int64_t>> FolderTree::size_of(const std::string& path) const {
    DRYDOCK_TRY_ASSIGN(const os::Fd parent, parent_of(path, false));
    struct stat facts{};
    if (!parent
        || ::fstatat(parent.get(), os::name_of(path).c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) {
        return !parent || errno == ENOENT ? Result<std::optional<std::int64_t>>(std::nullopt)
                                          : refuse(path, errno);
    }
    if (!S_ISREG(facts.st_mode)) {
        return conflict(path, "a folder, a link or a device is in its place");
    }
    return std::int64_t{facts.st_size};
}

Result<std::string>
FolderTree::read(const std::string& path, std::int64_t begin, std::int64_t end) const {
    DRYDOCK_TRY_ASSIGN(const os::Fd parent, parent_of(path, false));
    const os::Fd file(parent ? ::openat(parent.get(),
                                        os::name_of(path).c_str(),
                                        O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
                             : -1);
    if (!file) {
        return refuse(path, errno);
    }
    std::string bytes(static_cast<std::size_t>(end - begin), '\0');
    for (std::size_t done = 0; done < bytes.size();) {
        const ssize_t count = ::pread(file.get(),
                                      bytes.data() + done,
                                      bytes.size() - done,
                                      begin + static_cast<std::int64_t>(done));
        if (count < 0 && errno != EINTR) {
            return refuse(path, errno);
        }
        if (count == 0) {
            return fail("s3.folder_changed",
                        clip(path, 200) + ": the file became shorter while it was read",
                        "repeat it when nobody writes");
        }
        done += count > 0 ? static_cast<std::size_t>(count) : 0;
    }
    return bytes;
}

std::string FolderTree::new_part() {
    return fmt::format("{}part-{}", k_own_name, ++parts_);
}

Status FolderTree::append(const std::string& part, std::string_view bytes) const {
    const os::Fd file(::openat(root_.get(),
                               part.c_str(),
                               O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC,
                               k_file_mode));
    return file ? os::write_all(file.get(), bytes) : refuse(part, errno);
}

Status FolderTree::publish(const std::string& part, const std::string& path, bool replaces) const {
    DRYDOCK_TRY_ASSIGN(const os::Fd parent, parent_of(path, true));
    if (!parent) {
        return refuse(path, ENOENT);
    }
    const unsigned flags = replaces ? 0 : RENAME_NOREPLACE;
    if (::renameat2(root_.get(), part.c_str(), parent.get(), os::name_of(path).c_str(), flags)
        == 0) {
        return {};
    }
    return errno == EEXIST || errno == EISDIR
               ? Status(conflict(path, "something is in its place by now"))
               : refuse(path, errno);
}

void FolderTree::remove_part(const std::string& part) const {
    (void)::unlinkat(root_.get(), part.c_str(), 0);
}

Status FolderTree::sync() const {
    return ::syncfs(root_.get()) == 0 ? Status() : refuse(folder_, errno);
}

// Depth is bounded by the 1,024 bytes of a key; a deeper tree has keys that no server takes.
// NOLINTNEXTLINE(misc-no-recursion): as deep as the tree
Status FolderTree::list_below(const std::string& path, FolderList& list) const {
    DRYDOCK_TRY_ASSIGN(const os::Fd folder, parent_of(path, false));
    if (!folder) {
        return refuse(root_ ? path : folder_, ENOENT);
    }
    DRYDOCK_TRY_ASSIGN(const std::vector<std::string> names, names_in(folder, path));
    for (const std::string& name : names) {
        const std::string below = path + name;
        struct stat facts{};
        if (path.empty() && name.starts_with(k_own_name)) {
            continue;
        }
        if (::fstatat(folder.get(), name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) {
            return refuse(below, errno);
        }
        if (S_ISDIR(facts.st_mode)) {
            DRYDOCK_TRY(list_below(below + "/", list));
        } else if (S_ISREG(facts.st_mode)) {
            DRYDOCK_TRY_ASSIGN(std::string key, key_of_path(below));
            list.files.push_back({std::move(key), below, facts.st_size});
        } else {
            list.skipped.push_back(below);
        }
    }
    return {};
}

Result<FolderList> FolderTree::list() const {
    FolderList list;
    DRYDOCK_TRY(list_below("", list));
    std::sort(list.files.begin(), list.files.end(), [](const FolderFile& a, const FolderFile& b) {
        return a.key < b.key;
    });
    const auto twice =
        std::adjacent_find(list.files.begin(),
                           list.files.end(),
                           [](const FolderFile& a, const FolderFile& b) { return a.key == b.key; });
    if (twice != list.files.end()) {
        return fail("s3.folder_name",
                    fmt::format("{} and {} are the same key", twice->path, (twice + 1)->path),
                    "rename one of them");
    }
    return list;
}

}  // namespace drydock::mover::s3
