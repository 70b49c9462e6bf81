// Compares temporary facts with their values at planning time.
#include "run/temporary_facts.h"

#include <algorithm>

namespace drydock::run {

namespace {

using model::Observation;
using model::ObservationStatus;
using model::TemporaryFact;

bool counts(const model::Plan& plan, const TemporaryFact& fact) {
    return fact.temporary == model::Temporary::always || is_way_back(plan);
}

bool is_as_before(const Observation& before, const Observation& now) {
    return before.status == now.status
           && (now.status != ObservationStatus::known || before.value == now.value);
}

}  // namespace

bool is_way_back(const model::Plan& plan) {
    return !plan.reverts_run.empty();
}

std::vector<std::string> temporaries_to_restore(const model::Plan& plan) {
    std::vector<std::string> keys;
    for (const TemporaryFact& fact : plan.temporaries) {
        if (counts(plan, fact)) {
            keys.push_back(fact.key);
        }
    }
    return keys;
}

std::vector<Drift> find_left_behind(const model::Plan& plan, const model::FactBook& observed) {
    std::vector<Drift> left;
    for (const TemporaryFact& fact : plan.temporaries) {
        const auto entry = observed.find(fact.key);
        const Observation now = entry == observed.end() ? Observation{} : entry->second;
        if (counts(plan, fact) && !is_as_before(fact.value, now)) {
            left.push_back({fact.key,
                            to_text(fact.value),
                            to_text(now),
                            now.evidence,
                            now.status == ObservationStatus::unknown});
        }
    }
    return left;
}

}  // namespace drydock::run
