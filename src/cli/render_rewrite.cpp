// The screen of `drydock store encrypt` and `rekey`.
//
// It names the next step in each case: how the old blobs are removed, how they are put back, and
// which blobs could not be read.
#include "base/text.h"
#include "cli/render.h"
#include "cli/render_store.h"
#include "cli/say.h"

namespace drydock::cli {

namespace {

constexpr std::size_t k_lines_max = 40;

std::string blobs(std::int64_t count) {
    return counted(static_cast<std::size_t>(count), "blob");
}

// Blobs that cannot be read keep their rows, so the store stays as it was for them.
std::string finding_lines(const mover::blocks::RewriteReport& report, const Screen& screen) {
    const auto& findings = report.findings;
    std::string text;
    for (std::size_t i = 0; i < findings.size() && i < k_lines_max; ++i) {
        text += hang("  ", findings[i].error.message, screen.width);
    }
    return text.empty() ? ""
                        : say("{}: {} cannot be read; the rows stay as they are\n{}",
                              screen.paint(Tone::bad, "damage"),
                              blobs(report.blobs_left),
                              text);
}

// After a rewrite the old blobs still exist, and both commands that end this state are named.
std::string old_line(const app::StoreRewritten& answer) {
    if (!answer.frees_old) {
        return say("the old blobs are all there: --free-old removes them once all is "
                   "verified, --back takes them again\njournal: {}\n",
                   answer.journal);
    }
    return say("verified {}; removed {} old ones ({}), kept {} that are still named\n",
               blobs(answer.freed.verdict.blobs),
               answer.freed.blobs_freed,
               show_bytes(answer.freed.freed_bytes),
               answer.freed.blobs_kept);
}

}  // namespace

// One of three texts: the count of a dry run, the result of going back, or that of a rewrite.
std::string render_rewritten(const app::StoreRewritten& answer, const Screen& screen) {
    if (answer.dry_run) {
        return say("would look at {} and rewrite those that need it\njournal: {}\n",
                   blobs(answer.to_do),
                   answer.journal);
    }
    if (answer.goes_back) {
        return say("{}: the rows name the old blobs again; {} removed\n",
                   screen.paint(Tone::good, "taken back"),
                   blobs(answer.back_report.blobs));
    }
    const mover::blocks::RewriteReport& report = answer.report;
    return say("{}: {} rewritten in {}, {} of plain blocks, {} of new blobs{}\n",
               report.findings.empty() ? screen.paint(Tone::good, "done")
                                       : screen.paint(Tone::bad, "done in part"),
               blobs(report.blobs),
               counted(static_cast<std::size_t>(report.batches), "transaction"),
               show_bytes(report.bytes),
               show_bytes(report.new_bytes),
               report.is_resumed ? "; resumed" : "")
           + old_line(answer) + finding_lines(report, screen);
}

}  // namespace drydock::cli
