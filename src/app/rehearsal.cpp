#include "app/rehearsal.h"

#include "app/begin_run.h"
#include "app/planning.h"
#include "app/signing.h"
#include "planner/rehearsal.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::app {

namespace {

bool has_rehearsal(const model::Pack& pack) {
    return std::any_of(pack.procedures.begin(), pack.procedures.end(), [](const auto& one) {
        return one.name == planner::k_rehearsal;
    });
}

// Of the plan's hop, from the facts as they are now; checked.
Answer<model::Plan> plan_rehearsal(const Options& options, const model::Plan& plan) {
    auto project = open_project(options);
    if (!project) {
        return tl::unexpected(project.error());
    }
    if (!has_rehearsal(project->pack)) {
        return refuse({"rehearsal.none",
                       fmt::format("the {} pack has no rehearsal", project->pack.name),
                       "write a procedure of that name: docs/packs.md",
                       ErrorClass::permanent});
    }
    const std::string run = make_run_id(plan.run);
    auto found = survey_quiet(options, std::move(*project), {plan.from, plan.to, run, ""});
    if (!found) {
        return tl::unexpected(found.error());
    }
    auto made = finish(planner::compile({found->pack,
                                         found->cluster,
                                         found->facts,
                                         std::string(planner::k_rehearsal),
                                         plan.from,
                                         plan.to,
                                         run,
                                         "",
                                         ""}));
    if (made) {
        made->check = verdict_of(check_soon(options, *made), *made);
    }
    return made;
}

}  // namespace

Answer<RunStatus> rehearse(const Options& options, const model::Plan& plan, Observer& observer) {
    if (const auto signer = check_signature(options, plan); !signer) {
        return tl::unexpected(signer.error());
    }
    Options of_plan = options;
    of_plan.cluster_file = plan.cluster_file;
    of_plan.plan_file.clear();  // what runs is another plan
    const auto made = plan_rehearsal(of_plan, plan);
    if (!made) {
        return tl::unexpected(made.error());
    }
    if (Status checked = is_proved(*made); !checked) {
        return refuse(checked.error());
    }
    if (Status known = remember_own(options, *made); !known) {
        return refuse(known.error());
    }
    auto store =
        options.dry_run ? Store::open_to_look(made->state) : Store::open(made->state, true);
    if (!store) {
        return tl::unexpected(store.error());
    }
    Departure departure = {*made, start_proof(of_plan, *made)};
    SessionPointer session;
    return carry_out(of_plan, *store, departure, observer, session);
}

}  // namespace drydock::app
