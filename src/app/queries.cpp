// Answers questions about runs: the status and the log. Nothing here writes or takes a lease.
#include "app/internal.h"
#include "app/journey.h"

namespace drydock::app {

namespace {

// Returns the run that `status` shows: the newest. A finished rehearsal gives way to the journey
// behind it, because the journey continues.
AppResult<ReplayedRun> newest_run_shown(StateDir& state_dir) {
    DRYDOCK_TRY_ASSIGN(const auto info, state_dir.current_run(true));
    DRYDOCK_TRY_ASSIGN(auto newest, replay(state_dir, info));
    const auto leg = newest_cluster_run(state_dir);
    if (!leg || leg->run.id == info.run.id || !info.state.is_over) {
        return newest;
    }
    auto journey_run = replay(state_dir, *leg);
    const auto journey =
        journey_run ? journey_of(state_dir, *journey_run) : std::optional<run::Journey>();
    const bool goes_on = journey && *journey && (*journey)->next != run::JourneyStep::none;
    return goes_on ? std::move(journey_run) : std::move(newest);
}

}  // namespace

// Replays the journal, so the status is right whether a conductor lives or not.
AppResult<RunStatus> status(const Options& options, const std::string& run) {
    DRYDOCK_TRY_ASSIGN(auto state_dir, store_of(options));
    DRYDOCK_TRY_ASSIGN(auto info,
                       run.empty() ? Result<journal::RunInfo>(journal::RunInfo())
                                   : state_dir.journal().find_run(run));
    DRYDOCK_TRY_ASSIGN(auto replayed,
                       run.empty() ? newest_run_shown(state_dir) : replay(state_dir, info));
    os::RealClock clock;
    return status_of(state_dir, replayed, clock.wall_ms());
}

AppResult<std::vector<LogLine>> log(const Options& options, const std::string& run) {
    DRYDOCK_TRY_ASSIGN(auto state_dir, store_of(options));
    DRYDOCK_TRY_ASSIGN(auto current, state_dir.current_run(true));
    DRYDOCK_TRY_ASSIGN(auto records, state_dir.journal().read(run.empty() ? current.run.id : run));
    std::vector<LogLine> lines;
    for (const journal::Record& record : records) {
        for (const Json& event : record.events) {
            lines.push_back({record.sequence, record.wall_ms, event});
        }
    }
    return lines;
}

}  // namespace drydock::app
