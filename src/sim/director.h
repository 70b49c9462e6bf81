// TraceReplayer: makes a counterexample of the checker happen in a simulation, step by step.
//
// The replayer makes the steps of hosts, members, laws, the network and persons, each when the
// trace has it. The steps of the conductor (it judges, begins, halts) are only observed. It is the
// real one, and must follow the trace. Where it does not, the replayer stops and names the
// step. One thread.
#pragma once

#include "sim/plan_system.h"
#include "sim/wishes.h"

#include <set>
#include <string>
#include <vector>

namespace drydock::sim {

// One step of a trace.
struct Turn {
    std::string what;   // "begun", "done", "member_dies"
    std::string about;  // an action, a member, a host, or a store; empty: the run

    [[nodiscard]] std::string text() const;
};

class Director {
public:
    // Directs `system` from now on. Plan and system must outlive the replayer.
    Director(const model::Plan& plan, PlanSystem& system, std::vector<Turn> story);

    // Takes over the hosts of the simulation: from now on they do nothing by themselves.
    void take_over(Site& site);

    // Called when a conductor is about to wait. Makes the next step of the environment happen.
    // Throws SimulatedCrash where the trace crashes the conductor, and where the trace ends or
    // cannot go on.
    void before_wait(Site& site);
    // Called when a conductor has made an event durable.
    void on_event(const run::Event& event);

    enum class Next { conduct, approve, over };
    // Returns the next act of the person when no conductor is at work.
    [[nodiscard]] Next between(Site& site, const Life& life);

    // Lets the actions in flight take their effect.
    void finish_begun(Site& site);

    [[nodiscard]] std::size_t told() const { return at_; }

    // Returns the reason why the step at steps_replayed() did not happen; empty: all steps did.
    [[nodiscard]] const std::string& obstacle() const { return obstacle_; }

private:
    [[nodiscard]] bool over() const { return at_ == story_.size() || !obstacle_.empty(); }

    [[nodiscard]] std::size_t next_of(const std::string& about) const;
    [[nodiscard]] std::string comes_next(const std::string& action) const;
    [[nodiscard]] bool never_begins(const std::string& action) const;
    void consume(std::size_t turn);
    void give_up(const std::string& instead);
    void advance();
    void note(const run::Event& event);
    [[nodiscard]] bool all_arrived(Site& site) const;
    void on_action(const std::string& action, const run::Event& event);
    void on_run(const std::string& step_name);
    bool change_world(Site& site);
    bool end_action(Site& site);
    void lose(Site& site, const std::string& host);
    bool passes(Site& site, const std::string& host, const Json& frame);
    void prepare();
    void prepare(const Turn& turn);
    void grant(const std::vector<model::Condition>& conditions, const model::Action& action);
    void deny(const std::vector<model::Condition>& conditions, const model::Action& action);
    bool deny(const model::Condition& condition, const model::Action& action);
    void take_back(const std::string& action);

    const model::Plan& plan_;
    PlanSystem& system_;
    Wishes wishes_;
    std::vector<Turn> story_;
    std::size_t at_ = 0;                       // the first step that has not happened
    std::set<std::size_t> early_;              // later steps that have happened
    std::set<std::size_t> prepared_;           // steps with facts that are set
    std::map<std::string, std::string> last_;  // the last step of each action
    std::map<std::string, Settings> denied_;   // by action: values to restore
    std::set<std::string> modelled_;           // keys of facts that the plan moves
    std::set<std::string> away_;               // hosts
    std::vector<std::string> begun_;           // actions in flight, in order
    std::string settling_;                     // an action with events still to come; empty: none
    std::int64_t since_ms_ = -1;               // the time of the last step
    bool forced_ = false;  // the step at position_ was made to happen, and is not durable yet
    std::string obstacle_;
};

}  // namespace drydock::sim
