// The use cases of `drydock vfolders`: the folders of a volume of Backend.AI, moved from layout 2
// to 3 and back. No cluster is asked.
//
// Exit codes of failures: 1 for refusals, 2 for unreadable input, 75 if it was asked to stop and
// did.
#pragma once

#include "app/app.h"
#include "mover/rename/move.h"

#include <cstdint>
#include <functional>
#include <string>

namespace drydock::app {

struct VfoldersRequest {
    mover::rename::MoveRequest move;  // `folder` may be empty: `<root>.drydock`
    bool goes_back = false;
    bool finishes = false;
    bool dry_run = false;
};

struct VfoldersMoved {
    mover::rename::MoveReport report;
    mover::rename::FinishReport finished;
    bool goes_back = false;
    bool finishes = false;
    bool dry_run = false;
    std::string journal;  // its directory
};

// All servers that use the volume must be stopped during the move.
[[nodiscard]] AppResult<VfoldersMoved> move_vfolders(const VfoldersRequest& request);

}  // namespace drydock::app
