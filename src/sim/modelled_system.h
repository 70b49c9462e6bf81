// ModelledSystem: a system known by its plan alone. Actions have the effects that the plan
// declares, and make their postconditions true. Formats rise by the plan's laws. A member that is
// down answers no probe. So any plan of any pack can be simulated.
//
// The system records violations under the checker's names of properties. Other software, disks and
// the contents of stores do not exist here. Not thread-safe.
#pragma once

#include "model/plan.h"
#include "run/expected_facts.h"
#include "sim/simulation.h"
#include "transport/fake/faults.h"
#include "transport/fake/idle_system.h"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace drydock::sim {

using Settings = std::vector<std::pair<std::string, Json>>;  // keys of facts and their values

// The facts with which a simulation begins, and those that make each action's postconditions true.
struct InitialFacts {
    model::FactBook start;           // every fact that is not derived
    std::vector<Settings> promises;  // by action, beyond its declared effects
    std::string obstacle;            // the condition that no values satisfy; empty: none
};

// Walks through the plan once, without faults. Facts that the plan is bound to have their planned
// values. Other facts get a value that their first condition needs. Where a plan has two ways,
// `dice` choose.
[[nodiscard]] InitialFacts rehearse(const model::Plan& plan, transport::Faults& dice);

class ModelledSystem final : public transport::IdleSystem {
public:
    // All must outlive the system.
    ModelledSystem(const model::Plan& plan,
                   const InitialFacts& rehearsed,
                   transport::Faults& faults);

    void advance(std::int64_t now_ms) override;

    [[nodiscard]] std::int64_t takes_ms(const Json& request) override;
    agent::ProbeResult
    probe(const std::string& host, const Json& probe, std::int64_t& takes_ms) override;
    bool kill_one(std::int64_t choice) override;
    bool host_dies(const std::string& host) override;
    agent::ActionResult
    act(const std::string& host, const std::string& action, const Json& request) override;

    // Does what a person does: starts the members that died and that the run expects to be up, and
    // those that the halt misses, as they were.
    void repair(const Json& halt, const run::ExpectedFacts& expected);

    // A person has approved the point of no return.
    void approve() { is_approved_ = true; }

    // Returns the facts as probes observe them now, and the facts derived from them.
    [[nodiscard]] model::FactBook book() const;
    // Applies the declared effects of the action, and makes its postconditions true.
    void take_effect(const model::Action& action);
    void set(const std::string& key, Json value);
    // Applies every law that has its condition fulfilled.
    void fire_laws();

    // For replays: from now on nothing happens by itself. Members serve as soon as they are
    // started, a copy counts once it is verified, and a fresh death excuses no loss of quorum.
    void direct() { is_directed_ = true; }

    void kill(const std::string& member);
    // Starts the release that is installed.
    void start_by_hand(const std::string& member);
    // The same for the laws of one store.
    void fire_laws(const std::string& store);
    // Marks copies of the action as verified: its postconditions were observed.
    void verify_copies(const model::Action& action);

    // Returns the value of a fact that is not derived; null: it is absent.
    [[nodiscard]] Json value(const std::string& key) const;

    [[nodiscard]] const std::vector<Violation>& wrong() const { return violations_; }

private:
    struct Member {
        std::string role;
        std::string running;  // keys of its standard facts; empty: it has none
        std::string ready;
        std::string installed;
        bool up = true;
        bool died = false;  // by a fault, and not repaired yet
        std::int64_t ready_at_ms = 0;
    };

    [[nodiscard]] model::Observation observe(const model::FactSource& source) const;
    [[nodiscard]] static bool
    is_missed(const std::string& name, const Member& member, const Json& halt);
    [[nodiscard]] static bool may_be_up(const Member& member, const run::ExpectedFacts& expected);
    [[nodiscard]] bool runs_in(const Member& member, const std::string& series) const;
    [[nodiscard]] bool holds(const model::FormatRule& law) const;
    [[nodiscard]] bool risen(const model::FormatRule& law) const;
    void raise(const model::FormatRule& law);
    void lower(const std::string& store);
    void set_levels(const std::vector<std::string>& levels, const std::string& format);
    void ask_consent(const model::FormatRule& law);
    void consider_laws(const std::string& destroyed);
    void start_member(const std::string& name, Member& member, const Json& release);
    [[nodiscard]] bool any_runs(const std::string& role, const std::string& release) const;
    [[nodiscard]] bool serve_apart() const;
    void stop_member(const std::string& name, Member& member);
    [[nodiscard]] std::string first_format(const model::PlanStore& store) const;
    [[nodiscard]] bool can_read(const std::string& name, const std::string& release) const;
    [[nodiscard]] bool can_read(const model::PlanStore& store,
                                const std::string& name,
                                const std::string& release) const;
    [[nodiscard]] int ready_in(const std::string& role) const;
    [[nodiscard]] const model::PlanRole* role(const std::string& name) const;
    void apply(const model::Effect& effect, const model::Action& action);
    void check_quorum(const std::string& role, int ready_before, const model::Action& action);
    void complain(std::string property, std::string description);

    const model::Plan& plan_;
    const InitialFacts& rehearsed_;
    transport::Faults& faults_;
    const std::vector<model::FormatRule> laws_;
    std::map<std::string, Json, std::less<>> values_;  // null: absent
    std::map<std::string, Member, std::less<>> members_;
    std::set<std::string, std::less<>>
        reported_keys_;             // keys set by actions: observed even while a member is down
    std::set<std::string> copied_;  // stores
    std::map<std::string, std::string> formats_;       // of stores, for those without a level fact
    std::map<std::size_t, std::int64_t> raise_at_ms_;  // by law
    std::vector<Violation> violations_;
    std::int64_t now_ms_ = 0;
    std::int64_t died_ms_ = -1'000'000;
    bool is_approved_ = false;
    bool is_directed_ = false;
};

}  // namespace drydock::sim
