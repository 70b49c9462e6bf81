// ModelledSystem: a system known by its plan alone. Actions have the effects that the plan
// declares, and make their postconditions true. Formats rise by the plan's laws. A member that is
// down answers no probe, and may start by itself. So any plan of any pack can be simulated.
//
// The system records violations under the checker's names of properties, as
// docs/design/0014-laws-of-what-happens.md has them. Other software, disks and the contents of
// stores do not exist here. Not thread-safe.
#pragma once

#include "model/plan.h"
#include "run/expected_facts.h"
#include "sim/modelled_stores.h"
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
    model::FactBook start;                      // every fact that is not derived
    std::vector<Settings> postcondition_facts;  // by action, beyond its declared effects
    std::string obstacle;                       // the condition that no values satisfy; empty: none
};

// Walks through the plan once, without faults. Facts that the plan is bound to have their planned
// values. Other facts get a value that their first condition needs. Where a plan has two ways,
// `dice` choose.
[[nodiscard]] InitialFacts choose_initial_facts(const model::Plan& plan, transport::Faults& dice);

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
    bool restart_one(std::int64_t choice) override;
    [[nodiscard]] bool can_restart() const override;
    void begin(const std::string& action) override;
    // Takes back what the action has changed for its time: it had not begun.
    void undo_begin(const std::string& action);
    void end(const std::string& action) override;
    agent::ActionResult
    act(const std::string& host, const std::string& action, const Json& request) override;

    // Does what a person does: starts the members that died and that the run expects to be up, and
    // those that the halt misses, as they were. Stops those that started by themselves and that the
    // run expects to be down.
    void repair(const Json& halt, const run::ExpectedFacts& expected);
    // Puts back what an action that was cut off has left, if the halt speaks of a fact of that.
    void undo_half_done(const Json& halt);

    // A person has approved the point of no return.
    void approve() { is_approved_ = true; }

    // A person has approved a gate; only that of the point of no return counts.
    void approve(const std::string& gate);

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
    void start_by_itself(const std::string& member);
    // The member comes to lead its role, and nobody else of the role does.
    void elect(const std::string& member);
    // The same as fire_laws() for the laws of one store.
    void fire_laws(const std::string& store);
    // Marks copies of the action as verified: its postconditions were observed.
    void verify_copies(const model::Action& action);

    // Returns the value of a fact that is not derived; null: it is absent.
    [[nodiscard]] Json value(const std::string& key) const;

    [[nodiscard]] const std::vector<Violation>& violations() const { return violations_; }

    // Returns a violation for each temporary fact that is not as it was. For a run that has ended.
    [[nodiscard]] std::vector<Violation> left_behind() const;

private:
    struct Member {
        std::string role;
        std::string running;  // keys of its standard facts; empty: it has none
        std::string ready;
        std::string installed;
        std::string voter;
        std::string leads;
        bool is_up = true;
        bool has_died = false;    // by a fault, and not repaired yet
        bool came_back = false;   // by itself, and not handled since
        bool is_excused = false;  // as the plan has found it
        bool found_down = false;
        bool is_vote_unknown = false;  // the survey could not read it, and no step has written it
        Json found_installed;
        Json ran;  // the release that ran last
        std::int64_t ready_at_ms = 0;
    };

    using InstanceOfStore = std::pair<std::string, std::size_t>;  // a store and the place in it

    // What `while` has replaced, to be put back by a success. Several actions may hold one value:
    // each knows what was there before the first of them.
    struct Replaced {
        struct Fact {
            Json before;
            Json meanwhile;
        };

        struct Instance {
            StoreInstance before;
            StoreInstance meanwhile;
        };

        std::map<std::string, Fact> facts;              // by key
        std::map<InstanceOfStore, Instance> instances;  // that the action touches
        bool is_again = false;                          // an earlier attempt has left its values
    };

    // How many units of a group are ready, and how many must be.
    struct QuorumCount {
        int ready = 0;
        int needed = 0;
        bool is_touched = false;  // by the members that are left out
    };

    // Who causes a start. Only starts of the plan are to blame for all that they break.
    enum class Cause { plan, person, itself };

    using Groups = std::vector<model::QuorumGroup>;
    using Names = std::set<std::string, std::less<>>;

    void know_members();
    void know_stores();

    // effects and their comparison with the state before
    void change(const std::string& cause, const std::function<void()>& act);
    [[nodiscard]] std::vector<std::string> carriers_of(const std::string& key) const;
    void apply_fact(const model::Effect& effect);
    void apply_store(const model::Effect& effect);
    void judge_destruction(const model::Effect& effect, const model::Action& action);
    void change_stores(const model::Action& action);
    void raise_by_command(const model::Effect& effect);
    // Returns the members that were down for the time of the action only, with what they ran.
    [[nodiscard]] std::map<std::string, Json> put_back(const std::string& action);
    void take_down_meanwhile(const model::Action& action);
    void bring_back(const model::Action& action, const std::map<std::string, Json>& members);
    void apply_meanwhile(const model::Effect& effect);
    void replace(const model::Effect& effect, const std::string& action);
    void replace_format(const model::Effect& effect, const std::string& action);
    void apply_postconditions(const model::Action& action);
    [[nodiscard]] Names resources_of(const model::Action& action) const;
    [[nodiscard]] Names alone_stores(const Member& member) const;
    void check_alone(const std::string& subject, const Names& resources);
    [[nodiscard]] Json
    fact_before(const std::string& action, const std::string& key, const Json& meanwhile);
    [[nodiscard]] StoreInstance format_before(const std::string& action,
                                              const InstanceOfStore& place,
                                              const Replaced::Instance& replaced);
    [[nodiscard]] bool
    holds_another(const std::string& action, const std::string& key, const Json& meanwhile) const;
    [[nodiscard]] bool holds_another(const std::string& action,
                                     const InstanceOfStore& place,
                                     const StoreInstance& meanwhile) const;
    [[nodiscard]] bool changes_votes(const std::vector<model::Effect>& effects) const;
    void change_facts(const model::Action& action);
    [[nodiscard]] Names restarted_by(const model::Action& action) const;
    void check_restarts(const model::Action& action);
    void record_violation(std::string property, std::string description);
    [[nodiscard]] model::Observation observe(const model::FactSource& source) const;

    // members
    [[nodiscard]] const model::PlanRole* role(const std::string& name) const;
    [[nodiscard]] bool moves_member(const model::Effect& effect) const;
    // Returns the members that the action starts, with the release that it declares.
    [[nodiscard]] std::map<std::string, Json> starting_members(const model::Action& action) const;
    [[nodiscard]] Json release_at_start(const Member& member, const Json& declared) const;
    [[nodiscard]] StoreReader reader(const std::string& name, const Member& member) const;
    [[nodiscard]] bool admits_clients() const;
    [[nodiscard]] Names misreading();
    void take_down(const model::Action& action);
    void take_down(const Names& leaving, const model::Action& cause);
    void bring_up(const model::Action& action);
    void start_member(const std::string& name, Member& member, const Json& release, Cause cause);
    void start_unasked(const std::string& name, Cause cause);
    [[nodiscard]] bool may_restart(const Member& member) const;
    void stop_member(const std::string& name, Member& member);
    void update_stores();
    void mark_stale(const Names& leaving);
    void check_newest(const Names& starting);
    [[nodiscard]] bool is_current_up(const model::PlanStore& store, const Names& excluded);
    [[nodiscard]] bool runs_in(const Member& member, const std::string& series) const;
    [[nodiscard]] bool any_runs(const std::string& role, const std::string& release) const;
    [[nodiscard]] bool serve_apart() const;
    [[nodiscard]] bool
    is_missed(const std::string& name, const Member& member, const Json& halt) const;
    [[nodiscard]] static bool may_be_up(const Member& member, const run::ExpectedFacts& expected);

    // leaders and quorums
    [[nodiscard]] bool is_leader(const Member& member) const;
    void consider_elections();
    void hold_election(const std::string& role);
    [[nodiscard]] bool is_ready(const Member& member, const Names& without = {}) const;
    [[nodiscard]] int running_in(const std::string& role, const Names& without) const;
    [[nodiscard]] static Groups groups_of(const model::PlanRole& role);
    [[nodiscard]] bool is_voter(const std::string& member) const;
    [[nodiscard]] bool is_vote_leaving(const std::string& member) const;
    // `leaves_votes`: the votes count that actions under way leave.
    [[nodiscard]] QuorumCount count_units(const model::QuorumGroup& group,
                                          const Names& without,
                                          bool leaves_votes = false) const;
    // Both count as if the members `without` were down.
    [[nodiscard]] Groups kept_quorums(const Names& without = {}) const;
    void check_quorum(const Groups& before, const model::Action& action, const Names& without = {});
    [[nodiscard]] bool keeps_quorum_without(const Names& members) const;

    [[nodiscard]] bool is_missed_clean(const std::string& name, const Json& halt) const;

    // laws
    [[nodiscard]] bool holds(const model::FormatRule& law);
    [[nodiscard]] bool risen(const model::FormatRule& law);
    [[nodiscard]] bool runs_law(const std::string& name, const model::FormatRule& law) const;
    void for_each_target(const model::FormatRule& law, const ModelledStores::Each& visit);
    void raise(const model::FormatRule& law);
    void ask_consent(std::size_t law);
    void consider_laws(const std::string& destroyed);

    const model::Plan& plan_;
    const InitialFacts& rehearsed_;
    transport::Faults& faults_;
    const std::vector<model::FormatRule> laws_;
    FactValues values_;
    ModelledStores stores_;
    std::map<std::string, Member, std::less<>> members_;
    Names reported_keys_;  // keys set by actions: observed even while a member is down
    Names copied_;         // stores
    std::map<std::string, Replaced> replaced_;            // by action
    std::map<std::string, int> in_flight_;                // attempts on hosts, by action
    std::map<std::string, std::int64_t> election_at_ms_;  // by role
    std::set<std::size_t> excused_laws_;                  // they hold from the start
    std::set<std::string> held_;                          // stores that a command has lowered
    std::map<std::size_t, std::int64_t> raise_at_ms_;     // by law
    std::vector<Violation> violations_;
    std::int64_t now_ms_ = 0;
    std::int64_t died_ms_ = -1'000'000;
    bool is_approved_ = false;
    bool is_directed_ = false;
    bool is_changing_ = false;
};

}  // namespace drydock::sim
