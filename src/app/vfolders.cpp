// The command `drydock vfolders move`: the folders of a Backend.AI volume, between two layouts.
//
// Chooses the journal of the move and one of its four operations: look, move, move back, finish.
// The engine in mover/rename does the work and can be resumed.
#include "app/vfolders.h"

#include "agent/action.h"
#include "app/internal.h"

namespace drydock::app {
namespace {

namespace rename = mover::rename;

// True if the error is a failure to read or write. All other errors are refusals.
bool is_trouble(const Error& error) {
    return error.code.starts_with("os.") || error.code == "rename.read"
           || error.code == "rename.move";
}

// The volume's real path decides, so that two paths to one volume share a journal.
std::string journal_of(const rename::MoveRequest& request) {
    if (!request.folder.empty()) {
        return request.folder;
    }
    const std::string real = os::real_path_of(request.root);
    return (real.empty() ? request.root : real) + ".drydock";
}

Result<rename::MoveReport> report_of(const VfoldersRequest& request,
                                     const rename::MoveRequest& move) {
    if (request.goes_back) {
        return rename::move_back(move);
    }
    return request.dry_run ? rename::look(move) : rename::move(move);
}

Result<VfoldersMoved> work(const VfoldersRequest& request) {
    rename::MoveRequest move = request.move;
    move.folder = journal_of(move);
    VfoldersMoved answer;
    answer.goes_back = request.goes_back;
    answer.finishes = request.finishes;
    answer.dry_run = request.dry_run;
    answer.journal = move.folder;
    if (request.finishes) {
        DRYDOCK_TRY_ASSIGN(answer.finished, rename::finish(move));
    } else {
        DRYDOCK_TRY_ASSIGN(answer.report, report_of(request, move));
    }
    return answer;
}

}  // namespace

AppResult<VfoldersMoved> move_vfolders(const VfoldersRequest& request) {
    auto answer = work(request);
    if (!answer && answer.error().code == "rename.paused") {
        return refuse(answer.error(), agent::k_exit_paused);
    }
    if (!answer) {
        return refuse(answer.error(), is_trouble(answer.error()) ? k_exit_usage : k_exit_no);
    }
    return std::move(*answer);
}

}  // namespace drydock::app
