// The screen of `status`: the cause of a halt, the members, work in flight, and the next command.
//
// A halt comes first, because it needs a person. Lines without a content are left out. The last
// line is the command that continues the run, so that it need not be looked up at night.
#include "base/text.h"
#include "cli/progress.h"
#include "cli/render.h"
#include "cli/say.h"

#include <algorithm>

namespace drydock::cli {

namespace {

using app::RunStatus;
using run::Phase;

constexpr std::size_t k_rows_max = 24;

bool is_active(const RunStatus& status) {
    return status.state.phase() == Phase::running || status.state.phase() == Phase::pausing;
}

// An active run without a conductor is told apart: its state says "running", and nothing happens.
std::string word_of_status(const RunStatus& status) {
    if (is_active(status) && !status.open_gate.empty()) {
        return "waits for you";
    }
    if (is_active(status) && !status.conductor) {
        return "stands still: nobody conducts it";
    }
    return std::string(word_of(status.state.phase()));
}

// A run that waits or stands still is a warning. A conducted run is only emphasised.
Tone tone_of(const RunStatus& status) {
    switch (status.state.phase()) {
    case Phase::finished:
    case Phase::returned:
        return Tone::good;
    case Phase::halted:
        return Tone::bad;
    case Phase::created:
    case Phase::running:
    case Phase::pausing:
    case Phase::paused:
    case Phase::aborted:
        break;
    }
    return is_active(status) && status.conductor ? Tone::strong : Tone::warn;
}

// A line without a text is left out, label and all.
std::string labelled(std::string_view label, const std::string& text, const Screen& screen) {
    return text.empty() ? "" : hang("  " + pad(label, 9) + "  ", text, screen.width);
}

// The first line after a halt: the plan, the run, its state, and how many steps are done.
std::string head(const RunStatus& status, const Screen& screen) {
    const Progress progress = progress_of(status.plan, status.state);
    return say("{}   {} {} -> {}   run {}   {}   {} of {} steps\n",
               screen.paint(Tone::strong, status.plan.cluster),
               status.plan.system,
               status.plan.from_version,
               status.plan.to_version,
               status.run,
               screen.paint(tone_of(status), word_of_status(status)),
               progress.steps_done,
               progress.steps);
}

// Lists the facts that the gate looked at. Members with the same fact and value share a line.
std::string known_lines(const RunStatus& status, const Screen& screen) {
    std::vector<std::pair<std::string, std::vector<std::string>>> members_by_words;
    for (const auto& [key, value] : status.gate_facts.members()) {
        const auto cut = key.find('/');
        const std::string fact = cut == key.npos ? key : key.substr(cut + 1);
        const std::string words = say("{} {}", fact, value.is_null() ? "nothing" : value.show());
        const auto same = std::find_if(members_by_words.begin(),
                                       members_by_words.end(),
                                       [&](auto& entry) { return entry.first == words; });
        auto& members =
            same == members_by_words.end()
                ? members_by_words.emplace_back(words, std::vector<std::string>()).second
                : same->second;
        if (cut != key.npos) {
            members.push_back(key.substr(0, cut));
        }
    }
    std::string text;
    for (const auto& [words, members] : members_by_words) {
        const std::string owners = members.empty() ? "" : ": " + join(members, ", ");
        text += labelled(text.empty() ? "known" : "", words + owners, screen);
    }
    return text.empty() ? text
                        : text + labelled("", "read at " + show_time(status.gate_facts_ms), screen);
}

// Only an active run has work in flight. A halted run keeps the states of its actions, but they are
// history.
std::string now_lines(const RunStatus& status, const Screen& screen) {
    std::string text;
    if (!is_active(status)) {
        return text;
    }
    for (const std::string& line : in_flight_lines(status.plan, status.state, status.progress)) {
        text += labelled(text.empty() ? "now" : "", line, screen);
    }
    if (status.soak_left_ms > 0) {
        text += labelled("soak", about(status.soak_left_ms) + " left", screen);
    }
    if (status.gate_since_ms > 0) {
        text += labelled("since", show_time(status.gate_since_ms), screen);
    }
    return text + known_lines(status, screen) + labelled("approve", status.open_gate_words, screen);
}

// Names each failed action with its place in the pack, its host and its attempt.
std::string halt_lines(const RunStatus& status, const Screen& screen) {
    if (status.state.phase() != Phase::halted) {
        return "";
    }
    std::string text = hang(screen.paint(Tone::bad, "HALTED") + "  ", status.cause, screen.width);
    for (std::size_t i = 0; i < status.state.actions(); ++i) {
        const model::Action& action = status.plan.actions[i];
        if (run::has_failed(status.state.status(i))) {
            const std::string location = action.host.empty() ? "" : " on host " + action.host;
            text += labelled("step",
                             say("{} ({}){}, attempt {}",
                                 action.id,
                                 action.source,
                                 location,
                                 status.state.attempt(i)),
                             screen);
        }
    }
    return text + labelled("to do", status.remedy, screen) + "\n";
}

std::string left_out_lines(const RunStatus& status, const Screen& screen) {
    std::string text;
    for (const std::string& line : failed_optional_lines(status.plan, status.state)) {
        text += labelled(text.empty() ? "left out" : "", screen.paint(Tone::warn, line), screen);
    }
    return text;
}

// Names what the end left other than it was, and the value to give it back.
std::string left_behind_lines(const RunStatus& status, const Screen& screen) {
    std::string text;
    for (const run::Drift& fact : status.left_behind) {
        const std::string words = say("{} is {}, was {}", fact.key, fact.actual, fact.expected);
        text += labelled(text.empty() ? "switched" : "", screen.paint(Tone::warn, words), screen);
    }
    return text;
}

std::string conductor_words(const RunStatus& status) {
    if (!status.conductor) {
        return is_active(status) && status.open_gate.empty() ? "nobody" : "";
    }
    return say("process {} on {}, since {}",
               status.conductor->pid,
               status.conductor->host,
               show_time(status.conductor->since_ms));
}

// The time of the last record tells a person whether the run still moves.
std::string journal_words(const RunStatus& status) {
    return say("{}, the last at {}", counted(status.records, "record"), show_time(status.last_ms));
}

std::string journey_lines(const RunStatus& status, const Screen& screen) {
    return status.journey
               ? render_journey(*status.journey, screen) + render_reach(*status.journey, screen)
               : "";
}

// Returns the command that continues the run. Empty while a conductor is at work, or if the run is
// over without a journey.
std::string next_words(const RunStatus& status) {
    const std::string file = status.plan.cluster_file;
    if (is_active(status) && !status.open_gate.empty()) {
        return say(
            "drydock approve {} -c {}, then drydock resume -c {}", status.open_gate, file, file);
    }
    if (status.is_between_runs()) {
        return say("drydock resume -c {}: goes on with the journey", file);
    }
    const bool resumes =
        status.state.phase() == Phase::halted || status.state.phase() == Phase::paused
        || (!status.conductor && is_active(status)) || status.state.phase() == Phase::created;
    return resumes ? say("drydock resume -c {}", file) : "";
}

// True if the run was reverted or given up. Its own way back is then no offer any more.
bool is_over(const RunStatus& status) {
    return status.state.phase() == Phase::returned || status.state.phase() == Phase::aborted;
}

}  // namespace

// The way back is a promise of the plan, so it is left out for a run that was reverted or given up.
std::string render_status(const RunStatus& status, const Screen& screen) {
    const std::string way_back = is_over(status) ? "" : way_back_now(status.plan, status.state);
    return halt_lines(status, screen) + head(status, screen)
           + render_members(members_of(status.plan, status.state), screen, k_rows_max)
           + left_out_lines(status, screen) + left_behind_lines(status, screen)
           + now_lines(status, screen) + journey_lines(status, screen)
           + labelled("paused", status.paused, screen) + labelled("way back", way_back, screen)
           + labelled("conductor", conductor_words(status), screen)
           + labelled("journal", journal_words(status), screen)
           + labelled("head", status.head, screen) + labelled("next", next_words(status), screen);
}

}  // namespace drydock::cli
