// Computes the expected facts of a run and compares them with observed ones.
//
// Expected facts start as the plan's bound facts. The effects of actions are laid over them in the
// plan's order, so the last writer of a fact wins. Three cases leave a fact open:
//
// - An action that may have changed it and is not done: any value is possible.
// - A rule that may raise a format by itself: the old and the new value are possible.
// - An identity of a member that is down: it cannot say it.
//
// docs/design/0001-the-core.md has the reasons.
#include "run/expected_facts.h"

#include "model/version.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace drydock::run {

namespace {

using model::FormatRule;
using model::Observation;
using model::ObservationStatus;
using model::Plan;

bool took_effect(Status status) {
    return status == Status::done;
}

bool is_unsettled(Status status) {
    return is_in_flight(status) || has_failed(status);
}

// True if it is not certain that the action left its facts alone. An action that was tried and
// failed counts, also while it waits for its next try: it may have done half of its work, or a
// person the rest. An action whose guards failed before it ever began has changed nothing. An
// action that was interrupted, and is skipped when it is tried again, has had its effect.
bool may_have_changed(const State& state, std::size_t action) {
    const Status status = state.status(action);
    const bool tried_before = status == Status::waiting || status == Status::ready
                              || status == Status::failed || status == Status::skipped;
    return tried_before ? state.begun(action) > 0 : is_unsettled(status);
}

Observation value_of(const Json& value) {
    return {value.is_null() ? ObservationStatus::absent : ObservationStatus::known,
            value,
            "expected",
            0};
}

// Lays the effects of one action over the facts. An action that is not done leaves its facts open;
// so does a `changes`, whose value cannot be foretold.
void apply_effects(ExpectedFacts& world, const model::Action& action, Status status) {
    for (const model::Effect& effect : action.effects) {
        const bool changes = effect.kind == model::EffectKind::changes;
        if (effect.kind != model::EffectKind::becomes && !changes) {
            continue;
        }
        Expectation& expectation = world[model::fact_key(effect.member, effect.name)];
        expectation.by = action.id;
        expectation.any_of.clear();
        if (took_effect(status) && !changes) {
            expectation.any_of.push_back(value_of(effect.value));
        }
    }
}

// Returns a format as a fact has it: rules write it as a text, and a fact may be a number.
Observation level_of(const Plan& plan, const std::string& key, const std::string& format) {
    const auto source = plan.sources.find(key);
    if (source != plan.sources.end() && source->second.type == model::FactType::integer) {
        const auto number = Json::parse(format);
        return value_of(number && number->is_integer() ? *number : Json(format));
    }
    return value_of(Json(format));
}

// Returns the level facts of a store, and the facts that those are derived from.
std::vector<std::string> level_keys(const Plan& plan, const std::vector<std::string>& levels) {
    std::vector<std::string> keys = levels;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const auto source = plan.sources.find(keys[i]);
        if (source != plan.sources.end() && source->second.is_derived()) {
            keys.insert(keys.end(), source->second.inputs.begin(), source->second.inputs.end());
        }
    }
    return keys;
}

// Applies a conversion by command to the level facts. Without `is_sure` the old format stays
// possible. The level of another member's instance of an unshared store may follow or stay.
void convert(ExpectedFacts& world,
             const Plan& plan,
             const model::PlanStore& store,
             const std::string& format,
             const model::Action& action,
             const model::Effect& effect,
             bool is_sure) {
    for (const std::string& key : level_keys(plan, store.levels)) {
        const auto level = world.find(key);
        if (level == world.end() || level->second.any_of.empty()) {
            continue;
        }
        const auto source = plan.sources.find(key);
        const bool is_others = source != plan.sources.end() && !source->second.member.empty()
                               && source->second.member != effect.member && !store.shared;
        if (is_sure && !is_others) {
            level->second = {{}, action.id};
        }
        level->second.any_of.push_back(level_of(plan, key, format));
    }
}

// Returns the format that the effect brings the store to; empty if it converts nothing.
std::string format_after(const Plan& plan, const model::PlanStore& store, model::EffectKind kind) {
    if (kind == model::EffectKind::lowers) {
        const auto law = store.laws.find(plan.to);
        return law == store.laws.end() ? "" : law->second.writes;
    }
    const auto law = std::find_if(plan.laws.begin(), plan.laws.end(), [&](const FormatRule& rule) {
        return rule.store == store.name;
    });
    return kind == model::EffectKind::raises && law != plan.laws.end() ? law->becomes : "";
}

void convert_stores(ExpectedFacts& world,
                    const Plan& plan,
                    const model::Action& action,
                    Status status) {
    for (const model::Effect& effect : action.effects) {
        for (const model::PlanStore& store : plan.stores) {
            const std::string format =
                store.name == effect.name ? format_after(plan, store, effect.kind) : "";
            if (!format.empty()) {
                convert(world, plan, store, format, action, effect, took_effect(status));
            }
        }
    }
}

// Returns the key of the fact that a member has bound to a standard fact; empty if it has none.
std::string bound_key(const Plan& plan, const std::string& member, model::StandardFact standard) {
    for (const auto& [key, source] : plan.sources) {
        if (source.member == member && source.binds == standard) {
            return key;
        }
    }
    return {};
}

// True if one of the expected values lets the member run the series. Without a value everything is
// possible.
bool may_run_series(const ExpectedFacts& world, const std::string& key, const std::string& series) {
    const auto entry = world.find(key);
    if (entry == world.end() || entry->second.any_of.empty()) {
        return true;
    }
    return std::any_of(entry->second.any_of.begin(),
                       entry->second.any_of.end(),
                       [&](const Observation& observation) {
                           return observation.status == ObservationStatus::known
                                  && model::version_in_series(observation.value.as_string(),
                                                              series);
                       });
}

// A member that is down is not ready: some systems say nothing then, others say no.
bool is_not_ready(const Observation& observation) {
    return observation.status == ObservationStatus::absent
           || (observation.status == ObservationStatus::known && observation.value == Json(false));
}

// A release may be observed as its series or as a full version; both are the same release here.
bool matches(const Observation& actual,
             const Observation& expected,
             const model::FactSource& source) {
    if (source.binds == model::StandardFact::ready && is_not_ready(expected)) {
        return is_not_ready(actual);
    }
    if (actual.status != expected.status) {
        return false;
    }
    const bool series =
        source.type == model::FactType::release
        && model::version_in_series(actual.value.as_string(), expected.value.as_string());
    return actual.status != ObservationStatus::known || actual.value == expected.value || series;
}

std::string show_expected(const Expectation& expectation) {
    std::string text;
    for (const Observation& observation : expectation.any_of) {
        text += (text.empty() ? "" : " or ") + show(observation);
    }
    return expectation.by.empty() ? text : fmt::format("{} (left so by {})", text, expectation.by);
}

}  // namespace

// True if the rule's trigger may hold by these facts. A member whose release is open may run the
// series.
bool law_may_fire(const FormatRule& law, const Plan& plan, const ExpectedFacts& world) {
    const auto runs_it = [&](const std::string& member) {
        return may_run_series(
            world, bound_key(plan, member, model::StandardFact::running), law.series);
    };
    const auto members = plan.roster()[law.role];
    if (law.raises == model::FormatTrigger::when_all) {
        return !members.empty() && std::all_of(members.begin(), members.end(), runs_it);
    }
    return law.raises == model::FormatTrigger::on_start
           && std::any_of(members.begin(), members.end(), runs_it);
}

// Notes for each member whether it was up when the plan was made, and which actions start or stop
// it. A member that no action touches counts as up.
ExpectedMembers::ExpectedMembers(const Plan& plan) : roster_(plan.roster()) {
    std::map<std::string, std::size_t, std::less<>> index;  // by key of the bound fact
    for (const auto& [role, members] : roster_) {
        for (const std::string& member : members) {
            const std::string key = bound_key(plan, member, model::StandardFact::running);
            const auto planned = plan.planned.find(key);
            index.emplace(key, planned_.size());
            planned_.push_back(key.empty() || planned == plan.planned.end()
                               || planned->second.status == ObservationStatus::known);
        }
    }
    for (std::size_t i = 0; i < plan.actions.size(); ++i) {
        for (const model::Effect& effect : plan.actions[i].effects) {
            const auto entry = index.find(model::fact_key(effect.member, effect.name));
            if (entry != index.end()) {
                touches_.push_back({i, entry->second, !effect.value.is_null()});
            }
        }
    }
    std::vector<bool> touched(planned_.size(), false);
    for (const Touch& touch : touches_) {
        touched[touch.member] = true;
    }
    for (std::size_t member = 0; member < planned_.size(); ++member) {
        planned_[member] = planned_[member] || !touched[member];
    }
}

model::Roster ExpectedMembers::up(const State& state) const {
    std::vector<bool> is_up = planned_;
    for (const Touch& touch : touches_) {
        const Status status = state.status(touch.action);
        if (took_effect(status) || is_unsettled(status)) {
            is_up[touch.member] = took_effect(status) && touch.up;
        }
    }
    model::Roster roster = roster_;
    std::size_t position = 0;
    for (auto& [role, members] : roster) {
        std::erase_if(members, [&](const std::string&) { return !is_up[position++]; });
    }
    return roster;
}

model::Roster members_up(const Plan& plan, const State& state) {
    return ExpectedMembers(plan).up(state);
}

namespace {

// Leaves out identities that cannot be read. A member that is not expected to be up need not say
// its identity, and a member that was down at planning time never said it.
void excuse_identity(const Plan& plan, const State& state, ExpectedFacts& world) {
    const auto roster = members_up(plan, state);
    std::set<std::string, std::less<>> live_members;
    for (const auto& [role, members] : roster) {
        live_members.insert(members.begin(), members.end());
    }
    for (auto& [key, expectation] : world) {
        const auto source = plan.sources.find(key);
        const bool identity = source != plan.sources.end() && source->second.identity
                              && !source->second.member.empty();
        if (identity && expectation.by.empty() && expectation.any_of.size() == 1
            && expectation.any_of.front().status == ObservationStatus::absent) {
            expectation.any_of.clear();
        }
        if (identity && !expectation.any_of.empty()
            && !live_members.contains(source->second.member)) {
            expectation.any_of.push_back(value_of({}));
        }
    }
}

}  // namespace

ExpectedFacts expected_facts(const Plan& plan, const State& state) {
    ExpectedFacts world;
    for (const auto& [key, observation] : plan.planned) {
        world[key].any_of.push_back(observation);
    }
    for (std::size_t i = 0; i < plan.actions.size(); ++i) {
        const Status status = state.status(i);
        if (took_effect(status) || may_have_changed(state, i)) {
            apply_effects(world, plan.actions[i], status);
            convert_stores(world, plan, plan.actions[i], status);
        }
    }
    for (const FormatRule& law : plan.laws) {
        const bool may_fire = law_may_fire(law, plan, world);
        for (const std::string& key : law.levels) {
            const auto level = world.find(key);
            if (may_fire && level != world.end() && !level->second.any_of.empty()) {
                level->second.any_of.push_back(level_of(plan, key, law.becomes));
            }
        }
    }
    excuse_identity(plan, state, world);
    return world;
}

// Facts with a range of possible values match if one of them does.
std::vector<Drift>
find_drift(const Plan& plan, const State& state, const model::FactBook& observed) {
    std::vector<Drift> moved;
    for (const auto& [key, expectation] : expected_facts(plan, state)) {
        const auto source = plan.sources.find(key);
        const auto observation = observed.find(key);
        if (expectation.any_of.empty() || source == plan.sources.end() || source->second.moves
            || observation == observed.end()) {
            continue;
        }
        const bool fits = std::any_of(
            expectation.any_of.begin(), expectation.any_of.end(), [&](const Observation& expected) {
                return matches(observation->second, expected, source->second);
            });
        if (!fits) {
            moved.push_back({key,
                             show_expected(expectation),
                             show(observation->second),
                             observation->second.evidence,
                             observation->second.status == ObservationStatus::unknown});
        }
    }
    return moved;
}

}  // namespace drydock::run
