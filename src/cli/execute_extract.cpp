// The commands of `drydock extract`, which read a file and ask no cluster.
//
// `inspect` ends with 1 if the file could not be read to its end; `verify` also if anything is
// wrong with the content or differs from the counts.
#include "cli/command.h"
#include "cli/store_progress.h"

namespace drydock::cli {

// Shows progress as `work` tells it, then returns its answer.
template <class Work>
auto Command::with_extract_progress(const char* verb, Work work) {
    const bool is_live = console_.terminal && !invocation_.json;
    StoreProgressLine line(
        is_live ? console_.output : console_.errors, console_.clock, is_live, verb);
    StoreProgressFile file(progress_path(), console_.clock);
    auto answer = work([&](std::int64_t done, std::int64_t total) {
        line.show({done, total, "bytes", 0});
        file.write({done, total, "bytes", 0});
    });
    line.clear();
    return answer;
}

int Command::inspect_extract() {
    const auto answer = with_extract_progress("inspect", [&](const auto& tell) {
        return app::inspect_extract(invocation_.extract_file, tell);
    });
    const int exit_code = show(
        answer, [&](const auto& inspection) { return render_inspection(inspection, screen_); });
    return answer && answer->damage ? app::k_exit_no : exit_code;
}

int Command::verify_extract() {
    const auto answer = with_extract_progress("verify", [&](const auto& tell) {
        return app::verify_extract(invocation_.extract_file, invocation_.against, tell);
    });
    const int exit_code = show(
        answer, [&](const auto& verified) { return render_extract_verified(verified, screen_); });
    const bool is_wrong = answer && answer->comparison.verdict == extract::Verdict::wrong;
    return is_wrong ? app::k_exit_no : exit_code;
}

}  // namespace drydock::cli
