// The command `drydock vfolders move`, which works on a volume of Backend.AI and on no cluster.
//
// It fills in the request, shows progress as the commands of `drydock store` do, and turns the
// report into an exit code.
#include "cli/command.h"
#include "cli/store_progress.h"
#include "os/stop_request.h"

namespace drydock::cli {

// A dry run describes the way there only: the way back follows its journal, and has no choices.
int Command::move_vfolders() {
    app::VfoldersRequest request;
    request.move = {.root = invocation_.volume,
                    .list = invocation_.list,
                    .folder = invocation_.journal,
                    .batch = invocation_.move_batch,
                    .leaves_unlisted = invocation_.leaves_unlisted,
                    .on_progress = {},
                    .is_to_stop = os::is_stop_requested};
    request.goes_back = invocation_.goes_back;
    request.finishes = invocation_.finishes;
    request.dry_run = invocation_.dry_run;
    if (invocation_.dry_run && (invocation_.goes_back || invocation_.finishes)) {
        return refuse_use("--dry-run is of the way there", "leave it out, or --back and --finish");
    }
    const bool is_live = console_.terminal && !invocation_.json;
    StoreProgressLine line(
        is_live ? console_.output : console_.errors, console_.clock, is_live, "move");
    StoreProgressFile file(progress_path(), console_.clock);
    request.move.on_progress = [&](std::int64_t folders, std::int64_t total) {
        line.show({folders, total, "folders", 0});
        file.write({folders, total, "folders", 0});
    };
    os::accept_stop_requests();
    const auto answer = app::move_vfolders(request);
    line.clear();
    const int exit_code =
        show(answer, [&](const auto& moved) { return render_vfolders(moved, screen_); });
    // A move that left folders in their old place is no success.
    const bool is_no = answer && (answer->report.is_refused || answer->report.blocked > 0);
    const bool has_lost = answer && answer->report.vanished > 0;
    return is_no || has_lost ? app::k_exit_no : exit_code;
}

}  // namespace drydock::cli
