// The screens of trees of files. The verdict comes first, then its reasons by path.
#include "cli/render_trees.h"

#include "base/text.h"
#include "cli/render.h"
#include "cli/say.h"
#include "cli/visible.h"

namespace drydock::cli {

namespace {

namespace tree = mover::tree;

constexpr std::size_t k_lines_max = 20;

std::string things(std::int64_t count, const char* thing) {
    return counted(static_cast<std::size_t>(count), thing);
}

std::string problem_lines(const char* title, const tree::ProblemList& list) {
    if (list.count == 0) {
        return "";
    }
    std::string text = say("{}: {}\n", std::string(title), list.count);
    for (std::size_t i = 0; i < list.first.size() && i < k_lines_max; ++i) {
        const std::string& path = list.first[i].path;
        text += say("  {}: {}\n", path.empty() ? "." : path, list.first[i].message);
    }
    return text + (static_cast<std::size_t>(list.count) > k_lines_max ? "  ...\n" : "");
}

Json json_of(const tree::ProblemList& list) {
    Json first = Json::Array{};
    for (const tree::Problem& problem : list.first) {
        Json entry;
        entry.set("path", visible(problem.path)).set("code", problem.code);
        first.push(entry.set("message", visible(problem.message)));
    }
    Json json;
    return json.set("count", list.count).set("first", std::move(first));
}

std::string kept_line(const tree::CopyReport& report) {
    return report.resumed ? say("went on where an earlier run ended, which had copied {} ({})\n",
                                things(report.kept, "file"),
                                show_bytes(report.kept_bytes))
                          : std::string();
}

// What each process of a team did.
std::string rank_lines(const tree::CopyReport& report) {
    std::string text;
    for (std::size_t rank = 0; rank < report.ranks.size(); ++rank) {
        const tree::RankReport& done = report.ranks[rank];
        text += say("rank {} on {}: {}, {} read\n",
                    rank,
                    done.host,
                    things(done.files, "file"),
                    show_bytes(done.bytes));
    }
    return text;
}

Json json_of(const std::vector<tree::RankReport>& ranks) {
    Json list = Json::Array{};
    for (const tree::RankReport& done : ranks) {
        Json entry;
        entry.set("host", visible(done.host)).set("files", done.files);
        list.push(entry.set("bytes", done.bytes));
    }
    return list;
}

std::string dry_run_lines(const app::TreeCopied& answer) {
    std::string text = say("would copy up to {} in {}; nothing was written\n",
                           show_bytes(static_cast<std::int64_t>(answer.need.bytes)),
                           things(static_cast<std::int64_t>(answer.need.inodes), "entry"));
    text += problem_lines("would be removed at the target", answer.report.removed);
    text += problem_lines("failed", answer.report.failures);
    return text
           + (answer.is_unconfirmed ? say("if that is right, type it again with --yes\n") : "");
}

}  // namespace

std::string render_tree_copied(const app::TreeCopied& answer, const Screen& screen) {
    const tree::CopyReport& report = answer.report;
    if (answer.dry_run) {
        return dry_run_lines(answer);
    }
    std::string text = say("{}: {} ({}), {} equal before; {}, {}, {}, {}\n",
                           report.is_whole() ? screen.paint(Tone::good, "copied")
                                             : screen.paint(Tone::bad, "copied in part"),
                           things(report.copied, "file"),
                           show_bytes(report.bytes),
                           report.equal,
                           things(report.folders, "folder"),
                           things(report.links, "link"),
                           things(report.specials, "special file"),
                           things(report.names, "further name"));
    text += kept_line(report);
    text += report.profile.empty() ? "" : say("profile: {}\n", report.profile);
    text += rank_lines(report);
    text += problem_lines("removed at the target", report.removed);
    text += problem_lines("failed", report.failures);
    text += problem_lines("changed while they were copied", report.changed);
    text += problem_lines("at the target with other content, and left (--replace)", report.differ);
    text += problem_lines("not taken by the target", report.refused);
    return text + say("journal: {}\n", answer.journal);
}

std::string render_tree_compared(const tree::Compared& answer, const Screen& screen) {
    std::string text = say("{}: {} of {}\n",
                           answer.is_equal() ? screen.paint(Tone::good, "equal")
                                             : screen.paint(Tone::bad, "not equal"),
                           answer.equal,
                           things(answer.entries, "entry"));
    text += problem_lines("missing at the target", answer.missing);
    text += problem_lines("differ", answer.differ);
    text += problem_lines("at the target only", answer.extra);
    return text + problem_lines("could not be read", answer.unread);
}

std::string render_tree_manifest(const tree::ManifestReport& answer) {
    std::string text = say("{} ({})\n", things(answer.entries, "entry"), show_bytes(answer.bytes));
    text += problem_lines("could not be read, and left out", answer.failures);
    return text + problem_lines("changed while they were read", answer.changed);
}

Json json_of(const app::TreeCopied& answer) {
    const tree::CopyReport& report = answer.report;
    Json json;
    json.set("source", visible(answer.source)).set("target", visible(answer.target));
    json.set("journal", visible(answer.journal)).set("dry_run", answer.dry_run);
    json.set("whole", report.is_whole()).set("resumed", report.resumed);
    json.set("files", report.files).set("folders", report.folders).set("links", report.links);
    json.set("specials", report.specials).set("names", report.names);
    json.set("copied", report.copied).set("bytes", report.bytes).set("equal", report.equal);
    json.set("kept", report.kept).set("kept_bytes", report.kept_bytes);
    json.set("profile", report.profile);
    json.set("threads", report.threads).set("ranks", json_of(report.ranks));
    json.set("unconfirmed", answer.is_unconfirmed)
        .set("restored", report.restored)
        .set("removed", json_of(report.removed));
    json.set("need_bytes", answer.need.bytes).set("need_entries", answer.need.inodes);
    json.set("differ", json_of(report.differ)).set("refused", json_of(report.refused));
    return json.set("changed", json_of(report.changed)).set("failures", json_of(report.failures));
}

Json json_of(const tree::Compared& answer) {
    Json json;
    json.set("equal", answer.is_equal()).set("entries", answer.entries);
    json.set("equal_entries", answer.equal).set("missing", json_of(answer.missing));
    json.set("extra", json_of(answer.extra)).set("differ", json_of(answer.differ));
    return json.set("unread", json_of(answer.unread));
}

Json json_of(const tree::ManifestReport& answer) {
    Json json;
    json.set("entries", answer.entries).set("bytes", answer.bytes);
    return json.set("failures", json_of(answer.failures)).set("changed", json_of(answer.changed));
}

}  // namespace drydock::cli
