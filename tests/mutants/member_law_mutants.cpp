// Members under the laws: guards and orders that keep enough of them up, and commands apart.
#include "mutants/law_operators.h"

#include <algorithm>

namespace drydock::mutants {

namespace {

using model::Action;
using model::Effect;
using model::Plan;
using model::Verb;

bool restarts(const Action& action) {
    return action.verb == Verb::run
           && std::any_of(action.effects.begin(), action.effects.end(), [](const Effect& effect) {
                  return effect.name == "running" && !effect.value.is_null();
              });
}

bool sets_vote(const Action& action, bool vote) {
    return std::any_of(action.effects.begin(), action.effects.end(), [&](const Effect& effect) {
        return effect.name == "votes" && effect.value == Json(vote);
    });
}

bool takes_vote(const Action& action) {
    return sets_vote(action, false);
}

bool gives_vote(const Action& action) {
    return sets_vote(action, true);
}

bool has_groups(const Plan& plan, const Action& action) {
    const model::PlanRole* role = role_of(plan, action.member);
    return role != nullptr && !role->groups.empty();
}

// A quorum that is a number of members, of which majorities are one kind.
bool has_number(const Plan& plan, const Action& action) {
    const model::PlanRole* role = role_of(plan, action.member);
    return action.verb == Verb::stop && role != nullptr && role->quorum > 0 && role->groups.empty();
}

// What is done for one member is done for the other, and the other way round.
void exchange_members(Plan& plan, const std::string& one, const std::string& other) {
    const std::vector<Action> before = plan.actions;
    for (std::size_t i = 0; i < before.size(); ++i) {
        for (std::size_t j = 0; j < before.size(); ++j) {
            if (before[i].member == one && before[j].member == other
                && before[i].verb == before[j].verb) {
                exchange(plan, i, j);
            }
        }
    }
}

// Leaders move, so the plan is not bound to who leads; it has seen it.
std::string leader_of(const Plan& plan) {
    for (const auto& [key, source] : plan.sources) {
        const auto seen = plan.survey_facts.find(key);
        if (source.standard_fact == model::StandardFact::leads && seen != plan.survey_facts.end()
            && seen->second.value == Json(true)) {
            return source.member;
        }
    }
    return "";
}

}  // namespace

std::vector<Mutant> restart_unguarded(const Base& base, const Plan& plan, const char* kind) {
    return each(kind, base, plan, restarts, drop_guard);
}

std::vector<Mutant> restart_two_at_once(const Base& base, const Plan& plan, const char* kind) {
    const auto behind_another = [&](const Action& action) {
        return restarts(action) && !is_first_of_all(plan, action.member);
    };
    return each(kind, base, plan, behind_another, do_two_at_once);
}

std::vector<Mutant> install_before_gate(const Base& base, const Plan& plan, const char* kind) {
    std::vector<Mutant> mutants;
    for (std::size_t gate = 0; gate < plan.actions.size(); ++gate) {
        for (std::size_t i = 0; plan.actions[gate].is_point_of_no_return && i < plan.actions.size();
             ++i) {
            if (plan.actions[i].verb == Verb::install && comes_behind(plan, i, gate)) {
                move_behind(add(mutants, kind, base, plan, plan.actions[i].id), gate, i);
            }
        }
    }
    return mutants;
}

// Its own stop is all that it waits for.
std::vector<Mutant>
install_before_other_stops(const Base& base, const Plan& plan, const char* kind) {
    const auto installs = [&](const Action& action) {
        return action.verb == Verb::install && !plan.skew.empty();
    };
    return each(kind, base, plan, installs, [&](Plan& broken, std::size_t index) {
        for (std::size_t i = 0; i < plan.actions.size(); ++i) {
            if (plan.actions[i].verb == Verb::stop
                && plan.actions[i].member == plan.actions[index].member) {
                broken.actions[index].predecessors = {i};
            }
        }
    });
}

std::vector<Mutant> stop_without_group(const Base& base, const Plan& plan, const char* kind) {
    const auto stops = [&](const Action& action) {
        return action.verb == Verb::stop && has_groups(plan, action);
    };
    return each(kind, base, plan, stops, drop_guard);
}

std::vector<Mutant> stop_two_of_a_group(const Base& base, const Plan& plan, const char* kind) {
    const auto stops = [&](const Action& action) {
        return action.verb == Verb::stop && has_groups(plan, action)
               && !is_first_of_all(plan, action.member);
    };
    return each(kind, base, plan, stops, do_two_at_once);
}

std::vector<Mutant> stop_without_number(const Base& base, const Plan& plan, const char* kind) {
    const auto stops = [&](const Action& action) { return has_number(plan, action); };
    return each(kind, base, plan, stops, drop_guard);
}

std::vector<Mutant> stop_two_of_a_number(const Base& base, const Plan& plan, const char* kind) {
    const auto stops = [&](const Action& action) {
        return has_number(plan, action) && !is_first_of_all(plan, action.member);
    };
    return each(kind, base, plan, stops, do_two_at_once);
}

std::vector<Mutant> take_a_vote_unguarded(const Base& base, const Plan& plan, const char* kind) {
    return each(kind, base, plan, takes_vote, drop_guard);
}

std::vector<Mutant> take_two_votes_at_once(const Base& base, const Plan& plan, const char* kind) {
    const auto behind_another = [&](const Action& action) {
        return takes_vote(action) && !is_first_of_all(plan, action.member);
    };
    return each(kind, base, plan, behind_another, do_two_at_once);
}

// The promise goes with the effect: nobody waits for a vote that is not given.
std::vector<Mutant> give_no_vote_back(const Base& base, const Plan& plan, const char* kind) {
    std::vector<Mutant> mutants;
    if (std::none_of(plan.actions.begin(), plan.actions.end(), gives_vote)) {
        return mutants;
    }
    for (Action& action : add(mutants, kind, base, plan, "all").actions) {
        if (gives_vote(action)) {
            action.effects.clear();
            action.postconditions.clear();
            action.completion_check.clear();
        }
    }
    return mutants;
}

// The stop of which the law is about stands behind the gate, and waits for it no more.
std::vector<Mutant>
stop_the_last_before_gate(const Base& base, const Plan& plan, const char* kind) {
    std::vector<Mutant> mutants;
    const bool is_about = std::any_of(plan.laws.begin(), plan.laws.end(), [](const auto& law) {
        return law.trigger == model::FormatTrigger::when_all_running;
    });
    for (std::size_t gate = 0; is_about && gate < plan.actions.size(); ++gate) {
        for (std::size_t i = 0; plan.actions[gate].is_point_of_no_return && i < plan.actions.size();
             ++i) {
            if (plan.actions[i].verb == Verb::stop && comes_behind(plan, i, gate)) {
                move_behind(add(mutants, kind, base, plan, plan.actions[i].id), gate, i);
            }
        }
    }
    return mutants;
}

std::vector<Mutant> take_leader_first(const Base& base, const Plan& plan, const char* kind) {
    std::vector<Mutant> mutants;
    const std::string leader = leader_of(plan);
    for (const std::string& other : plan.roles.front().members) {
        if (!leader.empty() && other != leader) {
            Plan& broken = add(mutants, kind, base, plan, leader + " in the place of " + other);
            exchange_members(broken, other, leader);
        }
    }
    return mutants;
}

std::vector<Mutant>
start_one_after_the_other(const Base& base, const Plan& plan, const char* kind) {
    const auto starts = [&](const Action& action) {
        const model::PlanRole* role = role_of(plan, action.member);
        return action.verb == Verb::start && role != nullptr && role->ready_with > 0;
    };
    return each(kind, base, plan, starts, [&](Plan& broken, std::size_t index) {
        for (std::size_t i = 0; i < plan.actions.size(); ++i) {
            if (i != index && starts(plan.actions[i])) {
                broken.actions[i].predecessors.push_back(index);
            }
        }
    });
}

std::vector<Mutant> do_alone_side_by_side(const Base& base, const Plan& plan, const char* kind) {
    const auto test = [&](const Action& action) {
        return !action.alone.empty() && !is_first_of_all(plan, action.member);
    };
    return each(kind, base, plan, test, do_side_by_side);
}

}  // namespace drydock::mutants
