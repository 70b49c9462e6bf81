// Initial facts: one walk through the plan without faults decides the facts that nothing fixes.
//
// The first condition on an undecided fact decides it, and the value counts from the start. A
// `when` on undecided facts is decided by a random number, so both ways of a plan are
// simulated. Postconditions that no declared effect explains become extra effects of their action.
// A condition that no value satisfies is an obstacle: the plan cannot be simulated. But what an
// action promises may need others beside it: members are ready together, a format rises when all
// run. So an action is left open until its conditions hold, and the walk goes on with what does not
// wait for it. Only where nothing moves any more, the level of a store moves without a law.
#include "sim/condition_solver.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

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
        , wishes_(plan, system_)
        , progress_(plan.actions.size(), Progress::waiting) {
        system_.approve();
        for (const auto& [key, source] : plan.sources) {
            if (source.standard_fact == model::StandardFact::running) {
                running_.insert(key);
            } else if (source.standard_fact == model::StandardFact::leads) {
                running_.insert(key);
                decided_keys_.insert(key);
            }
        }
        moved_by_laws_ = running_;
        for (const model::PlanStore& store : plan.stores) {
            for (const std::string& level : store.levels) {
                add_level(level);
            }
        }
    }

    InitialFacts walk() {
        for (bool has_moved = true; has_moved && initial_facts_.obstacle.empty();) {
            has_moved = false;
            for (std::size_t i = 0; i < plan_.actions.size(); ++i) {
                has_moved = go_on_with(i) || has_moved;
            }
            has_moved = has_moved || move_levels();
        }
        note_open_actions();
        return std::move(initial_facts_);
    }

private:
    enum class Progress : std::uint8_t { waiting, open, done };

    // Returns whether anything has moved.
    bool go_on_with(std::size_t index) {
        const Progress before = progress_[index];
        if (before == Progress::waiting && can_begin(plan_.actions[index])) {
            begin_action(index);
        }
        settle(index, moved_by_laws_);
        return progress_[index] != before;
    }

    void settle(std::size_t index, const std::set<std::string>& fixed) {
        if (progress_[index] == Progress::open && !unmet(index, fixed)) {
            progress_[index] = Progress::done;
        }
    }

    // Lets the first open action move levels without a law. Returns whether that helped.
    bool move_levels() {
        const auto open = std::find(progress_.begin(), progress_.end(), Progress::open);
        if (open == progress_.end()) {
            return false;
        }
        settle(static_cast<std::size_t>(open - progress_.begin()), running_);
        return *open == Progress::done;
    }

    // A level that is derived is moved by its inputs.
    void add_level(const std::string& key) {
        moved_by_laws_.insert(key);
        if (const auto source = plan_.sources.find(key); source != plan_.sources.end()) {
            moved_by_laws_.insert(source->second.inputs.begin(), source->second.inputs.end());
        }
    }

    [[nodiscard]] bool can_begin(const Action& action) const {
        const auto& before = action.predecessors;
        return initial_facts_.obstacle.empty()
               && std::all_of(before.begin(), before.end(), [&](std::size_t predecessor) {
                      return progress_[predecessor] == Progress::done;
                  });
    }

    void begin_action(std::size_t index) {
        const Action& action = plan_.actions[index];
        advance_time();
        const bool is_left_open = is_chosen(action) && take_effect(action);
        progress_[index] = is_left_open ? Progress::open : Progress::done;
    }

    // The first of them is the obstacle: it is in the way of all others.
    void note_open_actions() {
        for (std::size_t i = 0; i < plan_.actions.size(); ++i) {
            const auto condition =
                progress_[i] == Progress::open ? unmet(i, running_) : std::nullopt;
            if (condition) {
                initial_facts_.obstacle = obstacle_of(plan_.actions[i], *condition);
                return;
            }
        }
    }

    std::string obstacle_of(const Action& action, const Condition& condition) {
        return fmt::format("{}: {}", action.id, wishes_.judge(condition, action.member).because);
    }

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
                initial_facts_.obstacle = obstacle_of(action, condition);
            }
        }
    }

    // Applies the action as the system will. Returns false if it does nothing: then all that it
    // promises holds.
    bool take_effect(const Action& action) {
        require(action.preconditions, action);
        if (action.request.is_null()) {
            require(action.postconditions, action);
            return false;
        }
        system_.take_effect(action);
        advance_time();
        return true;
    }

    // Returns the first condition that the action promises and no value satisfies. A postcondition
    // may set any fact but those of `fixed`.
    std::optional<Condition> unmet(std::size_t index, const std::set<std::string>& fixed) {
        const Action& action = plan_.actions[index];
        Settings& promised = initial_facts_.postcondition_facts[index];
        std::optional<Condition> failed;
        for (const Condition& condition : action.postconditions) {
            if (wishes_.judge(condition, action.member).outcome != Truth::yes) {
                system_.fire_laws();
            }
            if (!wishes_.satisfy(condition, action.member, fixed, promised) && !failed) {
                failed = condition;
            }
        }
        for (const auto& [key, value] : promised) {
            decided_keys_.insert(key);
        }
        return system_.violations().empty() ? failed : std::nullopt;
    }

    const model::Plan& plan_;
    transport::Faults& dice_;
    InitialFacts initial_facts_;
    std::set<std::string> running_;        // keys that only starts, stops and elections move
    std::set<std::string> moved_by_laws_;  // these, and the levels of stores
    std::set<std::string> decided_keys_;  // keys that have a value from the start, or had one since
    ModelledSystem system_;
    ConditionSolver wishes_;
    std::vector<Progress> progress_;  // by action
    std::int64_t now_ms_ = 0;
};

}  // namespace

InitialFacts choose_initial_facts(const model::Plan& plan, transport::Faults& dice) {
    return InitialFactsBuilder(plan, dice).walk();
}

}  // namespace drydock::sim
