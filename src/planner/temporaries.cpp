// Pass: the temporary facts, each with the value that an end restores.
//
// A plan keeps the values at rest where the pack tells them, because the survey may find a fact as
// a former plan left it. Else it keeps the values of its survey. A way back keeps those of the plan
// that it takes back: what the upgrade switched was not so before.
//
// What nobody can tell is not watched. A plan that switches such a fact would not know what to
// bring back, so it is refused; else a note says so. Ways back are not refused: they are made at
// night. A fact of which this cluster has no member is no part of it: no note tells of that.
#include "planner/compile.h"

#include <fmt/format.h>

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

bool is_switched(const model::Plan& plan, const FactSource& source) {
    const auto names = [&](const model::Effect& effect) {
        return effect.member == source.member && effect.name == source.name;
    };
    return std::any_of(plan.actions.begin(), plan.actions.end(), [&](const auto& action) {
        return std::any_of(action.effects.begin(), action.effects.end(), names)
               || std::any_of(action.meanwhile.begin(), action.meanwhile.end(), names);
    });
}

// True if the cluster has nobody who tells the fact: it is derived of members, and none has such a
// fact. Packs have facts for some roles only.
bool is_untold(const FactSource& source) {
    return source.is_derived() && source.inputs.empty();
}

void tell_unknown(PlanBuilder& draft, const FactSource& source) {
    const auto fact = draft.request.facts.find(source.key);
    const std::string why =
        fact == draft.request.facts.end() ? "was not read" : fact->second.evidence;
    if (!is_way_back(draft) && is_switched(draft.plan, source)) {
        draft.problem(
            {"plan.temporary",
             fmt::format(
                 "the plan switches {}, and nobody can tell what it is now: {}", source.key, why),
             "see `drydock survey`, and plan again; or say in the pack what it is outside "
             "plans: `at_rest: VALUE`",
             ErrorClass::transient});
        return;
    }
    draft.plan.notes.push_back(fmt::format(
        "{} is temporary, and nobody can tell what it is now ({}): the end of this plan "
        "does not look at it. `at_rest` in the pack tells what it is outside plans",
        source.key,
        why));
}

void keep_values(PlanBuilder& draft) {
    for (const auto& [key, source] : *draft.sources) {
        if (source.temporary == model::Temporary::no
            || (is_untold(source) && !is_switched(draft.plan, source))) {
            continue;
        }
        if (const auto value = value_of(draft, source)) {
            draft.plan.temporaries.push_back({key, *value, source.temporary});
        } else {
            tell_unknown(draft, source);
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
