// Moves the folders of a volume from layout 2 to layout 3, and back.
//
// Each folder is renamed separately, so at every instant it is in exactly one place. The journal
// has the intent of a batch before its first rename. After the batch the filesystem is synced. A
// killed move resumes at the batch that was under way, and checks each folder of it again. All
// servers that use the volume are stopped meanwhile. Memory: 56 bytes for each folder.
#pragma once

#include "mover/rename/survey.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace drydock::mover::rename {

struct MoveRequest {
    std::string root;          // of the volume
    std::string list;          // a file (move_list.h); may be empty where a move is under way
    std::string folder;        // of the journal
    std::size_t batch = 8192;  // folders a batch
    // Folders without a place in the other layout stay in their present one.
    bool leaves_unlisted = false;
    std::function<void(std::int64_t folders, std::int64_t all)> progressed;
};

struct MoveReport {
    std::int64_t folders = 0;      // to be moved in all
    std::int64_t listed = 0;       // in the list; 0 for a resumed move
    std::int64_t in_place = 0;     // of them in their new place before the move
    std::int64_t moved = 0;        // by this call
    std::int64_t there = 0;        // in their new place already when this call came to them
    std::int64_t blocked = 0;      // with an occupied new place: they stay in their old place
    std::int64_t gone = 0;         // in neither place any more
    std::int64_t directories = 0;  // made by this call
    std::int64_t batches = 0;
    bool is_resumed = false;
    bool is_refused = false;  // findings forbid the move; nothing was moved
    bool is_done = false;     // every folder is in its place, and version.txt says so
    Findings findings;        // of the survey
};

// Compares the list with the tree and changes nothing. Errors: those of move() but the ones of
// renames.
[[nodiscard]] Result<MoveReport> look(const MoveRequest& request);

// Begins a move or resumes one. Errors: "rename.list", "rename.read", "rename.mounted",
// "rename.owner" (new directories would belong to another user), "rename.version" (version.txt
// names another layout), "rename.journal", "rename.busy", "rename.goes_back", "rename.move".
[[nodiscard]] Result<MoveReport> move(const MoveRequest& request);

// Renames every folder back, restores version.txt and removes the journal. Folders of layout 3 that
// were made since the move refuse it, unless they may stay. Errors: those of move(), and
// "rename.nothing".
[[nodiscard]] Result<MoveReport> move_back(const MoveRequest& request);

struct FinishReport {
    std::int64_t removed = 0;  // empty directories of layout 2
};

// Removes the empty directories of layout 2, the plan and the journal: after that no way back
// exists. Errors: "rename.nothing"; "rename.unfinished" if some folder is not in its new place.
[[nodiscard]] Result<FinishReport> finish(const MoveRequest& request);

}  // namespace drydock::mover::rename
