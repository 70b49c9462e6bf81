// One rename, and the directories that it needs.
//
// A rename within one filesystem is atomic: at every instant the folder is in one place.
// RENAME_NOREPLACE makes the kernel check that no name is replaced. Filesystems without it (NFS)
// get a check before the rename; all servers are stopped, so no other process makes the name in
// between.
//
// The common case is one system call. Moves are sorted by scope and folder, so the parents of the
// last folder usually serve the next one. Paths are relative to ROOT and to the scope's directory,
// which are held open. The kernel would follow a link below them, so both must belong to the user
// of this process.
#include "mover/rename/placer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace drydock::mover::rename {
namespace {

constexpr mode_t k_mode_bits = 0777;  // no more of them: a volume's owner chose the rest

bool is_there(int parent, const char* path) {
    return faccessat(parent, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

// Returns the umask, which can be read only by setting it. Other threads would see the wrong one
// for an instant.
mode_t read_umask() {
    const mode_t mask = umask(0);
    umask(mask);
    return mask;
}

bool has_same_fans(const Id& a, const Id& b) {
    return a[0] == b[0] && a[1] == b[1];
}

// Removes a directory if it is empty. Returns true if it is gone.
bool remove_empty(int parent, const char* path) {
    return unlinkat(parent, path, AT_REMOVEDIR) == 0 || errno == ENOENT;
}

}  // namespace

Placer::Placer(const os::Fd& root, Ownership owner)
    : root_(root)
    , owner_(owner)
    , is_our_group_(owner.group == getegid())
    , umask_(read_umask()) {
}

// Gives a new directory the group and the mode of those in layout 2. No call is needed where mkdir
// has given both already.
Status Placer::give_owner(int parent, const char* name) const {
    if (is_our_group_ && (owner_.mode & ~umask_) == owner_.mode) {
        return {};
    }
    const os::Fd directory(openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!directory) {
        return fail_errno("rename.move", fmt::format("open {}", name), errno);
    }
    if (!is_our_group_ && fchown(directory.get(), owner_.user, owner_.group) != 0) {
        return fail_errno("rename.move", fmt::format("give {} its group", name), errno);
    }
    if (fchmod(directory.get(), owner_.mode & k_mode_bits) != 0) {
        return fail_errno("rename.move", fmt::format("give {} its mode", name), errno);
    }
    return {};
}

// Makes a directory, or accepts an existing one. In repair mode an unfinished one is finished.
Status Placer::make(int parent, const char* name) {
    if (mkdirat(parent, name, owner_.mode) == 0) {
        ++directories_made_;
        return give_owner(parent, name);
    }
    if (errno != EEXIST) {
        return fail_errno("rename.move", fmt::format("make the directory {}", name), errno);
    }
    return repairs_ && is_unfinished(parent, name) ? give_owner(parent, name) : Status();
}

// True if this program made the directory and was killed before it set owner and mode. The mode
// that mkdir leaves is the sign of it.
bool Placer::is_unfinished(int parent, const char* name) const {
    struct stat attributes{};

    return fstatat(parent, name, &attributes, AT_SYMLINK_NOFOLLOW) == 0
           && S_ISDIR(attributes.st_mode) && attributes.st_uid == geteuid()
           && (attributes.st_mode & 07777) == (owner_.mode & ~umask_);
}

// Makes the directories "aa" and "aa/bb".
Status Placer::make_fans(int parent, const FolderPath& path) {
    DRYDOCK_TRY(make(parent, path.outer()));
    return make(parent, path.inner());
}

// Opens and holds the directory of the scope. Without `makes` the directory may be absent; none is
// held then.
Status Placer::enter(const Id& scope, bool makes) {
    if (scope_ == scope) {
        return {};
    }
    const std::string name = hex_of(scope);
    scope_.reset();
    fans_.reset();
    if (makes) {
        DRYDOCK_TRY(make(root_.get(), name.c_str()));
    }
    scope_directory_ =
        os::Fd(openat(root_.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!scope_directory_ && (makes || errno != ENOENT)) {
        return fail_errno("rename.move", "open the directory " + name, errno);
    }
    DRYDOCK_TRY(check_scope(name));
    scope_ = scope;
    return {};
}

// Refuses a scope's directory of another user: its owner could put links into it while it is
// walked.
Status Placer::check_scope(const std::string& name) const {
    struct stat attributes{};

    if (!scope_directory_ || fstat(scope_directory_.get(), &attributes) != 0
        || attributes.st_uid == geteuid()) {
        return {};
    }
    return fail("rename.owner",
                fmt::format("the directory {} belongs to user {}", name, attributes.st_uid),
                fmt::format("give it to user {}, as the others", geteuid()));
}

// Renames once and returns 0 or errno. The first EINVAL or ENOSYS shows that the filesystem lacks
// RENAME_NOREPLACE; it is not tried again.
int Placer::rename_once(int source, int target, const char* path) {
    if (has_no_replace_) {
        if (renameat2(source, path, target, path, RENAME_NOREPLACE) == 0) {
            return 0;
        }
        if (errno != EINVAL && errno != ENOSYS) {
            return errno;
        }
        has_no_replace_ = false;
    }
    if (is_there(target, path)) {
        return is_there(source, path) ? EEXIST : ENOENT;
    }
    return renameat(source, path, target, path) == 0 ? 0 : errno;
}

Result<Placement> Placer::place(int source, int target, const FolderPath& path) {
    const int error = rename_once(source, target, path.whole());
    return error == 0 ? Placement::moved : explain(source, target, path, error);
}

// Decides the meaning of a failed rename. ENOENT has three causes: the folder moved before, it is
// in neither place, or the parents of the target are missing. Only the last one is retried, after
// the parents are made.
Result<Placement> Placer::explain(int source, int target, const FolderPath& path, int error) {
    const bool is_at_source = is_there(source, path.whole());
    if (error == ENOENT && !is_at_source) {
        return is_there(target, path.whole()) ? Placement::already_moved : Placement::vanished;
    }
    if (error == ENOENT && !is_there(target, path.inner())) {
        DRYDOCK_TRY(make_fans(target, path));
        return place(source, target, path);
    }
    if (error == EEXIST || error == ENOTEMPTY) {
        return Placement::blocked;
    }
    return fail_errno("rename.move", fmt::format("rename {}", path.whole()), error);
}

Result<Placement> Placer::forward(const Move& move) {
    DRYDOCK_TRY(enter(move.scope, true));
    const FolderPath path(move.folder);
    if (!fans_ || !has_same_fans(*fans_, move.folder)) {
        const bool has_outer = fans_ && (*fans_)[0] == move.folder[0];
        DRYDOCK_TRY(has_outer ? make(scope_directory_.get(), path.inner())
                              : make_fans(scope_directory_.get(), path));
        fans_ = move.folder;
    }
    return place(root_.get(), scope_directory_.get(), path);
}

// The parents in layout 2 are never removed before finish(), so a rename back seldom has to make
// any.
Result<Placement> Placer::back(const Move& move) {
    DRYDOCK_TRY(enter(move.scope, false));
    const FolderPath path(move.folder);
    if (!scope_directory_) {
        return is_there(root_.get(), path.whole()) ? Placement::already_moved : Placement::vanished;
    }
    return place(scope_directory_.get(), root_.get(), path);
}

// Removes from the inside to the outside and stops at the first directory that is not empty.
Status Placer::prune(const Move& move, bool keeps_scope) {
    DRYDOCK_TRY(enter(move.scope, false));
    if (!scope_directory_) {
        return {};
    }
    const FolderPath path(move.folder);
    const int scope = scope_directory_.get();
    const bool is_pruned = remove_empty(scope, path.inner()) && remove_empty(scope, path.outer());
    if (is_pruned && !keeps_scope) {
        (void)remove_empty(root_.get(), hex_of(move.scope).c_str());
    }
    return {};
}

}  // namespace drydock::mover::rename
