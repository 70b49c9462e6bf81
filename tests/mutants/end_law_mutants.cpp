// Ends under the laws: what a plan has switched or begun is not left so.
#include "mutants/law_operators.h"

#include <algorithm>

namespace drydock::mutants {

namespace {

using model::Action;
using model::Effect;
using model::Plan;
using model::Verb;

// It switches a temporary fact back to what the plan found.
bool switches_back(const Plan& plan, const Action& action) {
    return std::any_of(action.effects.begin(), action.effects.end(), [&](const Effect& effect) {
        return std::any_of(
            plan.temporaries.begin(), plan.temporaries.end(), [&](const auto& before) {
                return model::fact_key(effect.member, effect.name) == before.key
                       && effect.value == before.value.value;
            });
    });
}

bool has_half_done(const Action& action) {
    return !action.meanwhile.empty();
}

bool is_way_back(const model::ProcedureSpec& procedure) {
    return procedure.name == model::k_downgrade;
}

// Returns the ids of the commands of the way back.
std::vector<std::string> commands_back(const model::Pack& pack) {
    std::vector<std::string> ids;
    for (const model::ProcedureSpec& procedure : pack.procedures) {
        for (const model::PhaseSpec& phase : procedure.phases) {
            for (const model::StepSpec& step : phase.steps) {
                if (is_way_back(procedure) && step.verb == Verb::run) {
                    ids.push_back(step.id);
                }
            }
        }
    }
    return ids;
}

// Returns the pack without that step of its way back.
model::Pack without(model::Pack pack, const std::string& id) {
    for (model::ProcedureSpec& procedure : pack.procedures) {
        for (model::PhaseSpec& phase : procedure.phases) {
            std::erase_if(phase.steps, [&](const model::StepSpec& step) {
                return is_way_back(procedure) && step.id == id;
            });
        }
    }
    return pack;
}

}  // namespace

std::vector<Mutant> leave_switched(const Base& base, const Plan& plan, const char* kind) {
    const auto test = [&](const Action& action) {
        return plan.reverts_run.empty() && action.applies_if.empty() && switches_back(plan, action);
    };
    return each(kind, base, plan, test, remove_action);
}

std::vector<Mutant>
leave_switched_on_the_way_back(const Base& base, const Plan& plan, const char* kind) {
    const auto test = [&](const Action& action) {
        return !plan.reverts_run.empty() && switches_back(plan, action);
    };
    return each(kind, base, plan, test, remove_action);
}

// The plan is right, and the pack's way back is not.
std::vector<Mutant> forget_on_the_way_back(const Base& base, const Plan& plan, const char* kind) {
    std::vector<Mutant> mutants;
    if (plan.reverts_run.empty() && !plan.temporaries.empty()) {
        for (const std::string& step : commands_back(base.site->pack)) {
            add(mutants, kind, base, plan, step);
            mutants.back().back = base.back_with(without(base.site->pack, step));
        }
    }
    return mutants;
}

std::vector<Mutant> give_up_half_done(const Base& base, const Plan& plan, const char* kind) {
    const auto tried_again = [](const Action& action) {
        return has_half_done(action) && action.attempts > 1;
    };
    return each(kind, base, plan, tried_again, [](Plan& broken, std::size_t index) {
        broken.actions[index].attempts = 1;
    });
}

std::vector<Mutant>
forbid_to_repeat_half_done(const Base& base, const Plan& plan, const char* kind) {
    return each(kind, base, plan, has_half_done, [](Plan& broken, std::size_t index) {
        broken.actions[index].repeatable = model::Repeatable::no;
    });
}

std::vector<Mutant> leave_a_mark(const Base& base, const Plan& plan, const char* kind) {
    const auto test = [&](const Action& action) {
        return !action.applies_if.empty() && switches_back(plan, action);
    };
    return each(kind, base, plan, test, remove_action);
}

}  // namespace drydock::mutants
