// Finds routes, and makes the plan of the first hop of a route.
//
// The steps: survey the cluster while no work is under way; tell its version; choose the procedure;
// find the stops; survey again with the names of the first hop; compile. The second survey reads
// facts that only a plan of this hop needs. Later hops get plans of their own, from the facts of
// their time.
#include "app/planning.h"
#include "app/route_chains.h"
#include "model/version.h"
#include "trial/facts_file.h"

#include <fmt/format.h>

namespace drydock::app {

namespace {

// A lower target means a downgrade. Rebuild and restore are chosen by a person and never by the
// version.
std::string procedure_of(const PlanRequest& request, const std::string& start) {
    if (request.rebuild) {
        return std::string(model::k_rebuild);
    }
    if (!request.restore.empty()) {
        return std::string(model::k_restore);
    }
    return std::string(model::compare_versions(start, request.target) > 0 ? model::k_downgrade
                                                                          : model::k_upgrade);
}

// Finds a member that does not run, though its release is the target. "Nothing to do" would hide
// it.
std::optional<Error> find_member_down(const Survey& survey) {
    for (const auto& [key, source] : survey.sources) {
        const auto fact = survey.facts.find(key);
        if (source.standard_fact == model::StandardFact::running && fact != survey.facts.end()
            && fact->second.status == model::ObservationStatus::absent) {
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
AppResult<void>
refuse_closed_in(const Options& options, const std::string& state, const std::string& version) {
    auto state_dir = StateDir::open(state, false);
    if (!state_dir && state_dir.error().errors.front().code == "run.none") {
        return {};
    }
    DRYDOCK_TRY_ASSIGN(StateDir opened, std::move(state_dir));
    return refuse_closed_before(options, opened, version);
}

}  // namespace

// Shows all hops. It reads the facts, because facts beat the rules of the guide: they can close a
// hop or open one.
AppResult<RouteAnswer> route(const Options& options, const std::string& target) {
    DRYDOCK_TRY_ASSIGN(auto cluster_survey, survey(options));
    DRYDOCK_TRY_ASSIGN(
        auto start,
        planner::current_version(
            cluster_survey.pack, cluster_survey.cluster, cluster_survey.facts, target));
    DRYDOCK_TRY_ASSIGN(const auto chains, load_chains(cluster_survey.pack));
    DRYDOCK_TRY_ASSIGN(auto route,
                       planner::find_route(cluster_survey.pack,
                                           cluster_survey.cluster,
                                           start,
                                           target,
                                           {chains, &cluster_survey.facts}));
    return RouteAnswer{start, target, std::move(route)};
}

namespace {

// Takes the facts from the file, as a survey would find them. Contacts and executes nothing.
AppResult<Survey>
survey_file(const std::string& file, Project project, const planner::PlanNames& naming) {
    DRYDOCK_TRY_ASSIGN(auto sources, planner::bind_sources(project.pack, project.cluster, naming));
    auto facts = trial::read_facts_file(file, project.pack, project.cluster);
    if (!facts) {
        return refuse_input(std::move(facts.error()));
    }
    model::FactBook book = trial::observe({*facts}, sources, project.cluster);
    return Survey{std::move(project.pack),
                  std::move(project.cluster),
                  std::move(sources),
                  std::move(book),
                  0,
                  {},
                  {}};
}

// Makes the plan of the first hop and notes all stops in it, so that the plan's screen can show
// them.
AppResult<model::Plan> plan_hop(const Options& options,
                                Survey first,
                                const PlanRequest& request,
                                const std::string& procedure,
                                const std::vector<std::string>& stops) {
    const std::string run = make_run_id(first.cluster.name);
    Project project = {std::move(first.pack), std::move(first.cluster)};
    const planner::PlanNames naming = {stops[0], stops[1], run, request.restore};
    DRYDOCK_TRY_ASSIGN(auto survey,
                       request.facts_file.empty()
                           ? survey_for(options, std::move(project), naming)
                           : survey_file(request.facts_file, std::move(project), naming));
    auto plan = finish(planner::compile({survey.pack,
                                         survey.cluster,
                                         survey.facts,
                                         procedure,
                                         stops[0],
                                         stops[1],
                                         run,
                                         request.restore,
                                         ""}));
    if (plan) {
        plan->route = stops;
        plan->facts_file = request.facts_file;
    }
    return plan;
}

// A target that is reached is a failure with the exit code 0: a script that asked for it has
// succeeded.
tl::unexpected<Failure> nothing_to_do(const Survey& survey, const std::string& target) {
    if (auto member_error = find_member_down(survey)) {
        return refuse(std::move(*member_error));
    }
    return refuse({"plan.done",
                   fmt::format("every member runs {} already, and its level is reached", target),
                   "nothing is to be done",
                   ErrorClass::permanent},
                  k_exit_done);
}

tl::unexpected<Failure> not_ahead(const std::string& stop, const std::string& position) {
    return refuse({"plan.through",
                   fmt::format("{} does not lie ahead of {} on the way", stop, position),
                   "name the stops in the order in which they are passed",
                   ErrorClass::permanent},
                  k_exit_usage);
}

// Joins the routes between the stops that a person named. Each stop must lie ahead of the one
// before it, or the route would turn round on the way.
AppResult<std::vector<std::string>>
stops_of(const Survey& survey, const PlanRequest& request, const std::string& start) {
    DRYDOCK_TRY_ASSIGN(const auto chains, load_chains(survey.pack));
    const bool is_forward = model::compare_versions(start, request.target) < 0;
    std::vector<std::string> ends = request.through;
    ends.push_back(request.target);
    std::vector<std::string> stops = {start};
    for (const std::string& end : ends) {
        const std::string position = stops.back();
        if (!request.through.empty()
            && (model::compare_versions(position, end) < 0) != is_forward) {
            return not_ahead(end, position);
        }
        DRYDOCK_TRY_ASSIGN(
            auto route,
            planner::find_route(
                survey.pack, survey.cluster, position, end, {chains, &survey.facts}));
        for (const planner::Hop& hop : route.hops) {
            stops.push_back(hop.to_version);
        }
    }
    return stops;
}

}  // namespace

// With a file of facts the journal is not asked, either: a run could have closed the way back on
// the real cluster only, and `apply` refuses the plan in any case.
AppResult<model::Plan> make_plan(const Options& options, const PlanRequest& request) {
    const bool has_file = !request.facts_file.empty();
    DRYDOCK_TRY_ASSIGN(auto project, open_project(options));
    DRYDOCK_TRY_ASSIGN(auto first,
                       has_file ? survey_file(request.facts_file, std::move(project), {})
                                : survey_quiet(options, std::move(project), {}));
    DRYDOCK_TRY_ASSIGN(
        auto start,
        planner::current_version(first.pack, first.cluster, first.facts, request.target));
    const std::string procedure = procedure_of(request, start);
    if (procedure == model::k_downgrade && !has_file) {
        DRYDOCK_TRY(refuse_closed_in(options, first.cluster.state_dir, request.target));
    }
    std::vector<std::string> stops = {start, request.target};
    if (procedure == model::k_upgrade || procedure == model::k_downgrade) {
        DRYDOCK_TRY_ASSIGN(stops, stops_of(first, request, start));
        if (stops.size() == 1) {
            return nothing_to_do(first, request.target);
        }
    }
    return plan_hop(options, std::move(first), request, procedure, stops);
}

}  // namespace drydock::app
