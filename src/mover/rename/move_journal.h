// The durable state of a move: its plan and its journal.
//
// `vfolders.plan` contains every move (32 bytes each), then the scopes whose directory existed
// before, then the folders of layout 3 that existed before (16 bytes each). It never changes.
// `vfolders.journal` has one line a record: JSON, a blank, 16 hex digits of XXH3 over the JSON. A
// record is durable when append() returns. A last line that a crash cut off counts as not written.
// docs/formats/vfolders.md describes both. Not thread-safe; one process holds the journal.
#pragma once

#include "base/json.h"
#include "mover/rename/survey.h"
#include "os/files.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace drydock::mover::rename {

struct MovePlan {
    std::vector<Move> moves;   // sorted by scope, then folder
    std::vector<Id> scopes;    // sorted; directories that were there before
    std::vector<Id> standing;  // sorted; folders of layout 3 that were there before
};

// The first record: the volume, the size of the plan and its checksum.
struct MoveBegin {
    std::string root;
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t moves = 0;
    std::uint64_t scopes = 0;
    std::uint64_t standing = 0;
    std::string plan;                    // XXH3 of the three parts of the plan, in hex
    std::optional<std::string> version;  // version.txt as it was
    Ownership owner;
};

// The progress of a move, computed from its records.
struct MoveState {
    std::optional<MoveBegin> begin;
    std::uint64_t next = 0;         // the first move without a proof that it is done
    std::uint64_t moves_begun = 0;  // moves from here on were never begun
    bool is_moved = false;          // all folders are in their new places
    bool is_done = false;           // version.txt says so, too
    bool goes_back = false;
    std::uint64_t undo_end = 0;  // moves from here on are known to be taken back
    bool is_returned = false;
};

class MoveJournal {
public:
    // Opens the files in the directory and holds the journal. Makes directory and journal if
    // `makes`. Errors: "rename.nothing" if there is none; "rename.busy" if another process holds
    // it; "rename.journal" for a damaged record.
    [[nodiscard]] static Result<MoveJournal> open(const std::string& folder, bool makes);

    [[nodiscard]] const MoveState& state() const { return state_; }

    // Writes the plan, then the first record.
    [[nodiscard]] Status begin(const MovePlan& plan, MoveBegin begin);
    // Reads the plan. Error: "rename.journal" if its size or its checksum differs from the first
    // record.
    [[nodiscard]] Result<MovePlan> plan() const;

    [[nodiscard]] Status intend(std::uint64_t first, std::uint64_t last);
    [[nodiscard]] Status note_blocked(std::int64_t count);  // the next call begins at the front
    [[nodiscard]] Status note_moved();
    [[nodiscard]] Status note_done();
    [[nodiscard]] Status intend_back();
    [[nodiscard]] Status intend_undo(std::uint64_t first, std::uint64_t last);
    [[nodiscard]] Status note_returned();

    // Removes the plan and the journal. Moved folders stay moved.
    [[nodiscard]] Status remove();

private:
    MoveJournal(std::string folder, os::Fd file)
        : folder_(std::move(folder))
        , file_(std::move(file)) {}

    [[nodiscard]] std::string path() const { return folder_ + "/vfolders.journal"; }

    [[nodiscard]] std::string plan_path() const { return folder_ + "/vfolders.plan"; }

    Status append(const Json& record);
    Status replay();
    [[nodiscard]] tl::unexpected<Error> damaged(std::int64_t record) const;

    std::string folder_;
    os::Fd file_;
    MoveState state_;
    std::int64_t records_ = 0;
};

}  // namespace drydock::mover::rename
