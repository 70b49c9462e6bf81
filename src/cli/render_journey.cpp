// Words and lines about a journey: its hops with their runs, and how far a downgrade leads back.
#include "base/text.h"
#include "cli/render.h"
#include "cli/say.h"

namespace drydock::cli {

namespace {

using run::Journey;
using run::JourneyHop;

std::string run_words(const std::string& run, const std::string& state) {
    return run.empty() ? "" : say("run {} {}", run, state);
}

// Returns the runs of a hop, first forward and then back.
std::string hop_words(const JourneyHop& hop) {
    const std::string forward_words = run_words(hop.run, hop.state);
    const std::string return_words = run_words(hop.back, hop.return_state);
    if (forward_words.empty()) {
        return "not begun";
    }
    return return_words.empty() ? forward_words : say("{}; back: {}", forward_words, return_words);
}

}  // namespace

std::string journey_words(const Journey& journey) {
    const JourneyHop& hop = journey.hops.at(journey.hop);
    return say("hop {} of {}   {} -> {}   of the journey {} -> {}",
               journey.hop + 1,
               journey.hops.size(),
               hop.from,
               hop.to,
               journey.hops.front().from,
               journey.hops.back().to);
}

// A mark stands before the hop of the newest run.
std::string render_journey(const Journey& journey, const Screen& screen) {
    std::string text;
    for (std::size_t i = 0; i < journey.hops.size(); ++i) {
        const JourneyHop& hop = journey.hops[i];
        const std::string label = pad(i == 0 ? "journey" : "", 9);
        const std::string lead =
            say("  {}  {} {} -> {}   ", label, i == journey.hop ? ">" : " ", hop.from, hop.to);
        text += hang(lead, hop_words(hop), screen.width);
    }
    return text;
}

// Returns how far a downgrade leads, with the reason why it leads no further.
std::string render_reach(const Journey& journey, const Screen& screen) {
    const std::string lead = "  " + pad("reaches", 9) + "  ";
    const std::string reach = say("back to {}", journey.reaches);
    return hang(lead,
                journey.closed.empty() ? reach : reach + "; further: " + journey.closed,
                screen.width);
}

}  // namespace drydock::cli
