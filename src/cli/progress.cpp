// Derives a member's progress from the plan and the run's state, for the live table and `status`.
//
// Nothing is stored for it. A member's version follows from the finished actions, by the expected
// facts of run/expected_facts.h. Its step is the tally of its own actions. So the table shows the
// same after a resume as before.
#include "cli/progress.h"

#include "cli/plan_summary.h"
#include "cli/say.h"
#include "run/expected_facts.h"
#include "run/progress.h"
#include "run/return_point.h"

#include <algorithm>
#include <array>

namespace drydock::cli {

namespace {

using model::Action;
using model::Plan;
using run::State;
using run::Status;

bool is_busy(Status status) {
    return status == Status::ready || is_in_flight(status);
}

// True if the action changes the member itself. Before the first such action the member waits,
// after the last one it is done.
bool swaps(const Action& action) {
    return action.verb == model::Verb::stop || action.verb == model::Verb::start
           || action.verb == model::Verb::restart || action.verb == model::Verb::install
           || action.verb == model::Verb::restore || action.verb == model::Verb::migrate;
}

// Returns the expected value of the member's standard fact, after the finished actions. Nothing if
// the pack binds no fact to it.
std::optional<run::Expectation> expected_fact(const Plan& plan,
                                              const run::ExpectedFacts& world,
                                              const std::string& member,
                                              model::StandardFact standard) {
    for (const auto& [key, source] : plan.sources) {
        if (source.member == member && source.standard_fact == standard) {
            const auto entry = world.find(key);
            return entry == world.end() ? std::nullopt : std::optional(entry->second);
        }
    }
    return std::nullopt;
}

// Returns the release that should run, "..." while it changes, or "down".
std::string
version_of(const Plan& plan, const run::ExpectedFacts& world, const std::string& member) {
    const auto running = expected_fact(plan, world, member, model::StandardFact::running);
    if (!running) {
        return "";
    }
    if (running->any_of.empty()) {
        return "...";
    }
    const auto& last = running->any_of.back();
    return last.status == model::ObservationStatus::known && !last.value.is_null()
               ? last.value.show()
               : "down";
}

std::string ready_of(const Plan& plan, const run::ExpectedFacts& world, const std::string& member) {
    const auto ready = expected_fact(plan, world, member, model::StandardFact::ready);
    if (!ready || ready->any_of.empty()) {
        return "";
    }
    return ready->any_of.back().value.as_bool() ? "ready" : "not ready";
}

// True if the run waits at a gate. Members that have not begun are then held rather than waiting
// for their turn.
bool at_gate(const Plan& plan, const State& state) {
    for (std::size_t i = 0; i < state.actions(); ++i) {
        const Status status = state.status(i);
        if (plan.actions[i].is_gate() && (status == Status::soaking || status == Status::open)) {
            return true;
        }
    }
    return false;
}

// The actions of one member, as far as its line needs them.
struct Tally {
    const Action* busy = nullptr;
    const Action* failed = nullptr;
    const Action* left_out = nullptr;
    const Action* next = nullptr;  // the first that swaps and is not over
    bool swapped = false;
    bool over = true;
};

// Keeps the first action of each kind, because the line has room for one.
void count(Tally& tally, const Action& action, Status status, bool left_out) {
    if (left_out) {
        tally.left_out = &action;
    }
    tally.over = tally.over && is_over(status);
    tally.swapped = tally.swapped || (is_over(status) && swaps(action));
    if (is_busy(status) && tally.busy == nullptr) {
        tally.busy = &action;
    }
    if (has_failed(status) && tally.failed == nullptr) {
        tally.failed = &action;
    }
    if (!is_over(status) && swaps(action) && tally.next == nullptr) {
        tally.next = &action;
    }
}

// The order is that of urgency: a failure hides all else.
void describe(MemberProgress& member, const Tally& tally, const Plan& plan, bool gate) {
    if (tally.failed != nullptr) {
        member.step = "FAILED: " + words_of(*tally.failed, plan);
        member.tone = Tone::bad;
    } else if (tally.left_out != nullptr) {
        member.step = "LEFT OUT: " + words_of(*tally.left_out, plan);
        member.tone = Tone::warn;
    } else if (tally.busy != nullptr) {
        member.step = words_of(*tally.busy, plan);
        member.tone = Tone::strong;
        member.busy = true;
    } else if (tally.next == nullptr && (tally.over || tally.swapped)) {
        member.step = "done";
        member.tone = Tone::good;
    } else {
        member.step = gate ? "held for the gate" : "waits";
        member.tone = gate ? Tone::warn : Tone::plain;
    }
}

// True if the gate of the point of no return is approved. The approval alone closes nothing; the
// way back closes with the next action.
bool is_approved(const Plan& plan, const State& state) {
    for (std::size_t i = 0; i < state.actions(); ++i) {
        if (plan.actions[i].is_point_of_no_return && is_over(state.status(i))) {
            return true;
        }
    }
    return false;
}

}  // namespace

// Actions without a member are tallied under the empty name, which no row shows.
std::vector<MemberProgress> members_of(const Plan& plan, const State& state) {
    std::map<std::string, Tally, std::less<>> tallies;
    for (std::size_t i = 0; i < state.actions(); ++i) {
        count(tallies[plan.actions[i].member],
              plan.actions[i],
              state.status(i),
              state.failed_optional(i));
    }
    const run::ExpectedFacts world = expected_facts(plan, state);
    const bool gate = at_gate(plan, state);
    std::vector<MemberProgress> members;
    for (const std::string& name : plan.members()) {
        MemberProgress member = {name, version_of(plan, world, name), ready_of(plan, world, name)};
        describe(member, tallies[name], plan, gate);
        members.push_back(std::move(member));
    }
    return members;
}

// The rest is the sum of usual times. Actions that run side by side are counted one after the
// other, so it is an upper estimate.
Progress progress_of(const Plan& plan, const State& state, const ActionProgress& reports) {
    Progress progress;
    progress.steps = state.actions();
    for (std::size_t i = 0; i < state.actions(); ++i) {
        const bool over = is_over(state.status(i));
        progress.steps_done += over ? 1U : 0U;
        const auto report = reports.find(i);
        const auto told = report == reports.end() ? std::nullopt : run::left_ms(report->second);
        progress.left_ms += over ? 0 : told.value_or(plan.actions[i].expected_ms);
    }
    return progress;
}

Json progress_entry(const Action& action, const Json& report) {
    Json entry = Json::Object{{"action", action.id}};
    for (const char* key : {"done", "of", "unit", "bytes", "rate", "waits", "at_ms"}) {
        if (!report[key].is_null()) {
            entry.set(key, report[key]);
        }
    }
    if (const auto percent = run::percent_of(report)) {
        entry.set("percent", *percent);
    }
    if (const auto left = run::left_ms(report)) {
        entry.set("left_ms", *left);
    }
    return entry;
}

Json progress_list(const Plan& plan, const State& state, const ActionProgress& progress) {
    Json list = Json::Array{};
    for (const auto& [index, report] : progress) {
        if (is_busy(state.status(index))) {
            list.push(progress_entry(plan.actions[index], report));
        }
    }
    return list;
}

// Returns a line for each busy action, open gate and running soak.
std::vector<std::string>
in_flight_lines(const Plan& plan, const State& state, const ActionProgress& progress) {
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < state.actions(); ++i) {
        const Action& action = plan.actions[i];
        if (is_busy(state.status(i))) {
            const std::string joint = action.member.empty() ? "" : action.member + ": ";
            const auto entry = progress.find(i);
            const std::string progress_words =
                entry == progress.end() ? "" : run::progress_text(entry->second);
            lines.push_back(joint + action.title
                            + (progress_words.empty() ? "" : ": " + progress_words));
            if (entry != progress.end()) {
                const auto wait = run::wait_lines(entry->second);
                lines.insert(lines.end(), wait.begin(), wait.end());
            }
        } else if (state.status(i) == Status::open) {
            lines.push_back(say("gate \"{}\" waits for a person", action.gate));
        } else if (state.status(i) == Status::soaking) {
            lines.push_back(say("soak before gate \"{}\"", action.gate));
        }
    }
    return lines;
}

std::vector<std::string> failed_optional_lines(const Plan& plan, const State& state) {
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < state.actions(); ++i) {
        if (state.failed_optional(i)) {
            const Action& action = plan.actions[i];
            lines.push_back(say(
                "{}: it failed, and the run goes on without it. {}", action.title, action.remedy));
        }
    }
    return lines;
}

// Reads the journaled state only. The facts may close a downgrade as well, but only its compiler
// knows.
std::string way_back_now(const Plan& plan, const State& state) {
    if (!plan.reverts_run.empty() || plan.ways_back.empty()) {
        return "";
    }
    if (const auto closed = run::closed_by(plan, state)) {
        return say("closed: {} has begun; drydock downgrade says what is left",
                   plan.actions[*closed].id);
    }
    const std::string until =
        is_approved(plan, state) ? say(" (until {} begins)", plan.point_of_no_return.action) : "";
    return say("open{}: drydock downgrade -c {}", until, plan.cluster_file);
}

// The words are in the order of run::Phase.
std::string_view word_of(run::Phase phase) {
    constexpr std::array<std::string_view, 8> k_words = {"not begun",
                                                         "running",
                                                         "pausing",
                                                         "paused",
                                                         "halted",
                                                         "finished",
                                                         "taken back",
                                                         "given up"};
    return k_words.at(static_cast<std::size_t>(phase));
}

// Busy and failed members come first if there are more members than rows.
std::string render_members(const std::vector<MemberProgress>& members,
                           const Screen& screen,
                           std::size_t rows_max) {
    std::vector<MemberProgress> shown_members;
    std::vector<MemberProgress> idle_members;
    std::partition_copy(members.begin(),
                        members.end(),
                        std::back_inserter(shown_members),
                        std::back_inserter(idle_members),
                        [&](const MemberProgress& member) {
                            return members.size() <= rows_max || member.busy
                                   || member.tone == Tone::bad;
                        });
    shown_members.insert(shown_members.end(), idle_members.begin(), idle_members.end());
    shown_members.resize(std::min(shown_members.size(), rows_max));
    Table table;
    for (const MemberProgress& member : shown_members) {
        table.add({member.name,
                   member.version,
                   member.ready,
                   screen.paint(member.tone, shorten(member.step, 48))});
    }
    const std::size_t hidden_count = members.size() - shown_members.size();
    return table.text() + (hidden_count == 0 ? "" : say("  and {} more\n", hidden_count));
}

}  // namespace drydock::cli
