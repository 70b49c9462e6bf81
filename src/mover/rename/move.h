// Moves the folders of a volume from layout 2 to layout 3, and back.
//
// Every folder is renamed by itself, so it is in exactly one place at every instant. The journal
// has the intent of a batch before its first rename. After the batch the filesystem is synced. A
// killed move goes on where it was, and looks again at one batch. All servers that use the volume
// are stopped meanwhile. Memory: 56 bytes for each folder.
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
    bool leaves_unlisted =
        false;  // folders without a place in the other layout stay where they are
    std::function<void(std::int64_t folders, std::int64_t total)> on_progress;
    // Asked between two batches; may be empty. Once it is true, the move ends with "rename.paused",
    // and the same call goes on.
    std::function<bool()> is_to_stop = {};
};

struct MoveReport {
    std::int64_t folders = 0;        // folders of the plan
    std::int64_t listed = 0;         // in the list; 0 for a resumed move
    std::int64_t in_place = 0;       // in their new place before the move
    std::int64_t moved = 0;          // by this call
    std::int64_t already_moved = 0;  // already in their place, found by this call
    std::int64_t blocked = 0;        // kept in the old place: another file has their name
    std::int64_t vanished = 0;       // in neither place any more
    std::int64_t directories = 0;    // made by this call
    std::int64_t batches = 0;
    bool is_resumed = false;
    bool is_refused = false;  // findings forbid the move; nothing was moved
    bool is_done = false;     // every folder is in its place, and version.txt says so
    Findings findings;        // of the survey
};

// Compares list and tree, and changes nothing. Errors: those of move() without the errors of
// renames.
[[nodiscard]] Result<MoveReport> look(const MoveRequest& request);

// Begins a move, or goes on with one. Errors: "rename.list", "rename.read", "rename.mounted",
// "rename.journal", "rename.busy", "rename.goes_back", "rename.move". Further: "rename.owner" (new
// directories would belong to another user), "rename.version" (version.txt names another layout),
// "rename.done" (the finished move had another list), "rename.paused".
[[nodiscard]] Result<MoveReport> move(const MoveRequest& request);

// Renames every folder back, restores version.txt and removes the journal. Folders of layout 3 that
// were made since refuse it, unless they stay. Errors: the same, and "rename.nothing".
[[nodiscard]] Result<MoveReport> move_back(const MoveRequest& request);

struct FinishReport {
    std::int64_t removed = 0;  // empty directories of layout 2
};

// Removes the empty directories of layout 2, plan and journal: there is no way back behind it.
// Errors: "rename.nothing"; "rename.unfinished" if folders are not in their places yet.
[[nodiscard]] Result<FinishReport> finish(const MoveRequest& request);

}  // namespace drydock::mover::rename
