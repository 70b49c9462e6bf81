// Attributes by statx, f*xattr and ioctl.
//
// Links, devices, fifos and sockets cannot be opened for that. Their extended attributes are
// reached by /proc/self/fd/FOLDER/NAME: the kernel walks to the open folder itself, and the calls
// with an `l` do not follow the name behind it. Since Linux 6.13 there is a call that lists them by
// folder and name, without that way round; most entries have none, so it is all that they need.
#include "mover/tree/entry.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>

namespace drydock::mover::tree {
namespace {

constexpr const char* k_label = "security.selinux";
constexpr std::size_t k_small_list = 1024;  // bytes; most lists of names fit
constexpr mode_t k_permissions = 07777;
// The flags that a person sets. Others tell how a file system keeps the file.
constexpr std::uint32_t k_kept_flags = FS_IMMUTABLE_FL | FS_APPEND_FL | FS_NODUMP_FL | FS_NOATIME_FL
                                       | FS_SYNC_FL | FS_DIRSYNC_FL | FS_COMPR_FL | FS_NOCOW_FL
                                       | FS_PROJINHERIT_FL;

Kind kind_of(unsigned mode) {
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return Kind::folder;
    case S_IFLNK:
        return Kind::link;
    case S_IFIFO:
        return Kind::fifo;
    case S_IFSOCK:
        return Kind::socket;
    case S_IFCHR:
        return Kind::character_device;
    case S_IFBLK:
        return Kind::block_device;
    default:
        return Kind::file;
    }
}

Time time_of(const struct statx_timestamp& stamp) {
    return {stamp.tv_sec, stamp.tv_nsec};
}

Entry entry_of(const struct statx& found) {
    Entry entry;
    entry.kind = kind_of(found.stx_mode);
    entry.mode = found.stx_mode & k_permissions;
    entry.user = found.stx_uid;
    entry.group = found.stx_gid;
    entry.accessed = time_of(found.stx_atime);
    entry.modified = time_of(found.stx_mtime);
    entry.changed = time_of(found.stx_ctime);
    entry.bytes = static_cast<std::int64_t>(found.stx_size);
    entry.blocks = static_cast<std::int64_t>(found.stx_blocks);
    entry.device = makedev(found.stx_dev_major, found.stx_dev_minor);
    entry.inode = found.stx_ino;
    entry.names = found.stx_nlink;
    entry.special = makedev(found.stx_rdev_major, found.stx_rdev_minor);
    entry.attributes = found.stx_attributes;
    return entry;
}

std::string proc_path(int folder, const std::string& name) {
    return fmt::format("/proc/self/fd/{}/{}", folder, name);
}

// True if the kernel says by itself that a name has no extended attributes.
bool has_no_extended(int folder, const std::string& name) {
    constexpr long k_listxattrat = 465;  // on all architectures; older headers do not name it
    static std::atomic<bool> is_known = true;
    if (!is_known) {
        return false;
    }
    const long size =
        ::syscall(k_listxattrat, folder, name.c_str(), AT_SYMLINK_NOFOLLOW, nullptr, 0);
    is_known = size >= 0 || (errno != ENOSYS && errno != EPERM);  // what filters of calls answer
    return size == 0;
}

// Calls `read(buffer, size)` with a buffer that is large enough, or returns its errno.
template <class Read>
Result<std::string> read_sized(const char* code, const Read& read) {
    std::string buffer(k_small_list, '\0');
    while (true) {
        const ssize_t size = read(buffer.data(), buffer.size());
        if (size >= 0) {
            buffer.resize(static_cast<std::size_t>(size));
            return buffer;
        }
        if (errno != ERANGE) {
            return fail_errno(code, code, errno);
        }
        const ssize_t needed = read(nullptr, 0);
        buffer.resize(static_cast<std::size_t>(std::max<ssize_t>(needed, 0)) + k_small_list);
    }
}

// `list` and `get` are the calls for a descriptor or for a path.
template <class List, class Get>
Result<ExtendedAttributes> read_extended_by(const List& list, const Get& get) {
    char small[k_small_list];
    const ssize_t size = list(small, sizeof small);
    if (size == 0 || (size < 0 && (errno == ENOTSUP || errno == ENOSYS))) {
        return ExtendedAttributes();
    }
    DRYDOCK_TRY_ASSIGN(const std::string names, read_sized("tree.listxattr", list));
    ExtendedAttributes extended;
    for (std::size_t at = 0; at < names.size(); at = names.find('\0', at) + 1) {
        const std::string name(names.c_str() + at);
        auto value = read_sized("tree.getxattr", [&](char* buffer, std::size_t buffer_size) {
            return get(name.c_str(), buffer, buffer_size);
        });
        if (value) {
            extended.emplace_back(name, std::move(*value));
        } else if (errno != ENODATA && errno != ENOTSUP) {  // taken away since it was listed
            return tl::unexpected(value.error().with_context(name));
        }
    }
    std::sort(extended.begin(), extended.end());
    return extended;
}

// Setuid for another owner than the source's would give rights that nobody gave.
mode_t without_set_id(mode_t mode) {
    return mode & ~static_cast<mode_t>(S_ISUID | S_ISGID);
}

// Before 1970 or behind 2038: not every file system has so many bits.
bool is_far(const Time& time) {
    constexpr std::int64_t k_last_of_32_bits = 0x7FFFFFFF;
    return time.seconds < 0 || time.seconds > k_last_of_32_bits;
}

struct timespec spec_of(const Time& time) {
    return {static_cast<time_t>(time.seconds), static_cast<long>(time.nanoseconds)};
}

void note(std::vector<Refusal>& refusals, std::string what, int result) {
    if (result != 0) {
        refusals.push_back({std::move(what), errno});
    }
}

}  // namespace

Result<Entry> read_entry(int folder, const std::string& name) {
    struct statx found{};
    const int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (name.empty() ? AT_EMPTY_PATH : 0);
    if (::statx(folder, name.c_str(), flags, STATX_BASIC_STATS, &found) != 0) {
        return fail_errno(errno == ENOENT ? "tree.vanished" : "tree.stat", "stat", errno);
    }
    return entry_of(found);
}

Result<ExtendedAttributes> read_extended(int file) {
    return read_extended_by(
        [&](char* buffer, std::size_t size) { return ::flistxattr(file, buffer, size); },
        [&](const char* name, char* buffer, std::size_t size) {
            return ::fgetxattr(file, name, buffer, size);
        });
}

Result<ExtendedAttributes> read_extended(int folder, const std::string& name) {
    if (has_no_extended(folder, name)) {
        return ExtendedAttributes();
    }
    const std::string path = proc_path(folder, name);
    return read_extended_by(
        [&](char* buffer, std::size_t size) { return ::llistxattr(path.c_str(), buffer, size); },
        [&](const char* attribute, char* buffer, std::size_t size) {
            return ::lgetxattr(path.c_str(), attribute, buffer, size);
        });
}

std::uint32_t read_flags(int file) {
    int flags = 0;
    return ::ioctl(file, FS_IOC_GETFLAGS, &flags) == 0
               ? static_cast<std::uint32_t>(flags) & k_kept_flags
               : 0;
}

Result<std::string> read_link(int folder, const std::string& name) {
    std::string text(PATH_MAX, '\0');
    const ssize_t size = ::readlinkat(folder, name.c_str(), text.data(), text.size());
    if (size < 0) {
        return fail_errno("tree.read", "read the link", errno);
    }
    text.resize(static_cast<std::size_t>(size));
    return text;
}

// A change of owner takes setuid, setgid and capabilities away, so it comes first. The mode comes
// before the ACL, whose mask is the mode's group bits.
std::vector<Refusal> set_attributes(int file,
                                    const Entry& entry,
                                    const ExtendedAttributes& extended,
                                    const PresetAttributes& preset) {
    std::vector<Refusal> refusals;
    if (!preset.has_owner) {
        note(refusals, "owner", ::fchown(file, entry.user, entry.group));
    }
    if (!preset.has_mode) {
        const mode_t mode = refusals.empty() ? entry.mode : without_set_id(entry.mode);
        note(refusals, "mode", ::fchmod(file, mode));
    }
    for (const auto& [name, value] : extended) {
        note(refusals, name, ::fsetxattr(file, name.c_str(), value.data(), value.size(), 0));
    }
    return refusals;
}

std::vector<Refusal> set_attributes(int folder,
                                    const std::string& name,
                                    const Entry& entry,
                                    const ExtendedAttributes& extended) {
    std::vector<Refusal> refusals;
    note(refusals,
         "owner",
         ::fchownat(folder, name.c_str(), entry.user, entry.group, AT_SYMLINK_NOFOLLOW));
    const mode_t mode = refusals.empty() ? entry.mode : without_set_id(entry.mode);
    if (entry.kind != Kind::link) {
        note(refusals, "mode", ::fchmodat(folder, name.c_str(), mode, AT_SYMLINK_NOFOLLOW));
    }
    const std::string path = proc_path(folder, name);
    for (const auto& [attribute, value] : extended) {
        note(refusals,
             attribute,
             ::lsetxattr(path.c_str(), attribute.c_str(), value.data(), value.size(), 0));
    }
    return refusals;
}

std::vector<Refusal> remove_extra_attributes(int file, const ExtendedAttributes& extended) {
    std::vector<Refusal> refusals;
    const auto there = read_extended(file);
    for (const auto& [name, value] : there.value_or(ExtendedAttributes())) {
        const bool is_wanted =
            std::any_of(extended.begin(), extended.end(), [&name = name](const auto& attribute) {
                return attribute.first == name;
            });
        if (!is_wanted && name != k_label) {
            note(refusals, name, ::fremovexattr(file, name.c_str()));
        }
    }
    return refusals;
}

void remove_inheritance(int folder) {
    for (const char* acl : {"system.posix_acl_default", "system.posix_acl_access"}) {
        static_cast<void>(::fremovexattr(folder, acl));
    }
    int flags = 0;
    if (::ioctl(folder, FS_IOC_GETFLAGS, &flags) == 0) {
        flags = static_cast<int>(static_cast<std::uint32_t>(flags) & ~k_kept_flags);
        static_cast<void>(::ioctl(folder, FS_IOC_SETFLAGS, &flags));
    }
}

// Some file systems count in units of 100 ns.
bool needs_nanoseconds(const Time& time) {
    return !is_far(time) && time.nanoseconds % 100 != 0;
}

std::vector<Refusal>
set_times(int file, const Entry& entry, std::uint32_t flags, bool holds_nanoseconds) {
    std::vector<Refusal> refusals;
    const struct timespec times[] = {spec_of(entry.accessed), spec_of(entry.modified)};
    note(refusals, "times", ::futimens(file, times));
    const bool may_be_cut =
        is_far(entry.modified) || (entry.modified.nanoseconds != 0 && !holds_nanoseconds);
    if (refusals.empty() && may_be_cut) {
        const auto there = read_entry(file, "");
        if (!there || there->modified != entry.modified) {
            refusals.push_back({"times", ERANGE});
        }
    }
    if (flags != 0) {
        const int wanted = static_cast<int>(flags | (read_flags(file) & ~k_kept_flags));
        note(refusals, "flags", ::ioctl(file, FS_IOC_SETFLAGS, &wanted));
    }
    return refusals;
}

std::vector<Refusal> set_times(int folder, const std::string& name, const Entry& entry) {
    std::vector<Refusal> refusals;
    const struct timespec times[] = {spec_of(entry.accessed), spec_of(entry.modified)};
    note(refusals, "times", ::utimensat(folder, name.c_str(), times, AT_SYMLINK_NOFOLLOW));
    return refusals;
}

const char* name_of(Kind kind) {
    switch (kind) {
    case Kind::file:
        return "file";
    case Kind::folder:
        return "folder";
    case Kind::link:
        return "link";
    case Kind::fifo:
        return "fifo";
    case Kind::socket:
        return "socket";
    case Kind::character_device:
        return "character-device";
    case Kind::block_device:
        return "block-device";
    }
    return "";
}

}  // namespace drydock::mover::tree
