// The screen of `drydock vfolders move`, and its JSON (docs/formats/vfolders.md).
//
// Findings are printed even when nothing was moved, because they are the reasons of a refusal. Each
// kind of finding has its words in one table.
#include "cli/render_vfolders.h"

#include "cli/render.h"
#include "cli/say.h"

namespace drydock::cli {

namespace {

namespace rename = mover::rename;
using rename::FindingKind;

constexpr std::size_t k_lines_max = 20;

struct FindingWords {
    FindingKind kind;
    const char* words;
};

// The order is that of the screen.
constexpr FindingWords k_findings[] = {
    {FindingKind::collision, "in the old place and in the new one"},
    {FindingKind::elsewhere, "in layout 3 under another scope than the list says"},
    {FindingKind::not_directory, "a file or link with the name of a directory"},
    {FindingKind::unlisted, "in layout 2 and not in the list"},
    {FindingKind::missing, "in the list and nowhere below the volume"},
    {FindingKind::other, "names of neither layout; they stay"},
    {FindingKind::owner, "directories of scopes that belong to another user"},
    {FindingKind::newer, "made in layout 3 since the move"},
};

std::string folders(std::int64_t count) {
    return counted(static_cast<std::size_t>(count), "folder");
}

// Names the first paths of each kind and counts the rest.
std::string finding_lines(const rename::Findings& findings) {
    std::string text;
    for (const FindingWords& kind_words : k_findings) {
        const rename::Finding& finding = findings.of(kind_words.kind);
        if (finding.count == 0) {
            continue;
        }
        text +=
            say("{}: {} ({})\n", rename::name_of(kind_words.kind), finding.count, kind_words.words);
        for (std::size_t i = 0; i < finding.paths.size() && i < k_lines_max; ++i) {
            text += say("  {}\n", finding.paths[i]);
        }
        if (static_cast<std::size_t>(finding.count) > k_lines_max) {
            text += "  ...\n";
        }
    }
    return text;
}

// The option is named only where it would help.
std::string refused_line(const app::VfoldersMoved& answer, const Screen& screen) {
    const bool has_strays = answer.report.findings.of(FindingKind::unlisted).count > 0
                            || answer.report.findings.of(FindingKind::newer).count > 0;
    return say("{}: nothing was moved{}\n",
               screen.paint(Tone::bad, "refused"),
               has_strays ? "; --leave-unlisted leaves folders without a place where they "
                            "are"
                          : "");
}

// A move that was interrupted has a journal, so a dry run tells how far it came.
std::string dry_line(const rename::MoveReport& report) {
    if (report.is_done) {
        return say("done: {} are in their places\n--back takes it back, --finish closes that\n",
                   folders(report.folders));
    }
    return report.is_resumed ? say("under way: {} of {} are known to be in their places\n",
                                   report.already_moved,
                                   folders(report.folders))
                             : say("would move {}; {} in place already\n",
                                   folders(report.folders),
                                   report.in_place);
}

// The commands that finish or revert the move are named while both are possible.
std::string moved_line(const app::VfoldersMoved& answer, const Screen& screen) {
    const rename::MoveReport& report = answer.report;
    const std::string word = !report.is_done    ? screen.paint(Tone::bad, "done in part")
                             : answer.goes_back ? screen.paint(Tone::good, "taken back")
                                                : screen.paint(Tone::good, "done");
    std::string text =
        say("{}: {} moved{}{}\n",
            word,
            folders(report.moved),
            report.already_moved > 0 ? say(", {} were there", report.already_moved) : "",
            report.is_resumed && !answer.goes_back ? "; resumed" : "");
    if (report.blocked > 0) {
        text += say("{} stay: their name is taken. Clear it, and say it again\n",
                    folders(report.blocked));
    }
    if (report.vanished > 0) {
        text += say("{} are in neither place any more\n", folders(report.vanished));
    }
    if (report.is_done && !answer.goes_back) {
        text += say("--back takes it back, --finish closes that\njournal: {}\n", answer.journal);
    }
    return text;
}

Json json_of_findings(const rename::Findings& findings) {
    Json json = Json::Object{};
    for (const FindingWords& kind_words : k_findings) {
        const rename::Finding& finding = findings.of(kind_words.kind);
        Json paths = Json::Array{};
        for (const std::string& path : finding.paths) {
            paths.push(path);
        }
        Json entry;
        entry.set("count", finding.count).set("paths", std::move(paths));
        json.set(rename::name_of(kind_words.kind), std::move(entry));
    }
    return json;
}

}  // namespace

// The result comes first, then the findings that explain it.
std::string render_vfolders(const app::VfoldersMoved& answer, const Screen& screen) {
    if (answer.finishes) {
        return say("{}: {} empty directories of layout 2 removed; there is no way back\n",
                   screen.paint(Tone::good, "finished"),
                   answer.finished.removed);
    }
    const rename::MoveReport& report = answer.report;
    const std::string first = report.is_refused ? refused_line(answer, screen)
                              : answer.dry_run  ? dry_line(report)
                                                : moved_line(answer, screen);
    return first + finding_lines(report.findings);
}

Json json_of(const app::VfoldersMoved& answer) {
    const rename::MoveReport& report = answer.report;
    Json json;
    json.set("folders", report.folders).set("listed", report.listed);
    json.set("in_place", report.in_place)
        .set("moved", report.moved)
        .set("there", report.already_moved);
    json.set("blocked", report.blocked).set("gone", report.vanished);
    json.set("directories", report.directories).set("batches", report.batches);
    json.set("resumed", report.is_resumed).set("refused", report.is_refused);
    json.set("done", report.is_done).set("back", answer.goes_back);
    json.set("removed", answer.finished.removed).set("dry_run", answer.dry_run);
    json.set("findings", json_of_findings(report.findings));
    return json.set("journal", answer.journal);
}

}  // namespace drydock::cli
