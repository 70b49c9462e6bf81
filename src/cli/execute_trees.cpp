// The commands `drydock copy`, `verify` and `manifest` on folders.
#include "cli/command.h"
#include "cli/launch.h"
#include "cli/store_progress.h"
#include "os/stop_request.h"

namespace drydock::cli {

namespace {

// Returns what shows the progress of a walk through entries.
std::function<void(const mover::tree::Progress&)> teller(WalkProgressView& view) {
    return [&view](const mover::tree::Progress& walk) {
        view.show({walk.entries, app::k_unknown_total, "entries", 0, walk.bytes});
    };
}

}  // namespace

app::TreeChoice Command::tree_choice() const {
    app::TreeChoice choice;
    choice.digest = invocation_.digest;
    choice.jobs = invocation_.jobs;
    choice.stays_on_file_system = invocation_.one_file_system;
    choice.excluded = invocation_.excluded;
    choice.included = invocation_.included;
    return choice;
}

// What failed, was refused or left makes the exit code 1.
int Command::copy_tree() {
    if (!invocation_.nodes.empty() && console_.team == nullptr) {
        return refuse({app::k_exit_usage, {launch_nodes(invocation_, console_.program)}});
    }
    WalkProgressView progress(console_, invocation_.json, "copy");
    app::TreeCopyRequest request;
    request.source = invocation_.source;
    request.target = invocation_.target;
    request.journal = invocation_.journal;
    request.manifest = invocation_.manifest;
    request.choice = tree_choice();
    request.choice.progressed = teller(progress);
    request.replaces = invocation_.replaces;
    request.is_durable = !invocation_.no_sync;
    request.dry_run = invocation_.dry_run;
    request.removes_extra = invocation_.removes_extra;
    request.attributes = invocation_.attributes;
    request.is_sure = invocation_.is_sure;
    request.bytes_per_second = invocation_.bytes_per_second;
    request.is_to_stop = os::is_stop_requested;
    request.team = console_.team;
    os::accept_stop_requests();
    const auto answer = app::copy_tree(request);
    progress.clear();
    const int exit_code =
        show(answer, [&](const auto& copied) { return render_tree_copied(copied, screen_); });
    const bool is_done = answer && answer->report.is_whole() && !answer->is_unconfirmed;
    return answer && !is_done ? app::k_exit_no : exit_code;
}

int Command::verify_trees() {
    WalkProgressView progress(console_, invocation_.json, "verify");
    app::TreeVerifyRequest request;
    request.source = invocation_.source;
    request.target = invocation_.target;
    request.choice = tree_choice();
    request.choice.progressed = teller(progress);
    request.reads_disk = invocation_.reads_disk;
    const auto answer = app::verify_trees(request);
    progress.clear();
    const int exit_code =
        show(answer, [&](const auto& compared) { return render_tree_compared(compared, screen_); });
    return answer && !answer->is_equal() ? app::k_exit_no : exit_code;
}

int Command::write_tree_manifest() {
    WalkProgressView progress(console_, invocation_.json, "manifest");
    app::TreeManifestRequest request;
    request.source = invocation_.source;
    request.output = invocation_.output;
    request.choice = tree_choice();
    request.choice.progressed = teller(progress);
    request.reads_disk = invocation_.reads_disk;
    const auto answer = app::write_tree_manifest(request);
    progress.clear();
    const int exit_code =
        show(answer, [](const auto& report) { return render_tree_manifest(report); });
    return answer && answer->failures.count > 0 ? app::k_exit_no : exit_code;
}

}  // namespace drydock::cli
