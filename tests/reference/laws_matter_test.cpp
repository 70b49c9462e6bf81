// Each law of what happens matters to drawn plans: without it, some have another verdict.
//
// DRYDOCK_SEEDS: half as many plans at most (default 500).
#include "reference/laws_used.h"
#include "reference/random.h"
#include "reference/reference.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>

namespace drydock::reference {
namespace {

using model::EffectKind;
using model::FormatSupport;
using model::FormatTrigger;
using model::Plan;
using model::PlanRole;
using model::PlanStore;

using Strip = std::function<void(Drawn&)>;

Strip of_roles(void (*strip)(PlanRole&)) {
    return [strip](Drawn& drawn) {
        std::for_each(drawn.plan.roles.begin(), drawn.plan.roles.end(), strip);
    };
}

Strip of_stores(void (*strip)(PlanStore&)) {
    return [strip](Drawn& drawn) {
        std::for_each(drawn.plan.stores.begin(), drawn.plan.stores.end(), strip);
    };
}

Strip of_laws(void (*strip)(FormatSupport&)) {
    return [strip](Drawn& drawn) {
        for (PlanStore& store : drawn.plan.stores) {
            for (auto& [release, law] : store.laws) {
                strip(law);
            }
        }
    };
}

Strip of_actions(void (*strip)(model::Action&)) {
    return [strip](Drawn& drawn) {
        std::for_each(drawn.plan.actions.begin(), drawn.plan.actions.end(), strip);
    };
}

void drop_effects(model::Action& action, EffectKind kind) {
    std::erase_if(action.effects, [&](const auto& effect) { return effect.kind == kind; });
}

void drop_trigger(FormatSupport& law, FormatTrigger trigger) {
    law.trigger = law.trigger == trigger ? FormatTrigger::never : law.trigger;
}

void read_all_that_it_starts_on(FormatSupport& law) {
    law.reads.insert(law.reads.end(), law.starts_on.begin(), law.starts_on.end());
    law.starts_on.clear();
}

void drop_voters(Drawn& drawn) {
    std::erase_if(drawn.plan.sources, [](const auto& source) {
        return source.second.standard_fact == model::StandardFact::voter;
    });
}

void drop_moves(model::Action& action) {
    if (action.verb == model::Verb::run) {
        std::erase_if(action.effects, [](const auto& effect) { return effect.name == "running"; });
    }
}

void take_as_a_whole(model::Action& action) {
    for (model::Effect& effect : action.effects) {
        effect.own = false;
    }
}

void keep_votes(model::Action& action) {
    std::erase_if(action.effects, [](const auto& effect) { return effect.name == "votes"; });
}

// The first step behind the gate closes the way back, so that no later one is asked for.
void close_right_behind_gate(Drawn& drawn) {
    const auto& actions = drawn.plan.actions;
    const auto gate = std::find_if(actions.begin(), actions.end(), [](const model::Action& action) {
        return action.is_point_of_no_return;
    });
    if (gate != actions.end() && gate + 1 != actions.end()) {
        drawn.plan.point_of_no_return = {
            .exists = true, .action = (gate + 1)->id, .gate = gate->gate};
    }
}

void stay_up_meanwhile(model::Action& action) {
    std::erase_if(action.meanwhile, [](const auto& effect) { return effect.name == "running"; });
}

const std::map<std::string_view, Strip>& strips() {
    static const std::map<std::string_view, Strip> k_strips = {
        {"temporary", [](Drawn& drawn) { drawn.plan.temporaries.clear(); }},
        {"temporary back", [](Drawn& drawn) { drawn.plan.temporaries.clear(); }},
        {"open behind a gate", close_right_behind_gate},
        {"groups", of_roles([](PlanRole& role) { role.groups.clear(); })},
        {"voters", drop_voters},
        {"ready_with", of_roles([](PlanRole& role) { role.ready_with = 0; })},
        {"run moves", of_actions(drop_moves)},
        {"restarts never", of_roles([](PlanRole& role) { role.restarts = true; })},
        {"restarts", of_roles([](PlanRole& role) { role.restarts = false; })},
        {"budget restart", [](Drawn& drawn) { drawn.faults.restart = 0; }},
        {"on_lead", of_laws([](auto& law) { drop_trigger(law, FormatTrigger::on_lead); })},
        {"when_all_running",
         of_laws([](auto& law) { drop_trigger(law, FormatTrigger::when_all_running); })},
        {"leader_only", of_stores([](PlanStore& store) { store.leader_only = false; })},
        {"starts_on", of_laws(read_all_that_it_starts_on)},
        {"destroys",
         of_actions([](model::Action& action) { drop_effects(action, EffectKind::destroys); })},
        {"restores",
         of_actions([](model::Action& action) { drop_effects(action, EffectKind::restores); })},
        {"while", of_actions([](model::Action& action) { action.meanwhile.clear(); })},
        {"while down", of_actions(stay_up_meanwhile)},
        {"own", of_actions(take_as_a_whole)},
        {"votes moved", of_actions(keep_votes)},
        {"while together",
         [](Drawn& drawn) {
             for (model::Action& action : drawn.plan.actions) {
                 if (!action.meanwhile.empty()) {
                     action.meanwhile.clear();
                     return;
                 }
             }
         }},
        {"alone", of_actions([](model::Action& action) { action.alone.clear(); })},
        {"alone start", of_laws([](FormatSupport& law) { law.alone = false; })},
        {"clean_stop", of_stores([](PlanStore& store) { store.clean_stop.clear(); })},
        {"newest", of_stores([](PlanStore& store) { store.newest_last_stopped = false; })},
        {"read_by", of_stores([](PlanStore& store) { store.read_by.clear(); })},
    };
    return k_strips;
}

Verdict verdict_of(const Drawn& drawn) {
    constexpr std::size_t k_small = 400;
    return explore(drawn.plan, {drawn.faults, drawn.back, k_small});
}

// How many plans of these the law changes.
constexpr int k_enough = 3;

void count_changes(std::uint64_t seed, std::map<std::string_view, int>& changed) {
    const Drawn drawn = draw_laws(seed);
    std::vector<LawAndProperty> laws = laws_used(drawn);
    std::erase_if(laws, [&](const auto& law) { return changed[law.law] >= k_enough; });
    const Verdict with = laws.empty() ? Verdict{false} : verdict_of(drawn);
    for (const LawAndProperty& law : laws) {
        Drawn without = drawn;
        strips().at(law.law)(without);
        const Verdict other = with.whole ? verdict_of(without) : Verdict{false};
        changed[law.law] += other.whole && show(other) != show(with) ? 1 : 0;
    }
}

bool is_enough(const std::map<std::string_view, int>& changed) {
    return std::all_of(
        k_laws_of_what_happens.begin(), k_laws_of_what_happens.end(), [&](const auto& law) {
            const auto count = changed.find(law.law);
            return count != changed.end() && count->second >= k_enough;
        });
}

TEST(LawsOfWhatHappens, EachChangesTheVerdictOfDrawnPlans) {
    std::map<std::string_view, int> changed;
    const std::uint64_t plans = 4 * number_from("DRYDOCK_SEEDS", 500);
    for (std::uint64_t seed = 1; seed <= plans && !is_enough(changed); ++seed) {
        count_changes(seed, changed);
    }
    for (const LawAndProperty& law : k_laws_of_what_happens) {
        EXPECT_GE(changed[law.law], k_enough) << law.law;
    }
}

}  // namespace
}  // namespace drydock::reference
