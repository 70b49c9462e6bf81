// The facts that a conductor observes in a replay. Facts that are not modelled are set such that
// conditions hold, or do not hold, as the trace says.
//
// Values are set before the conductor reads them. Denied facts get their old values back once the
// step of their action has happened.
#include "sim/trace_replayer.h"

#include <algorithm>
#include <array>

namespace drydock::sim {

namespace {

using Kind = run::TraceStepKind;

constexpr std::array k_seen = {Kind::judged_yes,
                               Kind::judged_no,
                               Kind::skipped,
                               Kind::begun,
                               Kind::kept,
                               Kind::broken,
                               Kind::completed,
                               Kind::not_completed,
                               Kind::completion_unknown,
                               Kind::finished,
                               Kind::halted};

}  // namespace

// Sets the facts for all steps of the conductor before the next step of the environment.
void TraceReplayer::prepare() {
    for (std::size_t i = position_; i < story_.size(); ++i) {
        if (early_steps_.contains(i)) {
            continue;
        }
        if (std::find(k_seen.begin(), k_seen.end(), story_[i].kind) == k_seen.end()) {
            return;
        }
        if (prepared_.insert(i).second && plan_.find(story_[i].subject) != nullptr) {
            prepare(story_[i]);
        }
    }
}

// An action without a request ends with its guard, so its postconditions are prepared with it.
void TraceReplayer::prepare(const TraceStep& turn) {
    const model::Action& action = *plan_.find(turn.subject);
    if (turn.kind == Kind::judged_yes) {
        satisfy(action.applies_if, action);
        satisfy(action.preconditions, action);
        if (action.request.is_null()) {
            satisfy(action.postconditions, action);
        }
    } else if (turn.kind == Kind::judged_no) {
        satisfy(action.applies_if, action);
        falsify(action.preconditions, action);
    } else if (turn.kind == Kind::skipped) {
        falsify(action.applies_if, action);
    } else if (turn.kind == Kind::kept) {
        satisfy(action.postconditions, action);
    } else if (turn.kind == Kind::broken) {
        falsify(action.postconditions, action);
    } else if (turn.kind == Kind::completed) {
        satisfy(action.completion_check, action);
    } else if (turn.kind == Kind::not_completed) {
        falsify(action.completion_check, action);
    }
}

// A condition that cannot be made to hold shows later as a divergence.
void TraceReplayer::satisfy(const std::vector<model::Condition>& conditions,
                            const model::Action& action) {
    Settings set;
    for (const model::Condition& condition : conditions) {
        (void)solver_.satisfy(condition, action.member, modelled_, set);
    }
}

// One false condition is enough, and one may be false already.
void TraceReplayer::falsify(const std::vector<model::Condition>& conditions,
                            const model::Action& action) {
    const auto no = [&](const model::Condition& condition) {
        return solver_.judge(condition, action.member).outcome != model::Truth::yes;
    };
    if (std::none_of(conditions.begin(), conditions.end(), no)) {
        (void)std::any_of(conditions.begin(), conditions.end(), [&](const auto& condition) {
            return falsify(condition, action);
        });
    }
}

// Changes one fact that is not modelled such that the condition does not hold. Tries an absent
// value, a text and a number. Returns false if no fact will do.
bool TraceReplayer::falsify(const model::Condition& condition, const model::Action& action) {
    for (const std::string& key : model::facts_of(condition, plan_.roster(), action.member)) {
        const auto source = plan_.sources.find(key);
        const bool derived = source != plan_.sources.end() && source->second.is_derived();
        for (const std::string& input :
             derived ? source->second.inputs : std::vector<std::string>{key}) {
            const Json old_value = system_.value(input);
            for (const Json& replacement : {Json(), Json("something else"), Json(-1)}) {
                if (modelled_.contains(input)) {
                    break;
                }
                system_.set(input, replacement);
                if (solver_.judge(condition, action.member).outcome != model::Truth::yes) {
                    denied_[action.id].emplace_back(input, old_value);
                    return true;
                }
                system_.set(input, old_value);
            }
        }
    }
    return false;
}

void TraceReplayer::restore_denied(const std::string& action) {
    for (const auto& [key, value] : denied_[action]) {
        system_.set(key, value);
    }
    denied_.erase(action);
}

}  // namespace drydock::sim
