// Renames one folder at a time, from one layout into the other.
//
// ROOT and the directory of the present scope are held open. No existing name is ever replaced. Not
// thread-safe.
#pragma once

#include "mover/rename/layout.h"
#include "mover/rename/survey.h"
#include "os/files.h"

#include <cstdint>
#include <optional>

namespace drydock::mover::rename {

enum class Placement : std::uint8_t {
    moved,          // by this call
    already_moved,  // it was in its place already
    blocked,        // its place is occupied; it stays in its old place
    vanished,       // it is in neither place
};

class Placer {
public:
    // `root` must outlive the placer. `owner` becomes the owner of new directories.
    Placer(const os::Fd& root, Ownership owner);

    // If `repairs`, existing directories get their owner, too: an earlier process may have been
    // killed between mkdir and chown.
    void repair(bool repairs) { repairs_ = repairs; }

    // Moves a folder to its new place. Error: "rename.move" with errno's sentence; the folder stays
    // in its old place then.
    [[nodiscard]] Result<Placement> forward(const Move& move);
    // Moves a folder back to its old place. Error: "rename.move"; the folder stays in its new place
    // then.
    [[nodiscard]] Result<Placement> back(const Move& move);

    // Removes the directories of layout 3 above this folder, if they are empty. The scope's own
    // directory stays if `keeps_scope`.
    [[nodiscard]] Status prune(const Move& move, bool keeps_scope);

    [[nodiscard]] std::int64_t directories_made() const { return directories_made_; }

private:
    [[nodiscard]] Status enter(const Id& scope, bool makes);
    [[nodiscard]] Status make_fans(int parent, const FolderPath& path);
    [[nodiscard]] Status make(int parent, const char* name);
    [[nodiscard]] Status give_owner(int parent, const char* name) const;
    [[nodiscard]] bool is_unfinished(int parent, const char* name) const;
    [[nodiscard]] Result<Placement> place(int source, int target, const FolderPath& path);
    [[nodiscard]] Result<Placement>
    explain(int source, int target, const FolderPath& path, int error);
    [[nodiscard]] int rename_once(int source, int target, const char* path);

    const os::Fd& root_;
    [[nodiscard]] Status check_scope(const std::string& name) const;

    Ownership owner_;
    bool is_our_group_;  // new directories of this process have that owner already
    mode_t umask_;
    bool repairs_ = false;
    bool has_no_replace_ = true;  // the filesystem knows RENAME_NOREPLACE
    std::optional<Id> scope_;     // the scope of the held directory
    os::Fd scope_directory_;
    std::optional<Id> fans_;             // a folder whose parents exist in the held scope
    std::int64_t directories_made_ = 0;  // directories
};

}  // namespace drydock::mover::rename
