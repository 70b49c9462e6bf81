// A walk of three levels through layout 2 and four through layout 3. The names alone tell the
// layouts apart: two hex digits begin layout 2, 32 hex digits are a scope of layout 3.
//
// The contents of folders are never read, so the walk takes time by the number of folders and not
// of files. Directories are opened relative to their parent with O_NOFOLLOW: a link in the place of
// a directory is a finding and is not followed.
#include "mover/rename/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <memory>

namespace drydock::mover::rename {
namespace {

struct CloseDirectory {
    void operator()(DIR* directory) const { closedir(directory); }
};

using Directory = std::unique_ptr<DIR, CloseDirectory>;

Result<Directory> open_directory(int parent, const char* name, const std::string& path) {
    const int file = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    Directory directory(file < 0 ? nullptr : fdopendir(file));
    if (!directory) {
        return fail_errno("rename.read", "open the directory ROOT/" + path, errno);
    }
    return directory;
}

// Uses the type in the entry; filesystems without it cost one more call.
bool is_directory(const dirent& entry, int parent) {
    if (entry.d_type != DT_UNKNOWN) {
        return entry.d_type == DT_DIR;
    }
    struct stat attributes{};

    return fstatat(parent, entry.d_name, &attributes, AT_SYMLINK_NOFOLLOW) == 0
           && S_ISDIR(attributes.st_mode);
}

class Walk {
public:
    explicit Walk(const TreeVisitor& visitor) : visitor_(visitor) {}

    // Walks ROOT.
    Status top(int root) {
        return each(root, ".", "", [&](const std::string& name, int parent) -> Status {
            if (is_hex_name(name, k_fan_digits)) {
                return outer(parent, name, "", nullptr);
            }
            const auto scope = is_hex_name(name, k_id_digits) ? parse_id(name) : std::nullopt;
            if (!scope) {
                visitor_.on_other(name);
                return {};
            }
            visitor_.on_scope(*scope);
            return in_scope(parent, name, *scope);
        });
    }

private:
    using OnEntry = std::function<Status(const std::string& name, int parent)>;

    // Calls `take` with each entry. An entry with a name of the layout that is no directory is
    // noted instead. errno is the only sign of a failed readdir(), so it is cleared before each
    // call.
    Status each(int parent, const char* name, const std::string& prefix, const OnEntry& take) {
        DRYDOCK_TRY_ASSIGN(const Directory directory, open_directory(parent, name, prefix));
        const int descriptor = dirfd(directory.get());
        errno = 0;
        // NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread has this stream
        while (const dirent* entry = readdir(directory.get())) {
            const std::string entry_name = static_cast<const char*>(entry->d_name);
            if (entry_name != "." && entry_name != "..") {
                DRYDOCK_TRY(visit(*entry, descriptor, prefix, take));
            }
            errno = 0;
        }
        return errno == 0 ? Status() : fail_errno("rename.read", "read ROOT/" + prefix, errno);
    }

    Status visit(const dirent& entry, int parent, const std::string& prefix, const OnEntry& take) {
        const std::string name = static_cast<const char*>(entry.d_name);
        const bool is_of_layout = is_hex_name(name, k_fan_digits)
                                  || is_hex_name(name, k_rest_digits)
                                  || is_hex_name(name, k_id_digits);
        if (is_of_layout && !is_directory(entry, parent)) {
            visitor_.on_not_directory(prefix + name);
            return {};
        }
        return take(name, parent);
    }

    // Walks ROOT/SCOPE.
    Status in_scope(int root, const std::string& name, const Id& scope) {
        const std::string prefix = name + "/";
        return each(root, name.c_str(), prefix, [&](const std::string& fan, int parent) -> Status {
            if (is_hex_name(fan, k_fan_digits)) {
                return outer(parent, fan, prefix, &scope);
            }
            visitor_.on_other(prefix + fan);
            return {};
        });
    }

    // Walks a directory "aa". Without a scope it belongs to layout 2.
    Status outer(int parent, const std::string& name, const std::string& prefix, const Id* scope) {
        const std::string path = prefix + name + "/";
        return each(
            parent, name.c_str(), path, [&](const std::string& fan, int descriptor) -> Status {
                if (is_hex_name(fan, k_fan_digits)) {
                    return inner(descriptor, name, path, fan, scope);
                }
                visitor_.on_other(path + fan);
                return {};
            });
    }

    // Walks a directory "aa/bb" and reports its folders.
    Status inner(int parent,
                 const std::string& first,
                 const std::string& prefix,
                 const std::string& name,
                 const Id* scope) {
        const std::string path = prefix + name + "/";
        return each(parent, name.c_str(), path, [&](const std::string& rest, int) -> Status {
            if (!is_hex_name(rest, k_rest_digits)) {
                visitor_.on_other(path + rest);
                return {};
            }
            const Id folder = *parse_id(first + name + rest);
            if (scope == nullptr) {
                visitor_.on_layout_2(folder);
            } else {
                visitor_.on_layout_3(folder, *scope);
            }
            return {};
        });
    }

    const TreeVisitor& visitor_;
};

}  // namespace

Status walk_tree(const os::Fd& root, const TreeVisitor& visitor) {
    return Walk(visitor).top(root.get());
}

}  // namespace drydock::mover::rename
