// Answers questions about runs: the status and the log. Nothing here writes or takes a lease.
#include "app/internal.h"
#include "app/journey.h"

namespace drydock::app {

namespace {

// Returns the run that `status` shows: the newest. A finished rehearsal gives way to the journey
// behind it, because the journey continues.
AppResult<ReplayedRun> newest_run_shown(StateDir& state_dir) {
    auto info = state_dir.current_run(true);
    auto newest =
        info ? replay(state_dir, *info) : AppResult<ReplayedRun>(tl::unexpected(info.error()));
    const auto leg = newest ? newest_cluster_run(state_dir) : info;
    if (!newest || !leg || leg->run.id == info->run.id || !info->state.is_over) {
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
    auto state_dir = store_of(options);
    if (!state_dir) {
        return tl::unexpected(state_dir.error());
    }
    auto info = run.empty() ? Result<journal::RunInfo>(journal::RunInfo())
                            : state_dir->journal().find_run(run);
    if (!info) {
        return refuse(info.error());
    }
    auto replayed = run.empty() ? newest_run_shown(*state_dir) : replay(*state_dir, *info);
    if (!replayed) {
        return tl::unexpected(replayed.error());
    }
    os::RealClock clock;
    return status_of(*state_dir, *replayed, clock.wall_ms());
}

AppResult<std::vector<LogLine>> log(const Options& options, const std::string& run) {
    auto state_dir = store_of(options);
    if (!state_dir) {
        return tl::unexpected(state_dir.error());
    }
    auto current = state_dir->current_run(true);
    if (!current) {
        return tl::unexpected(current.error());
    }
    auto records = state_dir->journal().read(run.empty() ? current->run.id : run);
    if (!records) {
        return refuse(records.error());
    }
    std::vector<LogLine> lines;
    for (const journal::Record& record : *records) {
        for (const Json& event : record.events) {
            lines.push_back({record.sequence, record.wall_ms, event});
        }
    }
    return lines;
}

}  // namespace drydock::app
