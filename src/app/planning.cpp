// Routes and plans.
#include "app/internal.h"
#include "app/route_chains.h"
#include "base/hash.h"
#include "base/text.h"
#include "model/version.h"
#include "os/files.h"
#include "run/return_point.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

namespace drydock::app {

namespace {

constexpr std::int64_t k_quiet_ms_max = 10'000;       // that work under way is waited for
constexpr std::size_t k_plan_bytes_max = 64U << 20U;  // 1,000 members make about 30 MB

// Unique enough for one state folder, sorted by time, readable: 20261121-205840-7f3a.
std::string make_run_id(const std::string& seed) {
    os::RealClock clock;
    const std::int64_t now = clock.wall_ms();
    const std::time_t seconds = now / 1000;
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    return fmt::format(
        "{:%Y%m%d-%H%M%S}-{}", utc, sha256_hex(fmt::format("{} {}", now, seed)).substr(0, 4));
}

// More hops than one: each is a plan of its own, with its own gate.
tl::unexpected<Failure> one_hop_at_a_time(const planner::Route& route, const Options& options) {
    std::vector<std::string> stops = {route.hops.front().from};
    for (const planner::Hop& hop : route.hops) {
        stops.push_back(hop.to);
    }
    return refuse({"plan.hops",
                   fmt::format("the way has {} hops: {}", route.hops.size(), join(stops, " -> ")),
                   fmt::format("plan the first: drydock plan -c {} --to {} -o plan.json",
                               options.cluster_file,
                               route.hops.front().to),
                   ErrorClass::permanent});
}

std::string procedure_of(const PlanRequest& request, const std::string& from) {
    if (request.rebuild) {
        return "rebuild";
    }
    if (!request.restore.empty()) {
        return "restore";
    }
    return model::compare_versions(from, request.to) > 0 ? "downgrade" : "upgrade";
}

Answer<model::Plan> finish(planner::Compiled compiled) {
    if (!compiled.plan) {
        Failure failure;
        failure.errors = std::move(compiled.problems);
        return tl::unexpected(std::move(failure));
    }
    return std::move(*compiled.plan);
}

}  // namespace

std::vector<model::WayBack> ways_left(const Options& options,
                                      const std::string& from,
                                      const std::string& to,
                                      const std::string& forward) {
    auto project = open_project(options);
    auto known = project ? survey_for(options, std::move(*project), {from, to, forward, ""})
                         : Answer<Survey>(tl::unexpected(project.error()));
    if (!known) {
        return {};
    }
    return planner::ways_left(
        {known->pack, known->cluster, known->facts, "downgrade", from, to, forward, "", ""});
}

namespace {

void tell_approval(const Replayed& forward, Failure& failure) {
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

// "the way back closed when roll/m3/start was begun (start m3)", and why that closes it.
std::string why_closed(const model::Plan& plan, const model::Action& action) {
    const model::ReturnPoint& point = plan.point_of_no_return;
    const std::string begun =
        fmt::format("the way back closed when {} was begun ({})", action.id, action.title);
    return point.exists && point.action == action.id ? begun + ": " + point.because : begun;
}

// A member that does not run, though its release is the one that is wanted.
std::optional<Error> find_member_down(const Survey& survey) {
    for (const auto& [key, source] : survey.sources) {
        const auto found = survey.facts.find(key);
        if (source.binds == "running" && found != survey.facts.end()
            && found->second.status == model::Known::absent) {
            return Error{"plan.member_down",
                         fmt::format("every member has that release installed, but {} does not run",
                                     source.member),
                         fmt::format("start {}; no upgrade is to be done", source.member),
                         ErrorClass::permanent};
        }
    }
    return std::nullopt;
}

// A plan is made of a world that stands still: work that is under way is waited for, or refused.
Answer<Survey>
survey_quiet(const Options& options, Project project, const planner::Naming& naming) {
    auto found = survey_for(options, std::move(project), naming, k_quiet_ms_max);
    for (const Error& error : found ? found->unreachable : std::vector<Error>()) {
        if (error.kind == ErrorClass::permanent) {
            return refuse(error);  // no other try mends it
        }
    }
    if (found && !found->under_way.empty()) {
        Failure failure;
        failure.exit_code = k_exit_moved;
        failure.errors = found->under_way;
        return tl::unexpected(std::move(failure));
    }
    return found;
}

}  // namespace

std::optional<Failure> refuse_closed(const Options& options, const Replayed& forward) {
    const model::Plan& plan = forward.plan;
    const auto closed = run::closed_by(plan, forward.history.state);
    if (!closed) {
        return std::nullopt;
    }
    Failure failure = refuse({"downgrade.closed",
                              why_closed(plan, plan.actions[*closed]),
                              "the ways that are left, and what they cost, follow",
                              ErrorClass::permanent})
                          .value();
    failure.left = ways_left(options, plan.to, plan.from, plan.run);
    tell_approval(forward, failure);
    return failure;
}

namespace {

// A run that ended well and left the cluster on that version, or an earlier one.
bool returned_to(const Replayed& run, const std::string& version) {
    const bool leads_back = run.plan.procedure != "upgrade";
    return leads_back && run.history.state.phase() == run::Phase::finished
           && model::compare_versions(run.plan.to, version) <= 0;
}

bool leads_beyond(const model::Plan& plan, const std::string& version) {
    return plan.procedure == "upgrade" && model::compare_versions(plan.to, version) > 0;
}

}  // namespace

std::optional<Failure>
refuse_closed_before(const Options& options, Store& store, const std::string& version) {
    const auto runs = store.journal().list_runs();
    if (!runs) {
        return refuse(runs.error()).value();
    }
    for (std::size_t i = runs->size(); i > 0; --i) {
        const auto run = replay(store, (*runs)[i - 1]);
        if (!run) {
            return run.error();
        }
        if (returned_to(*run, version)) {
            return std::nullopt;
        }
        auto closed = leads_beyond(run->plan, version) ? refuse_closed(options, *run)
                                                       : std::optional<Failure>();
        if (closed) {
            return closed;
        }
    }
    return std::nullopt;
}

namespace {

// The same where there may be no journal yet.
std::optional<Failure>
refuse_closed_in(const Options& options, const std::string& state, const std::string& version) {
    auto store = Store::open(state, false);
    if (!store) {
        const bool none = store.error().errors.front().code == "run.none";
        return none ? std::nullopt : std::optional(store.error());
    }
    return refuse_closed_before(options, *store, version);
}

}  // namespace

Answer<RouteAnswer> route(const Options& options, const std::string& to) {
    auto found = survey(options);
    if (!found) {
        return tl::unexpected(found.error());
    }
    auto from = planner::current_version(found->pack, found->cluster, found->facts, to);
    if (!from) {
        return refuse(from.error());
    }
    const auto chains = load_chains(found->pack);
    if (!chains) {
        return refuse(chains.error());
    }
    auto route =
        planner::find_route(found->pack, found->cluster, *from, to, {*chains, &found->facts});
    if (!route) {
        return refuse(route.error());
    }
    return RouteAnswer{*from, to, std::move(*route)};
}

Answer<model::Plan> make_plan(const Options& options, const PlanRequest& request) {
    auto project = open_project(options);
    if (!project) {
        return tl::unexpected(project.error());
    }
    auto first = survey_quiet(options, std::move(*project), {});
    if (!first) {
        return tl::unexpected(first.error());
    }
    auto from = planner::current_version(first->pack, first->cluster, first->facts, request.to);
    if (!from) {
        return refuse(from.error());
    }
    const std::string procedure = procedure_of(request, *from);
    if (auto closed = procedure == "downgrade"
                          ? refuse_closed_in(options, first->cluster.state, request.to)
                          : std::nullopt) {
        return tl::unexpected(std::move(*closed));
    }
    if (procedure == "upgrade" || procedure == "downgrade") {
        const auto chains = load_chains(first->pack);
        if (!chains) {
            return refuse(chains.error());
        }
        auto route = planner::find_route(
            first->pack, first->cluster, *from, request.to, {*chains, &first->facts});
        if (!route) {
            return refuse(route.error());
        }
        if (route->hops.size() > 1) {
            return one_hop_at_a_time(*route, options);
        }
        if (route->hops.empty()) {
            if (auto down = find_member_down(*first)) {
                return refuse(std::move(*down));
            }
            return refuse(
                {"plan.done",
                 fmt::format("every member runs {} already, and its level is reached", request.to),
                 "nothing is to be done",
                 ErrorClass::permanent},
                k_exit_done);
        }
    }
    const std::string run = make_run_id(first->cluster.name);
    auto found = survey_for(options,
                            {std::move(first->pack), std::move(first->cluster)},
                            {*from, request.to, run, request.restore});
    if (!found) {
        return tl::unexpected(found.error());
    }
    return finish(planner::compile({found->pack,
                                    found->cluster,
                                    found->facts,
                                    procedure,
                                    *from,
                                    request.to,
                                    run,
                                    request.restore,
                                    ""}));
}

Answer<model::Plan> read_plan(const std::string& file) {
    auto text = os::read_file(file, k_plan_bytes_max);
    if (!text) {
        return refuse(text.error(), k_exit_usage);
    }
    auto json = Json::parse(*text);
    if (!json) {
        return refuse(json.error().in(file), k_exit_usage);
    }
    auto plan = model::plan_from_json(*json);
    if (!plan) {
        return refuse(plan.error().in(file),
                      plan.error().code == "plan.digest" ? k_exit_no : k_exit_usage);
    }
    return std::move(*plan);
}

Status write_plan(const model::Plan& plan, const std::string& file) {
    return os::write_file_durable(file, plan_bytes(plan));
}

std::string plan_bytes(const model::Plan& plan) {
    return model::to_json(plan).dump() + "\n";
}

// The way back of the last run, from the facts as they are now.
Answer<model::Plan> plan_downgrade(const Options& options) {
    auto project = open_project(options);
    if (!project) {
        return tl::unexpected(project.error());
    }
    auto store = Store::open(project->cluster.state, false);
    if (!store) {
        return tl::unexpected(store.error());
    }
    auto info = store->current_run(true);
    if (!info) {
        return tl::unexpected(info.error());
    }
    auto forward = replay(*store, *info);
    if (!forward) {
        return tl::unexpected(forward.error());
    }
    const model::Plan& plan = forward->plan;
    if (!plan.returns_from.empty() || plan.procedure != "upgrade") {
        return refuse({"downgrade.nothing",
                       fmt::format("the last run ({}, {} {} -> {}) is no way forward",
                                   plan.run,
                                   plan.procedure,
                                   plan.from,
                                   plan.to),
                       fmt::format("to go on with it: drydock resume -c {}", options.cluster_file),
                       ErrorClass::permanent});
    }
    if (auto closed = refuse_closed_before(options, *store, plan.from)) {
        return tl::unexpected(std::move(*closed));
    }
    const std::string run = make_run_id(plan.run);
    auto found = survey_quiet(options, std::move(*project), {plan.to, plan.from, run, ""});
    if (!found) {
        return tl::unexpected(found.error());
    }
    auto compiled = planner::compile({found->pack,
                                      found->cluster,
                                      found->facts,
                                      "downgrade",
                                      plan.to,
                                      plan.from,
                                      run,
                                      "",
                                      plan.run});
    if (compiled.plan) {
        return std::move(*compiled.plan);
    }
    auto failure = finish(std::move(compiled)).error();
    failure.left = ways_left(options, plan.to, plan.from, plan.run);
    tell_approval(*forward, failure);
    return tl::unexpected(std::move(failure));
}

}  // namespace drydock::app
