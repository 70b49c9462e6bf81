// Initial facts: one walk through the plan without faults decides the facts that nothing fixes.
//
// The first condition on an undecided fact decides it, and the value counts from the start. A
// `when` on undecided facts is decided by a random number, so both ways of a plan are
// simulated. Postconditions that no declared effect explains become extra effects of their action.
// A condition that no value satisfies is an obstacle: the plan cannot be simulated.
#include "sim/condition_solver.h"

#include <fmt/format.h>

namespace drydock::sim {

namespace {

using model::Action;
using model::Condition;
using model::Truth;

constexpr std::int64_t k_step_ms = 60'000;  // longer than a start takes

class InitialFactsBuilder {
public:
    InitialFactsBuilder(const model::Plan& plan, transport::Faults& dice)
        : plan_(plan)
        , dice_(dice)
        , system_(plan, begin(), dice)
        , wishes_(plan, system_) {
        system_.approve();
        for (const auto& [key, source] : plan.sources) {
            if (source.standard_fact == model::StandardFact::running) {
                running_.insert(key);
            } else if (source.standard_fact == model::StandardFact::leads) {
                running_.insert(key);
                decided_keys_.insert(key);
            }
        }
    }

    InitialFacts walk() {
        for (const Action& action : plan_.actions) {
            advance_time();
            if (initial_facts_.obstacle.empty() && is_chosen(action)) {
                rehearse(action);
            }
        }
        return std::move(initial_facts_);
    }

private:
    const InitialFacts& begin() {
        initial_facts_.start = plan_.bound_facts;
        initial_facts_.postcondition_facts.resize(plan_.actions.size());
        for (const auto& [key, observation] : plan_.bound_facts) {
            decided_keys_.insert(key);
            begin_inputs(key, observation);
        }
        return initial_facts_;
    }

    // A derived fact with a planned value fixes its inputs, if it copies one of them.
    void begin_inputs(const std::string& key, const model::Observation& planned) {
        const auto source = plan_.sources.find(key);
        const bool copies = source != plan_.sources.end() && source->second.is_derived()
                            && source->second.derive != model::Derivation::minus
                            && source->second.derive != model::Derivation::percent;
        if (!copies || planned.status != model::ObservationStatus::known) {
            return;
        }
        for (const std::string& input : source->second.inputs) {
            if (!plan_.bound_facts.contains(input)) {
                initial_facts_.start[input] = planned;
                decided_keys_.insert(input);
            }
        }
    }

    void advance_time() { system_.advance(now_ms_ += k_step_ms); }

    // Records values as initial facts: no action has read them before.
    void record_initial(const Settings& set) {
        for (const auto& [key, value] : set) {
            initial_facts_.start[key] = {model::ObservationStatus::known, value, "assumed", 0};
            if (value.is_null()) {
                initial_facts_.start[key].status = model::ObservationStatus::absent;
            }
            decided_keys_.insert(key);
        }
    }

    // True if the condition reads an undecided fact.
    [[nodiscard]] bool open(const Condition& condition, const Action& action) const {
        for (const std::string& key : model::facts_of(condition, plan_.roster(), action.member)) {
            if (!decided_keys_.contains(key)) {
                return true;
            }
        }
        return false;
    }

    // Decides whether the action applies to this cluster; undecided facts are decided at random.
    bool is_chosen(const Action& action) {
        for (const Condition& condition : action.applies_if) {
            Settings set;
            wishes_.satisfy_inputs(condition, action.member, decided_keys_, set);
            if (open(condition, action) && dice_.between(0, 1) == 1) {
                (void)wishes_.satisfy(condition, action.member, decided_keys_, set);
            }
            record_initial(set);
            for (std::string& key : model::facts_of(condition, plan_.roster(), action.member)) {
                decided_keys_.insert(std::move(key));  // a later condition may not change it
            }
            if (wishes_.judge(condition, action.member).outcome != Truth::yes) {
                return false;
            }
        }
        return true;
    }

    // Makes the conditions hold, by laws that may fire first and by undecided facts. The first
    // failure is the obstacle.
    void require(const std::vector<Condition>& conditions, const Action& action) {
        for (const Condition& condition : conditions) {
            if (wishes_.judge(condition, action.member).outcome != Truth::yes) {
                system_.fire_laws();
            }
            Settings set;
            const bool granted = wishes_.satisfy(condition, action.member, decided_keys_, set);
            record_initial(set);
            if (!granted && initial_facts_.obstacle.empty()) {
                initial_facts_.obstacle = fmt::format(
                    "{}: {}", action.id, wishes_.judge(condition, action.member).because);
            }
        }
    }

    // Applies the action as the system will. A postcondition may set any fact except `running`,
    // which only starts and stops move.
    void rehearse(const Action& action) {
        require(action.preconditions, action);
        if (action.request.is_null()) {
            require(action.postconditions, action);
            return;
        }
        system_.take_effect(action);
        advance_time();
        Settings& promised =
            initial_facts_
                .postcondition_facts[static_cast<std::size_t>(&action - plan_.actions.data())];
        for (const Condition& condition : action.postconditions) {
            if (!wishes_.satisfy(condition, action.member, running_, promised)
                && initial_facts_.obstacle.empty() && system_.violations().empty()) {
                initial_facts_.obstacle = fmt::format(
                    "{}: {}", action.id, wishes_.judge(condition, action.member).because);
            }
        }
        for (const auto& [key, value] : promised) {
            decided_keys_.insert(key);
        }
    }

    const model::Plan& plan_;
    transport::Faults& dice_;
    InitialFacts initial_facts_;
    std::set<std::string> running_;       // keys that only starts, stops and elections move
    std::set<std::string> decided_keys_;  // keys that have a value from the start, or had one since
    ModelledSystem system_;
    ConditionSolver wishes_;
    std::int64_t now_ms_ = 0;
};

}  // namespace

InitialFacts choose_initial_facts(const model::Plan& plan, transport::Faults& dice) {
    return InitialFactsBuilder(plan, dice).walk();
}

}  // namespace drydock::sim
