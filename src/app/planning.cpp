// Plans of downgrades, the reasons that close a downgrade, and plan files.
//
// A downgrade is compiled by the compiler of upgrades, with its own procedure, from the facts of
// now. Two things refuse it before: a run that has passed its point of no return, and work that is
// still under way. The first is read from the journal alone, so no host can talk drydock out of it.
#include "app/planning.h"

#include "app/journey.h"
#include "base/hash.h"
#include "base/text.h"
#include "model/version.h"
#include "os/files.h"
#include "planner/rehearsal.h"
#include "run/return_point.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

namespace drydock::app {

namespace {

constexpr std::int64_t k_quiet_ms_max = 10'000;       // that work under way is waited for
constexpr std::size_t k_plan_bytes_max = 64U << 20U;  // 1,000 members make about 30 MB

}  // namespace

// The seed and the time decide the last four digits. Two plans of one second rarely share an id,
// and the journal refuses the second run of an id.
std::string make_run_id(const std::string& seed) {
    os::RealClock clock;
    const std::int64_t now = clock.wall_ms();
    const std::time_t seconds = now / 1000;
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    return fmt::format(
        "{:%Y%m%d-%H%M%S}-{}", utc, sha256_hex(fmt::format("{} {}", now, seed)).substr(0, 4));
}

AppResult<model::Plan> finish(planner::Compiled compiled) {
    if (!compiled.plan) {
        Failure failure;
        failure.errors = std::move(compiled.problems);
        return tl::unexpected(std::move(failure));
    }
    return std::move(*compiled.plan);
}

// An unreadable project gives an empty list: the caller adds the options to a refusal, which must
// not fail itself.
std::vector<model::RecoveryOption> ways_left(const Options& options,
                                             const std::string& start,
                                             const std::string& target,
                                             const std::string& forward) {
    auto project = open_project(options);
    auto survey = project ? survey_for(options, std::move(*project), {start, target, forward, ""})
                          : AppResult<Survey>(tl::unexpected(project.error()));
    if (!survey) {
        return {};
    }
    return planner::remaining_options({survey->pack,
                                       survey->cluster,
                                       survey->facts,
                                       std::string(model::k_downgrade),
                                       start,
                                       target,
                                       forward,
                                       "",
                                       ""});
}

namespace {

// Adds the name of the person who approved the point of no return, with the words that were
// approved.
void tell_approval(const ReplayedRun& forward, Failure& failure) {
    if (forward.history.approved.is_null()) {
        return;
    }
    failure.errors.push_back({"downgrade.approved",
                              fmt::format("the point of no return was approved by {} at {}: \"{}\"",
                                          forward.history.approved["who"].show(),
                                          show_time(forward.history.approved["at_ms"].as_int()),
                                          forward.history.approved["words"].show()),
                              "",
                              ErrorClass::permanent});
}

}  // namespace

// The reason of the plan is added only for its own point of no return. Another action may close the
// way back as well, and the plan has no words for it.
std::string why_closed(const model::Plan& plan, const model::Action& action) {
    const model::ReturnPoint& point = plan.point_of_no_return;
    const std::string begun =
        fmt::format("the way back closed when {} was begun ({})", action.id, action.title);
    return point.exists && point.action == action.id ? begun + ": " + point.because : begun;
}

// Waits for work that is under way, up to a limit. Its effects would otherwise appear right after
// the survey, and the plan would be made of a cluster that no longer exists.
AppResult<Survey>
survey_quiet(const Options& options, Project project, const planner::PlanNames& naming) {
    auto survey = survey_for(options, std::move(project), naming, k_quiet_ms_max);
    for (const Error& error : survey ? survey->unreachable : std::vector<Error>()) {
        if (error.kind == ErrorClass::permanent) {
            return refuse(error);  // no other try mends it
        }
    }
    if (survey && !survey->under_way.empty()) {
        Failure failure;
        failure.exit_code = k_exit_moved;
        failure.errors = survey->under_way;
        return tl::unexpected(std::move(failure));
    }
    return survey;
}

// Refuses by the run's own record. The facts of now are not asked: a store that looks unchanged may
// have been opened by the new release meanwhile.
AppResult<void> refuse_closed(const Options& options, const ReplayedRun& forward) {
    const model::Plan& plan = forward.plan;
    const auto closed = run::closed_by(plan, forward.history.state);
    if (!closed) {
        return {};
    }
    Failure failure = Error{"downgrade.closed",
                            why_closed(plan, plan.actions[*closed]),
                            "the ways that are left, and what they cost, follow",
                            ErrorClass::permanent};
    failure.recovery_options = ways_left(options, plan.to_version, plan.from_version, plan.run);
    tell_approval(forward, failure);
    return tl::unexpected(std::move(failure));
}

namespace {

// True if the run ended well and left the cluster on that version or an earlier one. Runs before it
// no longer matter then.
bool returned_to(const ReplayedRun& run, const std::string& version) {
    const bool leads_back =
        run.plan.procedure != model::k_upgrade && run.plan.procedure != model::k_rehearsal;
    return leads_back && run.history.state.phase() == run::Phase::finished
           && model::compare_versions(run.plan.to_version, version) <= 0;
}

bool leads_beyond(const model::Plan& plan, const std::string& version) {
    return plan.procedure == model::k_upgrade
           && model::compare_versions(plan.to_version, version) > 0;
}

}  // namespace

// Walks from the newest run to the oldest until one that returned to the version. A run that cannot
// be read refuses, because its record may be the one that closes the way.
AppResult<void>
refuse_closed_before(const Options& options, StateDir& state_dir, const std::string& version) {
    DRYDOCK_TRY_ASSIGN(const auto runs, state_dir.journal().list_runs());
    for (std::size_t i = runs.size(); i > 0; --i) {
        DRYDOCK_TRY_ASSIGN(const auto run, replay(state_dir, runs[i - 1]));
        if (returned_to(run, version)) {
            return {};
        }
        if (leads_beyond(run.plan, version)) {
            DRYDOCK_TRY(refuse_closed(options, run));
        }
    }
    return {};
}

// A wrong digest is a refusal and has the exit code 1: somebody changed the plan. All else is wrong
// input, with the code 2.
AppResult<model::Plan> read_plan(const std::string& file) {
    auto text = os::read_file(file, k_plan_bytes_max);
    if (!text) {
        return refuse(text.error(), k_exit_usage);
    }
    auto json = Json::parse(*text);
    if (!json) {
        return refuse(json.error().with_context(file), k_exit_usage);
    }
    auto plan = model::plan_from_json(*json);
    if (!plan) {
        return refuse(plan.error().with_context(file),
                      plan.error().code == "plan.digest" ? k_exit_no : k_exit_usage);
    }
    return std::move(*plan);
}

Status write_plan(const model::Plan& plan, const std::string& file) {
    return os::write_file_durable(file, plan_bytes(plan));
}

// Signatures cover these bytes, so a reader must not format them anew.
std::string plan_bytes(const model::Plan& plan) {
    return model::to_json(plan).dump() + "\n";
}

namespace {

tl::unexpected<Failure> nothing_to_take_back(const Options& options, const model::Plan& plan) {
    return refuse({"downgrade.nothing",
                   fmt::format("the last run ({}, {} {} -> {}) is no way forward",
                               plan.run,
                               plan.procedure,
                               plan.from_version,
                               plan.to_version),
                   fmt::format("to go on with it: drydock resume -c {}", options.cluster_file),
                   ErrorClass::permanent});
}

// Returns the run that a downgrade takes back: the newest run, or the one of the previous hop if
// the newest is a finished downgrade of a journey.
AppResult<ReplayedRun> find_forward(const Options& options, StateDir& state_dir) {
    DRYDOCK_TRY_ASSIGN(auto info, newest_cluster_run(state_dir));
    DRYDOCK_TRY_ASSIGN(auto newest, replay(state_dir, info));
    if (newest.plan.reverts_run.empty() && newest.plan.procedure == model::k_upgrade) {
        return newest;
    }
    DRYDOCK_TRY_ASSIGN(auto previous, find_previous_hop(state_dir, newest));
    if (!previous) {
        return nothing_to_take_back(options, newest.plan);
    }
    return std::move(*previous);
}

}  // namespace

// Reads the journal before the hosts: a closed way back is refused without a survey. A plan that
// does not compile is refused with the remaining recovery options and the approval that led there.
AppResult<model::Plan> plan_downgrade(const Options& options, StateDir& state_dir) {
    DRYDOCK_TRY_ASSIGN(auto project, open_project(options));
    DRYDOCK_TRY_ASSIGN(auto forward, find_forward(options, state_dir));
    const model::Plan& plan = forward.plan;
    DRYDOCK_TRY(refuse_closed_before(options, state_dir, plan.from_version));
    const std::string run = make_run_id(plan.run);
    DRYDOCK_TRY_ASSIGN(
        auto survey,
        survey_quiet(options, std::move(project), {plan.to_version, plan.from_version, run, ""}));
    auto compiled = planner::compile({survey.pack,
                                      survey.cluster,
                                      survey.facts,
                                      std::string(model::k_downgrade),
                                      plan.to_version,
                                      plan.from_version,
                                      run,
                                      "",
                                      plan.run,
                                      {},
                                      nullptr,
                                      true,
                                      &plan.temporaries});
    if (compiled.plan) {
        return std::move(*compiled.plan);
    }
    auto failure = finish(std::move(compiled)).error();
    failure.recovery_options = ways_left(options, plan.to_version, plan.from_version, plan.run);
    tell_approval(forward, failure);
    return tl::unexpected(std::move(failure));
}

}  // namespace drydock::app
