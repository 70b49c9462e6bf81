// The screen of `route`: each hop with its reason, then the rules that forbid others, then the
// command to type next.
#include "cli/render.h"
#include "cli/say.h"

#include <algorithm>

namespace drydock::cli {

namespace {

std::string hop_line(std::size_t number, const planner::Hop& hop, const Screen& screen) {
    const std::string lead =
        say("  {}  {} -> {}   {}   ", number, hop.from_version, hop.to_version, hop.procedure);
    return hang(lead, hop.because, screen.width);
}

// The search meets one rule many times, so the lines are sorted and each is shown once.
std::string forbidden_lines(std::vector<std::string> rules, const Screen& screen) {
    std::sort(rules.begin(), rules.end());
    rules.erase(std::unique(rules.begin(), rules.end()), rules.end());
    std::string text;
    for (const std::string& rule : rules) {
        text += hang("    ", rule, screen.width);
    }
    return text.empty() ? "" : "\n  Looked at, and not allowed\n" + text;
}

}  // namespace

// The route is over several hops, but a plan is made of the first one only; the last line names
// both commands.
std::string render_route(const app::RouteAnswer& answer, const Screen& screen) {
    const auto& hops = answer.route.hops;
    if (hops.empty()) {
        return say("{} is where the cluster is already; nothing to do\n", answer.target);
    }
    std::string text = say("{}   {}\n\n",
                           screen.paint(Tone::strong, answer.start + " -> " + answer.target),
                           counted(hops.size(), "hop"));
    for (std::size_t i = 0; i < hops.size(); ++i) {
        text += hop_line(i + 1, hops[i], screen);
    }
    for (const std::string& note : answer.route.notes) {
        text += hang("  note: ", note, screen.width);
    }
    if (!answer.route.alternative.empty()) {
        text += "\n" + hang("  Or: ", answer.route.alternative, screen.width);
    }
    text += forbidden_lines(answer.route.forbidden, screen);
    return text
           + (hops.size() == 1
                  ? say("\nNext: drydock plan --to {}\n", answer.target)
                  : say("\nNext: drydock plan --to {0} for the first hop, or drydock upgrade "
                        "--to {0} for all\n",
                        answer.target));
}

}  // namespace drydock::cli
