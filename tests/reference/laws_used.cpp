#include "reference/laws_used.h"

#include "reference/world.h"

#include <algorithm>

namespace drydock::reference {

namespace {

using model::EffectKind;
using model::FormatSupport;
using model::FormatTrigger;
using model::Plan;
using model::PlanRole;
using model::PlanStore;

template <class Test>
bool any_role(const Plan& plan, Test test) {
    return std::any_of(plan.roles.begin(), plan.roles.end(), test);
}

template <class Test>
bool any_store(const Plan& plan, Test test) {
    return std::any_of(plan.stores.begin(), plan.stores.end(), test);
}

template <class Test>
bool any_law(const Plan& plan, Test test) {
    return any_store(plan, [&](const PlanStore& store) {
        return std::any_of(store.laws.begin(), store.laws.end(), [&](const auto& law) {
            return test(law.second);
        });
    });
}

bool any_effect(const Plan& plan, EffectKind kind) {
    return std::any_of(plan.actions.begin(), plan.actions.end(), [&](const model::Action& action) {
        return std::any_of(action.effects.begin(), action.effects.end(), [&](const auto& effect) {
            return effect.kind == kind;
        });
    });
}

bool raises(const Plan& plan, FormatTrigger trigger) {
    return any_law(plan, [&](const FormatSupport& law) { return law.trigger == trigger; });
}

template <class Field>
bool any_action(const Plan& plan, Field field) {
    return std::any_of(plan.actions.begin(), plan.actions.end(), [&](const model::Action& action) {
        return !(action.*field).empty();
    });
}

// A step that moves a member though its verb does not say so.
bool run_moves(const Plan& plan) {
    return std::any_of(plan.actions.begin(), plan.actions.end(), [&](const model::Action& action) {
        return action.verb == model::Verb::run
               && std::any_of(action.effects.begin(), action.effects.end(), [](const auto& effect) {
                      return effect.name == "running";
                  });
    });
}

bool any_own(const Plan& plan) {
    return std::any_of(plan.actions.begin(), plan.actions.end(), [](const model::Action& action) {
        return std::any_of(action.effects.begin(), action.effects.end(), [](const auto& effect) {
            return effect.own;
        });
    });
}

bool any_vote_moves(const Plan& plan) {
    return std::any_of(plan.actions.begin(), plan.actions.end(), [](const model::Action& action) {
        return std::any_of(action.effects.begin(), action.effects.end(), [](const auto& effect) {
            return effect.name == "votes";
        });
    });
}

bool has_two_whiles(const Plan& plan) {
    return std::count_if(plan.actions.begin(),
                         plan.actions.end(),
                         [](const model::Action& action) { return !action.meanwhile.empty(); })
           > 1;
}

bool any_down_meanwhile(const Plan& plan) {
    return std::any_of(plan.actions.begin(), plan.actions.end(), [](const model::Action& action) {
        return std::any_of(action.meanwhile.begin(),
                           action.meanwhile.end(),
                           [](const auto& effect) { return effect.name == "running"; });
    });
}

bool has_voters(const Plan& plan) {
    return std::any_of(plan.sources.begin(), plan.sources.end(), [](const auto& source) {
        return source.second.standard_fact == model::StandardFact::voter;
    });
}

bool is_open_behind_gate(const Drawn& drawn) {
    const auto& actions = drawn.plan.actions;
    return static_cast<bool>(drawn.back)
           && std::any_of(actions.begin(), actions.end(), [](const model::Action& action) {
                  return action.is_point_of_no_return;
              });
}

std::map<std::string_view, bool> laws_of_roles(const Plan& plan) {
    const bool groups = any_role(plan, [](const PlanRole& role) { return !role.groups.empty(); });
    const bool together = any_role(plan, [](const PlanRole& role) { return role.ready_with > 0; });
    const bool never = any_role(plan, [](const PlanRole& role) { return !role.restarts; });
    const bool restarts = any_role(plan, [](const PlanRole& role) { return role.restarts; });
    return {{"groups", groups},
            {"voters", groups && has_voters(plan)},
            {"ready_with", together},
            {"restarts never", never && !plan.skew.empty()},
            {"restarts", restarts && !plan.skew.empty()}};
}

std::map<std::string_view, bool> laws_of_stores(const Plan& plan) {
    return {
        {"on_lead", raises(plan, FormatTrigger::on_lead)},
        {"when_all_running", raises(plan, FormatTrigger::when_all_running)},
        {"leader_only", any_store(plan, [](const auto& store) { return store.leader_only; })},
        {"starts_on", any_law(plan, [](const auto& law) { return !law.starts_on.empty(); })},
        {"alone start", any_law(plan, [](const auto& law) { return law.alone; })},
        {"clean_stop",
         any_store(plan, [](const auto& store) { return !store.clean_stop.empty(); })},
        {"newest", any_store(plan, [](const auto& store) { return store.newest_last_stopped; })},
        {"read_by", any_store(plan, [](const auto& store) { return !store.read_by.empty(); })},
    };
}

std::map<std::string_view, bool> laws_of_steps(const Drawn& drawn) {
    const Plan& plan = drawn.plan;
    return {{"temporary", !plan.temporaries.empty()},
            {"temporary back", !plan.temporaries.empty() && static_cast<bool>(drawn.back)},
            {"open behind a gate", is_open_behind_gate(drawn)},
            {"budget restart", drawn.faults.restart > 0},
            {"destroys", any_effect(plan, EffectKind::destroys)},
            {"restores", any_effect(plan, EffectKind::restores)},
            {"run moves", run_moves(plan)},
            {"while", any_action(plan, &model::Action::meanwhile)},
            {"while together", has_two_whiles(plan)},
            {"while down", any_down_meanwhile(plan)},
            {"own", any_own(plan)},
            {"votes moved", any_vote_moves(plan)},
            {"alone", any_action(plan, &model::Action::alone)}};
}

}  // namespace

std::vector<LawAndProperty> laws_used(const Drawn& drawn) {
    std::map<std::string_view, bool> used = laws_of_roles(drawn.plan);
    used.merge(laws_of_stores(drawn.plan));
    used.merge(laws_of_steps(drawn));
    std::vector<LawAndProperty> laws;
    std::copy_if(k_laws_of_what_happens.begin(),
                 k_laws_of_what_happens.end(),
                 std::back_inserter(laws),
                 [&](const LawAndProperty& law) { return used.at(law.law); });
    return laws;
}

}  // namespace drydock::reference
