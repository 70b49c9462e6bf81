// The history of a rewrite by its journal, and the ways that remain.
#pragma once

#include "mover/blocks/rewrite.h"
#include "mover/blocks/rewrite_rows.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace drydock::mover::blocks {

struct History {
    bool has_begun = false;
    bool is_freeing = false;
    bool goes_back = false;
};

struct JournalState {
    RewriteJournal journal;
    History history;
};

// Opens the journal and writes nothing. Errors: those of the journal; "blocks.journal" if it is for
// other work.
[[nodiscard]] Result<JournalState> open_old_journal(const Store& store,
                                                    const RewriteRequest& request);
// Opens the journal, and begins one where there is none.
[[nodiscard]] Result<JournalState> open_journal(const Store& store, const RewriteRequest& request);

// Calls `take` for each record `proved`, the last record of a batch with blobs.
[[nodiscard]] Status each_proved(const RewriteJournal& journal,
                                 const std::function<Status(const Record&)>& take);

// Returns the row as it was before the rewrite; nothing if no row names the new blob.
[[nodiscard]] Result<std::optional<BlockRow>> old_row(RewriteRows& rows, const RewrittenBlob& blob);

struct OldBlobs {
    std::int64_t lost = 0;
    std::optional<Error> first;  // error of the first lost blob
};

// Reads every old blob that the way back needs.
[[nodiscard]] Result<OldBlobs>
read_old_blobs(Store& store, const RewriteRequest& request, const RewriteJournal& journal);

// Returns the error "blocks.freed".
[[nodiscard]] tl::unexpected<Error> way_back_lost(std::int64_t blobs, const std::string& example);
// Errors: "blocks.nothing", "blocks.freed".
[[nodiscard]] Status check_can_go_back(const History& history);
// Error: "blocks.journal" if all is being taken back. Forward is the only way once the other one is
// lost in its middle.
[[nodiscard]] Status
check_forward(Store& store, const RewriteRequest& request, const JournalState& state);

}  // namespace drydock::mover::blocks
