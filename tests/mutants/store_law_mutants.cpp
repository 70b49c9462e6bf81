// Stores under the laws: who may read them, and what must be done before.
#include "mutants/law_operators.h"

#include <algorithm>

namespace drydock::mutants {

namespace {

using model::Action;
using model::EffectKind;
using model::Plan;
using model::Verb;

bool must_be_reindexed(const Plan& plan, const Action& action) {
    const model::PlanStore* store = raised_by(plan, action);
    const auto law = store == nullptr
                         ? std::map<std::string, model::FormatSupport>::const_iterator()
                         : store->laws.find(plan.to_version);
    return store != nullptr && law != store->laws.end() && !law->second.starts_on.empty();
}

bool asks_for_clean(const Plan& plan, const Action& action) {
    return std::any_of(plan.stores.begin(), plan.stores.end(), [&](const auto& store) {
        return std::any_of(
            store.clean_stop.begin(), store.clean_stop.end(), [&](const std::string& key) {
                return std::any_of(
                    action.preconditions.begin(),
                    action.preconditions.end(),
                    [&](const auto& condition) { return key.ends_with(condition.fact); });
            });
    });
}

void trust_all_stops(Plan& plan) {
    for (std::size_t i = 0; i < plan.actions.size(); ++i) {
        if (asks_for_clean(plan, plan.actions[i])) {
            drop_guard(plan, i);
        }
    }
}

bool has_newest(const Plan& plan) {
    return std::any_of(plan.stores.begin(), plan.stores.end(), [](const auto& store) {
        return store.newest_last_stopped;
    });
}

}  // namespace

std::vector<Mutant> migrate_before_stops(const Base& base, const Plan& plan, const char* kind) {
    const auto migrates = [&](const Action& action) {
        return action.verb == Verb::migrate && raised_by(plan, action) != nullptr;
    };
    return each(kind, base, plan, migrates, move_to_front);
}

// Before every member runs the release, its law cannot fire, and nobody sees the level rise.
std::vector<Mutant> ask_for_a_rise_too_early(const Base& base, const Plan& plan, const char* kind) {
    const auto asks = [&](const Action& action) {
        const model::PlanStore* store = raised_by(plan, action);
        return action.verb == Verb::finalize && store != nullptr
               && store->laws.at(plan.to_version).trigger == model::FormatTrigger::when_all;
    };
    return each(kind, base, plan, asks, move_to_front);
}

std::vector<Mutant> leave_a_restore_out(const Base& base, const Plan& plan, const char* kind) {
    const auto restores = [](const Action& action) {
        return has_effect(action, EffectKind::restores);
    };
    return each(kind, base, plan, restores, remove_action);
}

std::vector<Mutant> serve_without_reindex(const Base& base, const Plan& plan, const char* kind) {
    const auto test = [&](const Action& action) { return must_be_reindexed(plan, action); };
    return each(kind, base, plan, test, remove_action);
}

std::vector<Mutant> reindex_while_served(const Base& base, const Plan& plan, const char* kind) {
    const auto test = [&](const Action& action) { return must_be_reindexed(plan, action); };
    return each(kind, base, plan, test, [](Plan& broken, std::size_t index) {
        for (Action& action : broken.actions) {
            if (action.verb == Verb::release) {
                std::replace(action.predecessors.begin(),
                             action.predecessors.end(),
                             index,
                             broken.actions[index].predecessors.front());
            }
        }
    });
}

// What the guard is there for is a death; any of the members may be the last.
std::vector<Mutant> read_an_unclean_store(const Base& base, const Plan& plan, const char* kind) {
    std::vector<Mutant> mutants;
    const bool asks = std::any_of(plan.actions.begin(), plan.actions.end(), [&](const Action& one) {
        return asks_for_clean(plan, one);
    });
    if (asks) {
        trust_all_stops(add(mutants, kind, base, plan, "whoever died"));
    }
    return mutants;
}

std::vector<Mutant> leave_a_stop_out(const Base& base, const Plan& plan, const char* kind) {
    const auto stops = [&](const Action& action) {
        return action.verb == Verb::stop && !plan.stores.empty()
               && !plan.stores.front().clean_stop.empty();
    };
    return each(kind, base, plan, stops, [](Plan& broken, std::size_t index) {
        trust_all_stops(broken);
        remove_action(broken, index);
    });
}

std::vector<Mutant> start_another_first(const Base& base, const Plan& plan, const char* kind) {
    const auto starts = [&](const Action& action) {
        return action.verb == Verb::start && has_newest(plan);
    };
    std::vector<Mutant> mutants;
    for (std::size_t i = 0; i < plan.actions.size(); ++i) {
        for (std::size_t j = i + 1; starts(plan.actions[i]) && j < plan.actions.size(); ++j) {
            if (starts(plan.actions[j]) && comes_behind(plan, j, i)) {
                exchange(add(mutants,
                             kind,
                             base,
                             plan,
                             plan.actions[j].id + " before " + plan.actions[i].id),
                         i,
                         j);
            }
        }
    }
    return mutants;
}

std::vector<Mutant> let_clients_in_meanwhile(const Base& base, const Plan& plan, const char* kind) {
    const auto quiesces = [&](const Action& action) {
        return action.verb == Verb::quiesce && has_newest(plan);
    };
    return each(kind, base, plan, quiesces, remove_action);
}

std::vector<Mutant>
change_image_without_rebuild(const Base& base, const Plan& plan, const char* kind) {
    const auto rebuilds = [&](const Action& action) {
        const model::PlanStore* store = raised_by(plan, action);
        return store != nullptr && !store->read_by.empty();
    };
    return each(kind, base, plan, rebuilds, remove_action);
}

}  // namespace drydock::mutants
