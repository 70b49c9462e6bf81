// The screen of `chain`: the verdict, both packages, what happens, the repair, then the revisions.
//
// The order is that of a reader in a hurry. Lists are cut after k_ids_max lines, since two packages
// may differ by hundreds of revisions; --json has all.
#include "base/text.h"
#include "cli/render.h"
#include "cli/say.h"

namespace drydock::cli {

namespace {

using chain::Verdict;

constexpr std::size_t k_ids_max = 40;  // lines of one list; --json has all

Tone tone_of(Verdict verdict) {
    return verdict == Verdict::clean     ? Tone::good
           : verdict == Verdict::refused ? Tone::bad
                                         : Tone::warn;
}

// Shows one package. The database's heads decide everything, so they are named.
std::string side_line(const char* name, const chain::Reading& reading) {
    const auto& graph = reading.graph;
    return say("  {}  {}\n       {} in {}, {}: {}\n",
               name,
               reading.package,
               counted(graph.revisions.size(), "revision"),
               graph.environment.empty() ? "no environment" : graph.environment,
               graph.heads().size() == 1 ? "head" : "heads",
               graph.revisions.empty() ? "none" : join(graph.heads(), ", "));
}

std::string sentences(const char* title,
                      const std::vector<std::string>& texts,
                      const Screen& screen,
                      bool are_numbered) {
    std::string text;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        text += hang(are_numbered ? say("  {}. ", i + 1) : "  ", texts[i], screen.width);
    }
    return text.empty() ? "" : say("\n{}\n", title) + text;
}

// A revision that only the old package has is looked up there, for its title.
std::string revision_lines(const std::string& title,
                           const std::vector<std::string>& ids,
                           const app::ChainAnswer& answer,
                           const Screen& screen) {
    std::string text;
    for (std::size_t i = 0; i < ids.size() && i < k_ids_max; ++i) {
        const auto* revision = answer.new_reading.graph.find(ids[i]);
        revision = revision == nullptr ? answer.old_reading.graph.find(ids[i]) : revision;
        text += hang(say("  {}  ", ids[i]), revision == nullptr ? "" : revision->doc, screen.width);
    }
    if (ids.size() > k_ids_max) {
        text += say("  and {} more (--json has them all)\n", ids.size() - k_ids_max);
    }
    return ids.empty() ? "" : say("\n{} ({})\n", title, ids.size()) + text;
}

std::string problem_lines(const std::vector<chain::Problem>& problems, const Screen& screen) {
    std::string text;
    for (const chain::Problem& problem : problems) {
        const std::string position =
            problem.line == 0 ? problem.file : say("{}:{}", problem.file, problem.line);
        text += say("  {}\n", position) + hang("      ", problem.text, screen.width);
    }
    return text.empty() ? "" : "\nProblems\n" + text;
}

}  // namespace

// Skipped revisions are the first of the lists, because they are damage that no error shows.
std::string render_chain(const app::ChainAnswer& answer, const Screen& screen) {
    const auto& comparison = answer.comparison;
    const auto& explanation = answer.explanation;
    std::string text =
        screen.paint(tone_of(comparison.verdict), chain::name_of(comparison.verdict)) + "\n";
    text += side_line("old", answer.old_reading) + side_line("new", answer.new_reading);
    text += problem_lines(comparison.problems, screen);
    text += sentences("What happens", explanation.happens, screen, false);
    text += sentences("Repair", explanation.repairs, screen, true);
    text += revision_lines("Skipped: they never run", comparison.skipped, answer, screen);
    text +=
        revision_lines("Heads that NEW does not know", comparison.unknown_heads, answer, screen);
    text += revision_lines("Only in OLD", comparison.lost, answer, screen);
    text += revision_lines("What runs", comparison.runs, answer, screen);
    return text + sentences("Notes", explanation.notes, screen, false);
}

}  // namespace drydock::cli
