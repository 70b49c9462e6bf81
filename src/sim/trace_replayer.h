// TraceReplayer: makes a counterexample of the checker happen in a simulation, step by step.
//
// The replayer makes the steps of hosts, members, laws, the network and persons, each when the
// trace has it. The steps of the conductor (it judges, begins, halts) are only observed. It is the
// real one, and must follow the trace. Where it does not, the replayer stops and names the
// step. One thread.
#pragma once

#include "run/trace_step.h"
#include "sim/condition_solver.h"
#include "sim/modelled_system.h"

#include <set>
#include <string>
#include <vector>

namespace drydock::sim {

// One step of a trace.
struct TraceStep {
    run::TraceStepKind kind = run::TraceStepKind::begun;
    std::string subject;  // an action, a member, a host, or a store; empty: the run

    [[nodiscard]] std::string text() const;
};

class TraceReplayer {
public:
    // Directs `system` from now on. Plan and system must outlive the replayer.
    TraceReplayer(const model::Plan& plan, ModelledSystem& system, std::vector<TraceStep> story);

    // Takes over the hosts of the simulation: from now on they do nothing by themselves.
    void take_over(Simulation& site);

    // Called when a conductor is about to wait. Makes the next step of the environment happen.
    // Throws SimulatedCrash where the trace crashes the conductor, and where the trace ends or
    // cannot go on.
    void before_wait(Simulation& site);
    // Called when a conductor has made an event durable.
    void on_event(const run::Event& event);

    enum class Next { conduct, approve, over };
    // Returns the next act of the person when no conductor is at work.
    [[nodiscard]] Next between(Simulation& site, const ConductorRun& life);

    // Lets the actions in flight take their effect.
    void finish_begun(Simulation& site);

    [[nodiscard]] std::size_t steps_replayed() const { return position_; }

    // Returns the reason why the step at steps_replayed() did not happen; empty: all steps did.
    [[nodiscard]] const std::string& divergence() const { return divergence_; }

private:
    [[nodiscard]] bool is_over() const {
        return position_ == story_.size() || !divergence_.empty();
    }

    [[nodiscard]] std::size_t next_step_of(const std::string& about) const;
    [[nodiscard]] bool breaks_later(const std::string& action) const;
    [[nodiscard]] bool is_never_begun(const std::string& action) const;
    void consume(std::size_t turn);
    void give_up(const std::string& instead);
    void advance();
    void note(const run::Event& event);
    [[nodiscard]] bool have_all_arrived(Simulation& site) const;
    void on_action(const std::string& action, const run::Event& event);
    void on_run(run::TraceStepKind kind);
    bool apply_environment_step(Simulation& site);
    bool end_action(Simulation& site);
    void lose(Simulation& site, const std::string& host);
    bool passes(Simulation& site, const std::string& host, const Json& frame);
    void prepare();
    void prepare(const TraceStep& turn);
    void satisfy(const std::vector<model::Condition>& conditions, const model::Action& action);
    void falsify(const std::vector<model::Condition>& conditions, const model::Action& action);
    bool falsify(const model::Condition& condition, const model::Action& action);
    void restore_denied(const std::string& action);

    const model::Plan& plan_;
    ModelledSystem& system_;
    ConditionSolver solver_;
    std::vector<TraceStep> story_;
    std::size_t position_ = 0;                        // the first step that has not happened
    std::set<std::size_t> early_steps_;               // later steps that have happened
    std::set<std::size_t> prepared_;                  // steps with facts that are set
    std::map<std::string, run::TraceStepKind> last_;  // the last step of each action
    std::map<std::string, Settings> denied_;          // by action: values to restore
    std::set<std::string> modelled_;                  // keys of facts that the plan moves
    std::set<std::string> unreachable_;               // hosts
    std::vector<std::string> begun_;                  // actions in flight, in order
    std::string unsettled_action_;  // an action with events still to come; empty: none
    std::int64_t since_ms_ = -1;    // the time of the last step
    bool is_forced_ = false;  // the step at position_ was made to happen, and is not durable yet
    std::string divergence_;
};

}  // namespace drydock::sim
