// Turns a plan into a run of this process.
#pragma once

#include "app/journey.h"
#include "app/local_session.h"

#include <future>
#include <memory>
#include <optional>
#include <string>

namespace drydock::app {

using SessionPointer = std::unique_ptr<LocalSession>;

// A plan that is about to become a run.
struct RunStart {
    const model::Plan& plan;
    std::future<Status> checked;                          // awaited before the birth
    std::optional<JourneyRecord> journey = std::nullopt;  // an empty id: the run begins a journey
    std::string follows = {};  // the newest run as the plan was made; empty: not looked at
};

// Checks the plan while its hosts are greeted. The result is true at once for a plan that is run
// unchecked.
[[nodiscard]] std::future<Status> start_plan_check(const Options& options, const model::Plan& plan);

// Begins the run, unless options.dry_run, and conducts it to its end, a gate, a pause or a halt.
// `session` is set at the birth and holds the run's lease until it is destroyed.
[[nodiscard]] AppResult<RunStatus> execute_run(const Options& options,
                                               StateDir& state_dir,
                                               RunStart& departure,
                                               run::Observer& observer,
                                               SessionPointer& session);

// Conducts a run whose lease the session holds.
[[nodiscard]] AppResult<RunStatus> conduct(const Options& options, LocalSession& session);

// Refuses, because that run is not over or its conductor still works.
[[nodiscard]] tl::unexpected<Failure> run_in_progress(const journal::RunInfo& info,
                                                      const std::string& file);

}  // namespace drydock::app
