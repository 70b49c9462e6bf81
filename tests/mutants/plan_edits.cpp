#include "mutants/plan_edits.h"

#include "base/check.h"

#include <algorithm>
#include <set>

namespace drydock::mutants {

namespace {

using model::Action;
using model::Plan;

bool is_of_another(const Plan& plan, std::size_t index, std::size_t before) {
    const std::string& own = plan.actions[index].member;
    const std::string& member = plan.actions[before].member;
    return !member.empty() && !own.empty() && member != own;
}

void collect(const Plan& plan, std::size_t index, std::size_t at, std::set<std::size_t>& after) {
    for (const std::size_t before : plan.actions[at].predecessors) {
        if (is_of_another(plan, index, before)) {
            collect(plan, index, before, after);
        } else {
            after.insert(before);
        }
    }
}

}  // namespace

void bypass(Plan& plan, std::size_t index) {
    const std::vector<std::size_t> before = plan.actions[index].predecessors;
    for (Action& action : plan.actions) {
        std::set<std::size_t> after(action.predecessors.begin(), action.predecessors.end());
        if (after.erase(index) != 0) {
            after.insert(before.begin(), before.end());
        }
        action.predecessors.assign(after.begin(), after.end());
    }
}

void remove_action(Plan& plan, std::size_t index) {
    bypass(plan, index);
    plan.actions.erase(plan.actions.begin() + static_cast<std::ptrdiff_t>(index));
    for (Action& other : plan.actions) {
        for (std::size_t& before : other.predecessors) {
            before -= before > index ? 1 : 0;
        }
    }
}

void move_to_front(Plan& plan, std::size_t index) {
    bypass(plan, index);
    plan.actions[index].predecessors.clear();
    for (std::size_t i = 0; i < plan.actions.size(); ++i) {
        if (plan.actions[i].predecessors.empty() && i != index) {
            plan.actions[i].predecessors.push_back(index);
        }
    }
}

void move_behind(Plan& plan, std::size_t index, std::size_t before) {
    bypass(plan, index);
    for (Action& action : plan.actions) {
        std::replace(action.predecessors.begin(), action.predecessors.end(), before, index);
    }
    plan.actions[index].predecessors = {before};
}

void exchange(Plan& plan, std::size_t one, std::size_t other) {
    std::swap(plan.actions[one], plan.actions[other]);
    std::swap(plan.actions[one].predecessors, plan.actions[other].predecessors);
}

std::vector<std::size_t> after_without_others(const Plan& plan, std::size_t index) {
    std::set<std::size_t> after;
    collect(plan, index, index, after);
    return {after.begin(), after.end()};
}

bool waits_for_others(const Plan& plan, std::size_t index) {
    const auto& after = plan.actions[index].predecessors;
    return std::any_of(after.begin(), after.end(), [&](std::size_t before) {
        return is_of_another(plan, index, before);
    });
}

bool comes_behind(const Plan& plan, std::size_t index, std::size_t before) {
    const auto& after = plan.actions[index].predecessors;
    return std::any_of(after.begin(), after.end(), [&](std::size_t one) {
        return one == before || comes_behind(plan, one, before);
    });
}

bool has_effect(const Action& action, model::EffectKind kind) {
    return std::any_of(action.effects.begin(), action.effects.end(), [&](const auto& effect) {
        return effect.kind == kind;
    });
}

const model::PlanStore* raised_by(const Plan& plan, const Action& action) {
    for (const model::Effect& effect : action.effects) {
        for (const model::PlanStore& store : plan.stores) {
            if (effect.kind == model::EffectKind::raises && effect.name == store.name) {
                return &store;
            }
        }
    }
    return nullptr;
}

std::size_t index_of(const Plan& plan, const std::string& id) {
    for (std::size_t i = 0; i < plan.actions.size(); ++i) {
        if (plan.actions[i].id == id) {
            return i;
        }
    }
    CHECK(false);
    return 0;
}

}  // namespace drydock::mutants
