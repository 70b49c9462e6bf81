// JourneyRunner: the runs of a journey that one process conducts, one after the other.
//
// Between two runs it keeps the lease of the run that is over, so that others see a conductor at
// work. The birth of the next run decides: it names the newest run that was known when its plan was
// made, and is refused if there is a newer one.
#pragma once

#include "app/begin_run.h"

namespace drydock::app {

class JourneyRunner {
public:
    // All must outlive it.
    JourneyRunner(const Options& options, StateDir& state_dir, run::Observer& observer);

    // Plans, checks and applies the hop of `record`; `session` is then the run's. Only the position
    // is taken from the record: facts are surveyed, and the rest of the route is found anew.
    [[nodiscard]] AppResult<RunStatus> run_hop(JourneyRecord record, SessionPointer& session);

    // Runs a downgrade, and records it as part of its journey. `newest` is the newest run from
    // before the downgrade was planned; if there is a newer one, nothing is begun.
    [[nodiscard]] AppResult<RunStatus>
    run_back(const model::Plan& plan, const std::string& newest, SessionPointer& session);

    // Runs the rest of the journey after a run that came to `ended`. `session` is that run's, or
    // null. At the end the policy `on_failure: return` is followed.
    [[nodiscard]] AppResult<RunStatus> run_remaining(AppResult<RunStatus> ended,
                                                     SessionPointer session);

private:
    [[nodiscard]] AppResult<RunStatus> stop_between_runs();
    [[nodiscard]] AppResult<RunStatus> run_next_hop(SessionPointer& session);
    [[nodiscard]] AppResult<RunStatus> run_previous_hop(RunStatus ended, SessionPointer& session);
    [[nodiscard]] AppResult<RunStatus> begin(RunStart departure, SessionPointer& session);
    [[nodiscard]] AppResult<model::Plan> plan_hop(const JourneyRecord& record) const;
    [[nodiscard]] tl::unexpected<Failure> stopped(const JourneyRecord& record,
                                                  Failure failure) const;

    Options options_;
    bool is_stopped_ = false;       // no more runs
    std::string own_previous_run_;  // the run before, if this process conducted it; else empty
    StateDir& state_dir_;
    run::Observer& observer_;
};

// Returns the id of the journal's newest run; empty if there is none.
[[nodiscard]] std::string newest_run(StateDir& state_dir);

// Follows the policy `on_failure: return`: a halted run is taken back while that is possible, and
// no further than where it began.
[[nodiscard]] AppResult<RunStatus>
return_if_asked(const Options& options, AppResult<RunStatus> ended, run::Observer& observer);

}  // namespace drydock::app
