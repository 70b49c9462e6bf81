// Follows the model: src/checker/member_effects.cpp has the same values.
#include "run/expected_starts_and_stops.h"

#include "model/starts_and_stops.h"
#include "model/version.h"
#include "run/expected_stores.h"

#include <algorithm>
#include <iterator>

namespace drydock::run {

namespace {

using model::Effect;

bool names_key(const std::vector<Effect>& effects, const std::string& key) {
    return std::any_of(effects.begin(), effects.end(), [&](const Effect& effect) {
        return model::fact_key(effect.member, effect.name) == key;
    });
}

// A release may be told as its series or as a full version.
bool is_same_release(const model::Observation& one, const model::Observation& other) {
    const std::string first = one.value.as_string();
    const std::string second = other.value.as_string();
    return one.value == other.value || model::version_in_series(first, second)
           || model::version_in_series(second, first);
}

bool is_told(const Expectation& expectation) {
    return !expectation.any_of.empty()
           && std::all_of(
               expectation.any_of.begin(), expectation.any_of.end(), [](const auto& value) {
                   return value.status == model::ObservationStatus::known;
               });
}

bool is_among(const model::Observation& release, const std::vector<model::Observation>& releases) {
    return std::any_of(releases.begin(), releases.end(), [&](const model::Observation& other) {
        return is_same_release(release, other);
    });
}

}  // namespace

// One pass over the sources serves all members.
const ExpectedStartsAndStops::Facts& ExpectedStartsAndStops::facts_of(const std::string& member) {
    if (keys_.empty()) {
        for (const auto& [key, source] : plan_.sources) {
            Facts& facts = keys_[source.member];
            if (source.standard_fact == model::StandardFact::ready) {
                facts.ready = key;
            } else if (source.standard_fact == model::StandardFact::running) {
                facts.running = key;
            } else if (source.standard_fact == model::StandardFact::installed) {
                facts.installed = key;
            } else if (source.probe["kind"].as_string() == "service") {
                facts.service = key;
            }
        }
    }
    return keys_[member];
}

void ExpectedStartsAndStops::tell(const model::Action& action,
                                  const std::string& key,
                                  const Json& value,
                                  Status status) {
    const auto fact = facts_.find(key);
    if (fact == facts_.end() || names_key(action.effects, key)) {
        return;
    }
    fact->second = {{}, action.id};
    if (took_effect(status)) {
        fact->second.any_of.push_back(value_of(value));
    }
}

// A member that is expected to be down stays so.
void ExpectedStartsAndStops::tell_installed(const model::Action& action, const Facts& facts) {
    const auto running = facts_.find(facts.running);
    const auto installed = facts_.find(facts.installed);
    if (running == facts_.end() || installed == facts_.end() || !is_told(running->second)
        || !is_told(installed->second)) {
        return;
    }
    const auto& releases = installed->second.any_of;
    const bool is_it = std::all_of(running->second.any_of.begin(),
                                   running->second.any_of.end(),
                                   [&](const auto& told) { return is_among(told, releases); });
    if (!is_it) {
        running->second = {releases, action.id};
    }
}

// An action that holds a member down may have ended well without an answer: then what is installed
// runs by now.
void ExpectedStartsAndStops::tell_possible_start(const Facts& facts) {
    const auto running = facts_.find(facts.running);
    const auto installed = facts_.find(facts.installed);
    if (running == facts_.end() || installed == facts_.end() || !is_told(running->second)
        || !is_told(installed->second)) {
        return;
    }
    auto& values = running->second.any_of;
    std::copy_if(installed->second.any_of.begin(),
                 installed->second.any_of.end(),
                 std::back_inserter(values),
                 [&](const model::Observation& release) { return !is_among(release, values); });
}

// Possible as long as the action is not done.
void ExpectedStartsAndStops::tell_meanwhile(const model::Action& action,
                                            const std::string& key,
                                            const Json& value) {
    const auto fact = facts_.find(key);
    if (fact != facts_.end() && !fact->second.any_of.empty() && !names_key(action.effects, key)
        && !names_key(action.meanwhile, key)) {
        fact->second.any_of.push_back(value_of(value));
    }
}

void ExpectedStartsAndStops::apply(const model::Action& action, Status status) {
    for (const Effect& effect : action.effects) {
        if (model::tells_who_runs(plan_, effect)) {
            const Facts& facts = facts_of(effect.member);
            const bool is_down = effect.value.is_null();
            tell(action, facts.ready, is_down ? Json() : Json(true), status);
            tell(action, facts.service, is_down ? "stopped" : "running", status);
            if (!is_down && took_effect(status)) {
                tell_installed(action, facts);
            }
        }
    }
    for (const Effect& effect : action.meanwhile) {
        if (!effect.value.is_null() || !model::tells_who_runs(plan_, effect)) {
            continue;
        }
        const Facts& facts = facts_of(effect.member);
        if (took_effect(status)) {
            tell_installed(action, facts);  // it starts with the end
        } else {
            tell_possible_start(facts);
            tell_meanwhile(action, facts.ready, Json());
            tell_meanwhile(action, facts.service, "stopped");
        }
    }
}

}  // namespace drydock::run
