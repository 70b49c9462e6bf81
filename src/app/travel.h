// JourneyRunner: the runs of a journey that one process conducts, one after the other.
//
// Between two runs it keeps the lease of the run that is over, so that others see a conductor at
// work. The birth of the next run decides: it names the newest run that was known when its plan was
// made, and is refused if there is a newer one.
#pragma once

#include "app/begin_run.h"

namespace drydock::app {

class Travel {
public:
    // All must outlive it.
    Travel(const Options& options, Store& state_dir, Observer& observer);

    // Plans, checks and applies the hop of `record`; `session` is then the run's. Only the position
    // is taken from the record: facts are surveyed, and the rest of the route is found anew.
    [[nodiscard]] Answer<RunStatus> run_hop(JourneyRecord record, SessionPointer& session);

    // Runs a downgrade, and records it as part of its journey. `newest` is the newest run from
    // before the downgrade was planned; if there is a newer one, nothing is begun.
    [[nodiscard]] Answer<RunStatus>
    run_back(const model::Plan& plan, const std::string& newest, SessionPointer& session);

    // Runs the rest of the journey after a run that came to `ended`. `session` is that run's, or
    // null. At the end the policy `on_failure: return` is followed.
    [[nodiscard]] Answer<RunStatus> go_on(Answer<RunStatus> ended, SessionPointer session);

private:
    [[nodiscard]] Answer<RunStatus> stay();
    [[nodiscard]] Answer<RunStatus> go_forth(SessionPointer& session);
    [[nodiscard]] Answer<RunStatus> go_back(RunStatus ended, SessionPointer& session);
    [[nodiscard]] Answer<RunStatus> begin(Departure departure, SessionPointer& session);
    [[nodiscard]] Answer<model::Plan> plan_hop(const JourneyRecord& record) const;
    [[nodiscard]] tl::unexpected<Failure> stopped(const JourneyRecord& record,
                                                  Failure failure) const;

    Options options_;
    bool stays_ = false;     // no more runs
    std::string conducted_;  // the run before, if this process conducted it; else empty
    Store& store_;
    Observer& observer_;
};

// Returns the id of the journal's newest run; empty if there is none.
[[nodiscard]] std::string newest_run(Store& state_dir);

// Follows the policy `on_failure: return`: a halted run is taken back while that is possible, and
// no further than where it began.
[[nodiscard]] Answer<RunStatus>
return_if_asked(const Options& options, Answer<RunStatus> ended, Observer& observer);

}  // namespace drydock::app
