// Travel: the runs of a journey that one process conducts, one after the other.
//
// Between two runs it keeps the lease of the run that is over, so that others see a conductor at
// work. What decides is the birth of the next run: it follows the newest run that was planned
// behind, or is refused.
#pragma once

#include "app/begin_run.h"

namespace drydock::app {

class Travel {
public:
    // All must outlive it.
    Travel(const Options& options, Store& store, Observer& observer);

    // Plans, checks and applies the hop of `record`; `session` is then the run's. Nothing of it is
    // believed but where it stands: facts are surveyed, the rest of the route is found anew.
    [[nodiscard]] Answer<RunStatus> run_hop(JourneyRecord record, SessionPointer& session);

    // Carries out a way back; of a journey it is recorded as such. `newest` is the run that was the
    // newest before the way back was planned: behind another one it is not begun.
    [[nodiscard]] Answer<RunStatus>
    run_back(const model::Plan& plan, const std::string& newest, SessionPointer& session);

    // What is left of the journey behind a run that came to `ended`. `session` is that run's, or
    // null. At the end, the policy `on_failure: return` is followed.
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

// The newest run of the journal; empty: there is none.
[[nodiscard]] std::string newest_run(Store& store);

// The policy `on_failure: return`: a halted run goes back by itself, while that is possible, and no
// further than where it began.
[[nodiscard]] Answer<RunStatus>
return_if_asked(const Options& options, Answer<RunStatus> ended, Observer& observer);

}  // namespace drydock::app
