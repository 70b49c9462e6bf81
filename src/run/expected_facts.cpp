// Computes the expected facts of a run and compares them with observed ones.
//
// Expected facts start as the plan's bound facts. The effects of actions are laid over them in the
// plan's order, so the last writer of a fact wins. Some cases leave a fact open:
//
// - An action that may have changed it and is not done: any value is possible.
// - A value that holds while an action runs: it stays if the action is cut off.
// - A rule that may raise a format by itself: the old and the new value are possible.
// - An identity of a member that is down: it cannot say it.
// - Whether a store was left clean, once the plan has moved its member.
// - Whether a member is ready, while too few of its role run.
//
// docs/design/0001-the-core.md has the reasons.
#include "run/expected_facts.h"

#include "model/version.h"
#include "run/expected_starts_and_stops.h"
#include "run/expected_stores.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace drydock::run {

namespace {

using model::FormatRule;
using model::Observation;
using model::ObservationStatus;
using model::Plan;

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

// Lays the effects of one action over the facts. An action that is not done leaves its facts open;
// so does a `changes`, whose value cannot be foretold.
void apply_effects(ExpectedFacts& world, const model::Action& action, Status status) {
    for (const model::Effect& effect : action.effects) {
        const bool changes = effect.kind == model::EffectKind::changes;
        if (effect.kind != model::EffectKind::becomes && !changes) {
            continue;
        }
        Expectation& expectation = world[model::fact_key(effect.member, effect.name)];
        expectation.writer = action.id;
        expectation.any_of.clear();
        if (took_effect(status) && !changes) {
            expectation.any_of.push_back(value_of(effect.value));
        }
    }
}

bool names_fact(const std::vector<model::Effect>& effects, const model::Effect& fact) {
    return std::any_of(effects.begin(), effects.end(), [&](const model::Effect& effect) {
        const bool moves_fact =
            effect.kind == model::EffectKind::becomes || effect.kind == model::EffectKind::changes;
        return moves_fact && effect.member == fact.member && effect.name == fact.name;
    });
}

// A value of `while` is possible as long as the action is not done. A fact that an effect names,
// too, is open then in any case.
void apply_meanwhile(ExpectedFacts& world, const model::Action& action, Status status) {
    for (const model::Effect& effect : action.meanwhile) {
        const auto fact = world.find(model::fact_key(effect.member, effect.name));
        if (took_effect(status) || fact == world.end() || fact->second.any_of.empty()
            || names_fact(action.effects, effect)) {
            continue;
        }
        if (effect.kind == model::EffectKind::becomes) {
            fact->second.any_of.push_back(value_of(effect.value));
            fact->second.writer = action.id;
        } else if (effect.kind == model::EffectKind::changes) {
            fact->second = {{}, action.id};
        }
    }
}

// Opens the facts that tell whether a store was left clean: starts, stops and deaths move them.
void open_clean_stops(ExpectedFacts& world, const Plan& plan, const model::Action& action) {
    for (const model::PlanStore& store : plan.stores) {
        for (const std::string& key : store.clean_stop) {
            const auto source = plan.sources.find(key);
            const std::string owner = source == plan.sources.end() ? "" : source->second.member;
            const bool is_moved = std::any_of(
                action.effects.begin(), action.effects.end(), [&](const model::Effect& effect) {
                    const auto fact =
                        plan.sources.find(model::fact_key(effect.member, effect.name));
                    return fact != plan.sources.end()
                           && fact->second.standard_fact == model::StandardFact::running
                           && (owner.empty() || owner == effect.member);
                });
            const auto fact = world.find(key);
            if (is_moved && fact != world.end()) {
                fact->second = {{}, action.id};
            }
        }
    }
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

// Returns the key of the fact that tells which release reads the store: the member's own release,
// or that of the axis.
std::string reader_key(const Plan& plan, const std::string& store, const std::string& member) {
    for (const model::PlanStore& candidate : plan.stores) {
        if (candidate.name == store && !candidate.read_by.empty()) {
            return model::fact_key(member, candidate.read_by);
        }
    }
    return bound_key(plan, member, model::StandardFact::running);
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
    if (source.standard_fact == model::StandardFact::ready && is_not_ready(expected)) {
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
        text += (text.empty() ? "" : " or ") + to_text(observation);
    }
    return expectation.writer.empty() ? text
                                      : fmt::format("{} (left so by {})", text, expectation.writer);
}

}  // namespace

// True if the rule's trigger may hold by these facts. A member whose release is open may run the
// series. Any member that runs may lead. All others may have been down meanwhile.
bool law_may_fire(const FormatRule& law, const Plan& plan, const ExpectedFacts& world) {
    const auto runs_it = [&](const std::string& member) {
        return may_run_series(world, reader_key(plan, law.store, member), law.series);
    };
    const auto members = plan.roster()[law.role];
    const bool any_runs = std::any_of(members.begin(), members.end(), runs_it);
    switch (law.trigger) {
    case model::FormatTrigger::when_all:
        return !members.empty() && std::all_of(members.begin(), members.end(), runs_it);
    case model::FormatTrigger::when_all_running:
    case model::FormatTrigger::on_start:
    case model::FormatTrigger::on_lead:
        return any_runs;
    case model::FormatTrigger::never:
    case model::FormatTrigger::on_finalize:
    case model::FormatTrigger::on_migrate:
    case model::FormatTrigger::on_destroy:
    case model::FormatTrigger::found:
        break;
    }
    return false;
}

namespace {

// True for a fact that a member may tell only while it runs.
bool may_be_silent(const model::FactSource& source) {
    return source.identity || source.temporary != model::Temporary::no;
}

// The same for any fact of its process, but for those that tell whether it runs.
bool is_mute_while_down(const model::FactSource& source) {
    const auto standard = source.standard_fact;
    return may_be_silent(source)
           || (model::asks_the_process(source) && standard != model::StandardFact::running
               && standard != model::StandardFact::ready && standard != model::StandardFact::leads);
}

bool was_down(const Plan& plan, const std::string& member) {
    const auto running =
        plan.bound_facts.find(bound_key(plan, member, model::StandardFact::running));
    return running != plan.bound_facts.end() && running->second.status == ObservationStatus::absent;
}

// True if a member said nothing when the plan was made, because it was down. Every member has an
// identity; a temporary fact may be absent of one that is up, too.
bool never_said(const Plan& plan, const model::FactSource& source, const Expectation& expectation) {
    const bool was_absent = expectation.writer.empty() && expectation.any_of.size() == 1
                            && expectation.any_of.front().status == ObservationStatus::absent;
    return was_absent && (source.identity || was_down(plan, source.member));
}

// True if a fact is derived over members, and none of those is expected to be up: then nobody can
// tell it, and it is unknown.
bool is_untold(const Plan& plan,
               const model::FactSource& source,
               const std::set<std::string, std::less<>>& live_members) {
    return source.is_derived() && !source.inputs.empty()
           && std::all_of(source.inputs.begin(), source.inputs.end(), [&](const auto& key) {
                  const auto input = plan.sources.find(key);
                  return input != plan.sources.end() && !input->second.member.empty()
                         && !live_members.contains(input->second.member);
              });
}

// Leaves out identities, temporary facts and what only the process tells, where these cannot be
// read. A member that is not expected to be up need not say them, and a member that was down at
// planning time never said them.
void excuse_silence(const Plan& plan, const State& state, ExpectedFacts& world) {
    const auto roster = members_up(plan, state);
    std::set<std::string, std::less<>> live_members;
    for (const auto& [role, members] : roster) {
        live_members.insert(members.begin(), members.end());
    }
    for (auto& [key, expectation] : world) {
        const auto source = plan.sources.find(key);
        if (source != plan.sources.end() && !expectation.any_of.empty()
            && is_untold(plan, source->second, live_members)) {
            expectation.any_of.push_back({ObservationStatus::unknown, {}, "expected", 0});
        }
        if (source == plan.sources.end() || source->second.member.empty()) {
            continue;
        }
        if (may_be_silent(source->second) && never_said(plan, source->second, expectation)) {
            expectation.any_of.clear();
        }
        if (!expectation.any_of.empty() && is_mute_while_down(source->second)
            && !live_members.contains(source->second.member)) {
            expectation.any_of.push_back(value_of({}));
        }
    }
}

// Members of a role that is ready together need not be ready while too few of them run.
void excuse_readiness(const Plan& plan, const State& state, ExpectedFacts& world) {
    for (const model::PlanRole& role : plan.roles) {
        const auto needed = static_cast<std::size_t>(role.ready_with);
        if (needed == 0 || members_up(plan, state)[role.name].size() >= needed) {
            continue;
        }
        for (const std::string& member : role.members) {
            const auto ready = world.find(bound_key(plan, member, model::StandardFact::ready));
            if (ready != world.end() && !ready->second.any_of.empty()) {
                ready->second.any_of.push_back(value_of({}));
            }
        }
    }
}

// True for a fact that moves without the plan: its value is never drift.
bool moves_by_itself(const model::FactSource& source) {
    return source.is_volatile || source.standard_fact == model::StandardFact::leads;
}

}  // namespace

ExpectedFacts expected_facts(const Plan& plan, const State& state) {
    ExpectedFacts world;
    for (const auto& [key, observation] : plan.bound_facts) {
        world[key].any_of.push_back(observation);
    }
    ExpectedStores stores(plan, world);
    ExpectedStartsAndStops moves(plan, world);
    for (std::size_t i = 0; i < plan.actions.size(); ++i) {
        const Status status = state.status(i);
        if (took_effect(status) || may_have_changed(state, i)) {
            apply_effects(world, plan.actions[i], status);
            moves.apply(plan.actions[i], status);
            apply_meanwhile(world, plan.actions[i], status);
            open_clean_stops(world, plan, plan.actions[i]);
            stores.apply(plan.actions[i], status);
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
    excuse_silence(plan, state, world);
    excuse_readiness(plan, state, world);
    return world;
}

// Facts with a range of possible values match if one of them does.
std::vector<Drift>
find_drift(const Plan& plan, const State& state, const model::FactBook& observed) {
    std::vector<Drift> moved;
    for (const auto& [key, expectation] : expected_facts(plan, state)) {
        const auto source = plan.sources.find(key);
        const auto observation = observed.find(key);
        if (expectation.any_of.empty() || source == plan.sources.end()
            || moves_by_itself(source->second) || observation == observed.end()) {
            continue;
        }
        const bool fits = std::any_of(
            expectation.any_of.begin(), expectation.any_of.end(), [&](const Observation& expected) {
                return matches(observation->second, expected, source->second);
            });
        if (!fits) {
            moved.push_back({key,
                             show_expected(expectation),
                             to_text(observation->second),
                             observation->second.evidence,
                             observation->second.status == ObservationStatus::unknown});
        }
    }
    return moved;
}

}  // namespace drydock::run
