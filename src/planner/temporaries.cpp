// Pass: the temporary facts, each with the value that an end restores.
//
// A plan keeps the values of its survey. A way back keeps those of the plan that it takes back:
// what the upgrade switched was not so before.
#include "planner/compile.h"

namespace drydock::planner {

namespace {

void keep_surveyed(PlanBuilder& draft) {
    for (const auto& [key, source] : *draft.sources) {
        const auto fact = draft.request.facts.find(key);
        if (source.temporary != model::Temporary::no && fact != draft.request.facts.end()
            && fact->second.status != model::ObservationStatus::unknown) {
            draft.plan.temporaries.push_back(
                {key, {fact->second.status, fact->second.value, "the plan", 0}, source.temporary});
        }
    }
}

}  // namespace

// Facts of which this plan has no source are left out: nobody could tell what they are.
void add_temporaries(PlanBuilder& draft) {
    if (draft.request.temporaries == nullptr) {
        keep_surveyed(draft);
        return;
    }
    for (const model::TemporaryFact& fact : *draft.request.temporaries) {
        if (draft.sources->contains(fact.key)) {
            draft.plan.temporaries.push_back(fact);
        }
    }
}

}  // namespace drydock::planner
