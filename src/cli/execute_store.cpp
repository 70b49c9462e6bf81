// The commands of `drydock store`, which work on a store of backy2 and on no cluster.
//
// Long work shows its progress in two places: a line for people, and the file of DRYDOCK_PROGRESS
// if the command is an action of a run. Damage has the exit code 1, whatever was printed.
#include "cli/command.h"
#include "cli/render_store.h"
#include "cli/store_progress.h"
#include "os/stop_request.h"

#include <unistd.h>

namespace drydock::cli {

app::StoreRequest Command::store_request() const {
    return {invocation_.store,
            invocation_.key_file,
            invocation_.other_key_file,
            static_cast<std::size_t>(invocation_.workers)};
}

// Shows progress as `work` tells it, then its answer.
template <class Work>
auto Command::with_store_progress(const char* verb, Work work) {
    const bool is_live = console_.terminal && !invocation_.json;
    StoreProgressLine line(
        is_live ? console_.output : console_.errors, console_.clock, is_live, verb);
    StoreProgressFile file(progress_path(), console_.clock);
    auto answer = work([&](const app::StoreProgress& progress) {
        line.show(progress);
        file.write(progress);
    });
    line.clear();
    return answer;
}

// Rows of no version and a half-done upgrade count as damage, too.
int Command::inspect_store() {
    const auto answer = app::inspect_store(store_request(), invocation_.only_schema);
    const int exit_code = show(answer, [&](const auto& inspection) {
        return invocation_.only_schema ? render_schema(inspection.schema, screen_)
                                       : render_inspection(inspection, screen_);
    });
    const bool has_damage =
        answer
        && (!answer->whole() || answer->orphan_rows > 0 || !answer->schema.half_done.empty());
    return has_damage ? app::k_exit_no : exit_code;
}

// Rows of no version are damage, although every version can be restored.
int Command::verify_store() {
    const auto answer = with_store_progress(
        "verify", [&](const auto& tell) { return app::verify_store(store_request(), tell); });
    const int exit_code = show(
        answer, [&](const auto& verified) { return render_store_verified(verified, screen_); });
    const bool has_damage = answer && (!answer->verdict.whole() || answer->verdict.orphan_rows > 0);
    return has_damage ? app::k_exit_no : exit_code;
}

// With `-o -` the image goes to stdout, so every word for people goes to stderr.
int Command::restore_from_store() {
    const bool is_stream = invocation_.output == "-";
    mover::blocks::RestoreRequest restore_request;
    restore_request.version = invocation_.version;
    restore_request.path = is_stream ? "" : invocation_.output;
    restore_request.descriptor = STDOUT_FILENO;
    restore_request.replaces = invocation_.replaces;
    restore_request.allows_holes = invocation_.allows_holes;
    if (is_stream && console_.terminal) {
        return refuse_use("an image does not go to a terminal", "say -o FILE, or pipe it on");
    }
    const auto answer = with_store_progress("restore", [&](const auto& tell) {
        return app::restore_from_store(store_request(), restore_request, tell);
    });
    if (!answer) {
        return is_stream ? refuse_on_stderr(answer.error()) : refuse(answer.error());
    }
    std::ostream& stream = is_stream ? console_.errors : console_.output;
    stream << (invocation_.json ? json_of(*answer).pretty() + "\n"
                                : render_restored(*answer,
                                                  is_stream ? "stdout" : restore_request.path,
                                                  screen_));
    return answer->whole() ? app::k_exit_done : app::k_exit_no;
}

int Command::export_from_store() {
    const auto answer =
        app::export_from_store(store_request(), invocation_.version, invocation_.output);
    return show(answer, [&](const auto& report) {
        return render_exported(report, invocation_.output, screen_);
    });
}

int Command::import_to_store() {
    const auto answer = app::import_to_store(store_request(), invocation_.import_file);
    return show(answer, [&](const auto& report) { return render_imported(report, screen_); });
}

int Command::upgrade_store() {
    const auto answer = app::upgrade_store({store_request(),
                                            invocation_.undo,
                                            invocation_.dry_run,
                                            invocation_.copy,
                                            invocation_.copy_to_restore,
                                            invocation_.keep_as,
                                            invocation_.copy_only});
    return show(answer, [&](const auto& upgraded) { return render_upgraded(upgraded, screen_); });
}

// Blobs that could not be read are findings: the rest was rewritten, and the exit code is 1.
int Command::rewrite_store(mover::blocks::RewriteWork work) {
    const app::StoreRewriteRequest request = {store_request(),
                                              work,
                                              invocation_.new_key_file,
                                              invocation_.journal,
                                              static_cast<std::size_t>(invocation_.batch),
                                              invocation_.frees_old,
                                              invocation_.goes_back,
                                              invocation_.dry_run,
                                              invocation_.is_quick,
                                              os::is_stop_requested};
    os::accept_stop_requests();
    const auto answer = with_store_progress(
        "rewrite", [&](const auto& tell) { return app::rewrite_store(request, tell); });
    const int exit_code =
        show(answer, [&](const auto& rewritten) { return render_rewritten(rewritten, screen_); });
    return answer && !answer->report.findings.empty() ? app::k_exit_no : exit_code;
}

// Refuses on stderr even in JSON, because stdout holds the bytes of an image.
int Command::refuse_on_stderr(const app::Failure& failure) {
    const FailureContext context = {invocation_.command, cluster_file_, {}};
    console_.errors << (invocation_.json ? json_of(failure).dump() + "\n"
                                         : render_failure(failure, context, screen_));
    return failure.exit_code;
}

}  // namespace drydock::cli
