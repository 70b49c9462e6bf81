// Routes, and plans of the first hop of a route.
#include "app/planning.h"
#include "app/route_chains.h"
#include "model/version.h"

#include <fmt/format.h>

namespace drydock::app {

namespace {

std::string procedure_of(const PlanRequest& request, const std::string& from) {
    if (request.rebuild) {
        return "rebuild";
    }
    if (!request.restore.empty()) {
        return "restore";
    }
    return model::compare_versions(from, request.to) > 0 ? "downgrade" : "upgrade";
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

// refuse_closed_before() where there may be no journal yet.
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

namespace {

// The plan of the first hop; it names all stops of the route.
Answer<model::Plan> plan_hop(const Options& options,
                             Survey first,
                             const PlanRequest& request,
                             const std::string& procedure,
                             const std::vector<std::string>& stops) {
    const std::string run = make_run_id(first.cluster.name);
    auto found = survey_for(options,
                            {std::move(first.pack), std::move(first.cluster)},
                            {stops[0], stops[1], run, request.restore});
    if (!found) {
        return tl::unexpected(found.error());
    }
    auto plan = finish(planner::compile({found->pack,
                                         found->cluster,
                                         found->facts,
                                         procedure,
                                         stops[0],
                                         stops[1],
                                         run,
                                         request.restore,
                                         ""}));
    if (plan) {
        plan->route = stops;
    }
    return plan;
}

tl::unexpected<Failure> nothing_to_do(const Survey& survey, const std::string& to) {
    if (auto down = find_member_down(survey)) {
        return refuse(std::move(*down));
    }
    return refuse({"plan.done",
                   fmt::format("every member runs {} already, and its level is reached", to),
                   "nothing is to be done",
                   ErrorClass::permanent},
                  k_exit_done);
}

tl::unexpected<Failure> not_ahead(const std::string& stop, const std::string& at) {
    return refuse({"plan.through",
                   fmt::format("{} does not lie ahead of {} on the way", stop, at),
                   "name the stops in the order in which they are passed",
                   ErrorClass::permanent},
                  k_exit_usage);
}

// The hops from stop to stop, one route behind the other.
Answer<std::vector<std::string>>
stops_of(const Survey& survey, const PlanRequest& request, const std::string& from) {
    const auto chains = load_chains(survey.pack);
    if (!chains) {
        return refuse(chains.error());
    }
    const bool is_forward = model::compare_versions(from, request.to) < 0;
    std::vector<std::string> ends = request.through;
    ends.push_back(request.to);
    std::vector<std::string> stops = {from};
    for (const std::string& end : ends) {
        const std::string at = stops.back();
        if (!request.through.empty() && (model::compare_versions(at, end) < 0) != is_forward) {
            return not_ahead(end, at);
        }
        auto route =
            planner::find_route(survey.pack, survey.cluster, at, end, {*chains, &survey.facts});
        if (!route) {
            return refuse(route.error());
        }
        for (const planner::Hop& hop : route->hops) {
            stops.push_back(hop.to);
        }
    }
    return stops;
}

}  // namespace

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
    Answer<std::vector<std::string>> stops = std::vector<std::string>{*from, request.to};
    if (procedure == "upgrade" || procedure == "downgrade") {
        stops = stops_of(*first, request, *from);
        if (!stops) {
            return tl::unexpected(stops.error());
        }
        if (stops->size() == 1) {
            return nothing_to_do(*first, request.to);
        }
    }
    return plan_hop(options, std::move(*first), request, procedure, *stops);
}

}  // namespace drydock::app
