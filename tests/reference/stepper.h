// Stepper: generates the steps of one world. The conductor's are in steps.cpp, the answers to its
// commands in host_answers.cpp, all that happens by itself or by a person in environment.cpp.
#pragma once

#include "reference/answers.h"
#include "reference/steps.h"
#include "run/run.h"

namespace drydock::reference {

class Stepper {
public:
    Stepper(Model& model, const World& world, const checker::Faults& faults, Pace pace);

    std::vector<Step> all();

private:
    [[nodiscard]] const model::Action& action(std::size_t index) const {
        return model_.plan.actions[index];
    }

    // A new step; what follows happens in it.
    void step(const std::string& what, std::size_t index) { step(what + " " + action(index).id); }

    void step(const std::string& what) { steps_.push_back({what, here_, {}}); }

    World& to() { return steps_.back().to; }

    void blame(Broken broken) { steps_.back().broken.merge(std::move(broken)); }

    // Changes the cluster, and blames the step for what is bad then and was not before.
    template <class Change>
    void change(Change apply) {
        const World before = to();
        apply();
        blame(judge(model_, before, to()));
    }

    [[nodiscard]] bool can(Fault fault) const { return here_.used.at(fault) < budgets_.at(fault); }

    void pay(Fault fault) { ++to().used.at(fault); }

    void move(run::EventType type,
              std::size_t index = 0,
              run::Outcome outcome = run::Outcome::none,
              run::Purpose purpose = run::Purpose::none);

    [[nodiscard]] bool is_away(std::size_t index) const {
        return model_.is_away(here_, action(index).member);
    }

    [[nodiscard]] Answer judge_conditions(const std::vector<model::Condition>& conditions,
                                          std::size_t index) const {
        return answer(model_, conditions, action(index).member, here_, up_);
    }

    // The conductor.
    void obey_commands();
    void obey(const run::Command& command, bool alone);
    void finish();
    void send(std::size_t index);
    void judge_guard(std::size_t index, bool alone);
    void pass_guard(std::size_t index, bool alone);
    [[nodiscard]] bool leaves_at_once(std::size_t index) const;
    [[nodiscard]] bool is_unsettled();
    bool keep_promise(std::size_t index);
    void break_promise(std::size_t index);
    void judge_then(std::size_t index);
    void tell_happened(const char* what, std::size_t index, run::Outcome outcome);
    void judge_happened(std::size_t index);

    // Answers of hosts.
    void effect(std::size_t index) { blame(take_effect(model_, index, to())); }

    void end(const char* what, std::size_t index, run::Outcome outcome);
    void end_well(std::size_t index);
    void fail_without_effect(std::size_t index);
    void never_begun(std::size_t index);
    void tear(std::size_t index, bool late);
    void tear_early(std::size_t index);
    void ask(std::size_t index);
    bool any_host_answers();
    void host_answers(std::size_t index);

    // What happens by itself, and the person after a halt.
    void things_happen(bool under_way);
    void laws_fire();
    void members_lead();
    void members_die();
    void kill(const std::string& member);
    void members_start(bool may_stay);
    void member_starts(const std::string& member, bool stays);
    void hosts_come_and_go(bool go);
    void after_halt();
    void resume();

    Model& model_;
    bool brisk_;
    const World& here_;
    run::State state_;
    model::Roster up_;
    std::set<std::string> all_up_;
    std::array<int, k_faults> budgets_;
    std::vector<Step> steps_;
};

}  // namespace drydock::reference
