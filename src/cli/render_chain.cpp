// The screen of `chain`: the verdict first, then what happens, then the repair, then the ids.
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
    std::string out;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        out += hang(are_numbered ? say("  {}. ", i + 1) : "  ", texts[i], screen.width);
    }
    return out.empty() ? "" : say("\n{}\n", title) + out;
}

std::string revision_lines(const std::string& title,
                           const std::vector<std::string>& ids,
                           const app::ChainAnswer& answer,
                           const Screen& screen) {
    std::string out;
    for (std::size_t i = 0; i < ids.size() && i < k_ids_max; ++i) {
        const auto* one = answer.after.graph.find(ids[i]);
        one = one == nullptr ? answer.before.graph.find(ids[i]) : one;
        out += hang(say("  {}  ", ids[i]), one == nullptr ? "" : one->doc, screen.width);
    }
    if (ids.size() > k_ids_max) {
        out += say("  and {} more (--json has them all)\n", ids.size() - k_ids_max);
    }
    return ids.empty() ? "" : say("\n{} ({})\n", title, ids.size()) + out;
}

std::string problem_lines(const std::vector<chain::Problem>& problems, const Screen& screen) {
    std::string out;
    for (const chain::Problem& one : problems) {
        const std::string where = one.line == 0 ? one.file : say("{}:{}", one.file, one.line);
        out += say("  {}\n", where) + hang("      ", one.text, screen.width);
    }
    return out.empty() ? "" : "\nProblems\n" + out;
}

}  // namespace

std::string render_chain(const app::ChainAnswer& answer, const Screen& screen) {
    const auto& found = answer.comparison;
    const auto& explanation = answer.explanation;
    std::string out = screen.paint(tone_of(found.verdict), chain::name_of(found.verdict)) + "\n";
    out += side_line("old", answer.before) + side_line("new", answer.after);
    out += problem_lines(found.problems, screen);
    out += sentences("What happens", explanation.happens, screen, false);
    out += sentences("Repair", explanation.repairs, screen, true);
    out += revision_lines("Skipped: they never run", found.skipped, answer, screen);
    out += revision_lines("Heads that NEW does not know", found.unknown_heads, answer, screen);
    out += revision_lines("Only in OLD", found.lost, answer, screen);
    out += revision_lines("What runs", found.runs, answer, screen);
    return out + sentences("Notes", explanation.notes, screen, false);
}

}  // namespace drydock::cli
