// Pass: the temporary facts, each with the value that an end restores.
//
// A plan keeps the values at rest where the pack tells them, because the survey may find a fact as
// a former plan left it. Else it keeps the values of its survey. A way back keeps those of the plan
// that it takes back: what the upgrade switched was not so before.
#include "planner/compile.h"

#include <algorithm>
#include <optional>

namespace drydock::planner {

namespace {

using model::FactSource;
using model::Observation;
using model::ObservationStatus;

const model::FactSpec* spec_of(const PlanBuilder& draft, const FactSource& source) {
    const model::Member* member = find_member(draft.request.cluster, source.member);
    const std::string role = member == nullptr ? "" : member->role;
    const auto& facts = draft.request.pack.facts;
    const auto spec = std::find_if(facts.begin(), facts.end(), [&](const auto& fact) {
        return fact.name == source.name && fact.role == role;
    });
    return spec == facts.end() ? nullptr : &*spec;
}

Observation at_rest(const Json& value) {
    return {value.is_null() ? ObservationStatus::absent : ObservationStatus::known,
            value,
            "at rest",
            0};
}

// Returns the value that an end restores; nothing if nobody knows it.
std::optional<Observation> value_of(const PlanBuilder& draft, const FactSource& source) {
    const model::FactSpec* spec = spec_of(draft, source);
    if (spec != nullptr && spec->at_rest) {
        return at_rest(*spec->at_rest);
    }
    const auto fact = draft.request.facts.find(source.key);
    if (fact == draft.request.facts.end() || fact->second.status == ObservationStatus::unknown) {
        return std::nullopt;
    }
    return Observation{fact->second.status, fact->second.value, "the plan", 0};
}

void keep_values(PlanBuilder& draft) {
    for (const auto& [key, source] : *draft.sources) {
        const auto value = source.temporary == model::Temporary::no ? std::optional<Observation>()
                                                                    : value_of(draft, source);
        if (value) {
            draft.plan.temporaries.push_back({key, *value, source.temporary});
        }
    }
}

}  // namespace

// Facts of which this plan has no source are left out: nobody could tell what they are.
void add_temporaries(PlanBuilder& draft) {
    if (draft.request.temporaries == nullptr) {
        keep_values(draft);
        return;
    }
    for (const model::TemporaryFact& fact : *draft.request.temporaries) {
        if (draft.sources->contains(fact.key)) {
            draft.plan.temporaries.push_back(fact);
        }
    }
}

}  // namespace drydock::planner
