// Compares temporary facts with their values at planning time.
#include "run/temporary_facts.h"

#include "run/expected_stores.h"

#include <algorithm>
#include <set>

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

// Nobody tells a fact of a process that does not run: it is unknown, and not absent.
Observation
told_by_process(const model::Plan& plan, const model::FactBook& observed, const std::string& key) {
    const auto entry = observed.find(key);
    const Observation now = entry == observed.end() ? Observation{} : entry->second;
    const auto source = plan.sources.find(key);
    if (now.status != ObservationStatus::absent || source == plan.sources.end()
        || !model::asks_the_process(source->second)) {
        return now;
    }
    const auto running =
        observed.find(bound_key(plan, source->second.member, model::StandardFact::running));
    const bool is_down =
        running != observed.end() && running->second.status == ObservationStatus::absent;
    return is_down ? Observation{ObservationStatus::unknown,
                                 {},
                                 source->second.member + " is down",
                                 now.at_ms}
                   : now;
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

std::vector<std::string> facts_that_tell_what_is_left(const model::Plan& plan) {
    std::vector<std::string> keys = temporaries_to_restore(plan);
    std::set<std::string> running;
    for (const std::string& key : keys) {
        const auto source = plan.sources.find(key);
        if (source != plan.sources.end() && model::asks_the_process(source->second)) {
            running.insert(bound_key(plan, source->second.member, model::StandardFact::running));
        }
    }
    running.erase("");
    keys.insert(keys.end(), running.begin(), running.end());
    return keys;
}

std::vector<Drift> find_left_behind(const model::Plan& plan, const model::FactBook& observed) {
    std::vector<Drift> left;
    for (const TemporaryFact& fact : plan.temporaries) {
        const Observation now = told_by_process(plan, observed, fact.key);
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
