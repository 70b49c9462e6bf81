// Compares the list with the tree before anything moves.
#pragma once

#include "mover/rename/layout.h"
#include "os/files.h"

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::mover::rename {

enum class FindingKind : std::uint8_t {
    collision,      // the folder is in its old place and in its new one
    elsewhere,      // it is in layout 3 under another scope than the list says
    not_directory,  // a file or a link has the name of a directory of the layouts
    unlisted,       // a folder of layout 2 that the list does not have
    missing,        // a folder of the list that is nowhere
    other,          // a name that neither layout gives
    owner,          // the directory of a scope belongs to another user
    newer,          // going back: a folder of layout 3 that was made since the move
};

inline constexpr std::size_t k_finding_kinds = 8;
inline constexpr std::size_t k_samples_max = 100;  // paths of each kind; the rest is counted

[[nodiscard]] std::string_view name_of(FindingKind kind);

struct Finding {
    std::int64_t count = 0;
    std::vector<std::string> paths;  // the first ones, below ROOT
};

class Findings {
public:
    void note(FindingKind kind, std::string path);

    [[nodiscard]] const Finding& of(FindingKind kind) const {
        return by_kind_.at(static_cast<std::size_t>(kind));
    }

private:
    std::array<Finding, k_finding_kinds> by_kind_;
};

// The owner and the mode of directories in layout 2. New directories get the same.
struct Ownership {
    uid_t user = 0;
    gid_t group = 0;
    mode_t mode = 0755;

    bool operator==(const Ownership&) const = default;
};

struct Survey {
    std::int64_t listed = 0;
    std::int64_t in_place = 0;  // listed, and in their new place already
    std::vector<Move> moves;    // still to do, sorted by scope, then folder
    std::vector<Id> scopes;     // sorted; scopes with a directory
    std::vector<Id> standing;   // sorted; every folder of layout 3
    Findings findings;

    // True if no finding forbids `moves`. Folders without a row in the list forbid them, too,
    // unless they may stay in layout 2.
    [[nodiscard]] bool can_move(bool leaves_unlisted) const;
};

// Walks the tree and compares. `listed` is sorted by folder, as read_move_list() returns it. Error:
// "rename.read".
[[nodiscard]] Result<Survey> survey(const os::Fd& root, std::vector<Move> listed);

// Returns the ownership of the directory above the first folder in layout 2; of ROOT if no folder
// moves.
[[nodiscard]] Result<Ownership> read_ownership(const os::Fd& root, const std::vector<Move>& moves);

// Refuses ("rename.mounted") if another filesystem is mounted below the directory: a folder cannot
// be renamed out of it. `mounts` is the text of /proc/self/mountinfo.
[[nodiscard]] Status check_mounts(std::string_view mounts, const std::string& root);

}  // namespace drydock::mover::rename
