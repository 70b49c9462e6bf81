// Pass: who can say which cluster and which programs these are, says it.
//
// A plan is bound to identities: a run looks at them before each start, and stops where one has
// moved. One that could not be told when the plan was made (its probe was too late, say) would be
// looked at by nobody. A member that is down cannot say its own; of those people are told.
#include "planner/compile.h"
#include "planner/interpolation.h"

#include <fmt/format.h>

namespace drydock::planner {

namespace {

using model::FactSource;
using model::Observation;
using model::ObservationStatus;

// True if the fact is of the whole system, or of a member that was found running.
bool is_heard(const PlanBuilder& draft, const FactSource& source) {
    const auto* member = find_member(draft.request.cluster, source.member);
    return member == nullptr
           || found_running(draft, member->role, member->name) == ObservationStatus::known;
}

void tell_identity(PlanBuilder& draft, const FactSource& source, const Observation& observation) {
    const std::string summary =
        fmt::format("{} tells which cluster or program this is, and could not be told: {}",
                    source.key,
                    observation.evidence);
    if (is_way_back(draft) || !is_heard(draft, source)) {
        draft.plan.notes.push_back(summary + "; this plan is not bound to it");
        return;
    }
    draft.problem(
        {"plan.identity",
         summary,
         "plan again; if its probe needs longer than that, give the fact a `within` in the pack",
         ErrorClass::transient});
}

}  // namespace

void check_identities(PlanBuilder& draft) {
    for (const auto& [key, source] : *draft.sources) {
        if (!source.identity) {
            continue;
        }
        const auto entry = draft.request.facts.find(key);
        if (entry != draft.request.facts.end()
            && entry->second.status == ObservationStatus::unknown) {
            tell_identity(draft, source, entry->second);
        }
    }
}

}  // namespace drydock::planner
