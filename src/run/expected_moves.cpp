// Follows the model: src/checker/member_effects.cpp has the same values.
#include "run/expected_moves.h"

#include "model/member_moves.h"
#include "run/expected_stores.h"

#include <algorithm>

namespace drydock::run {

namespace {

using model::Effect;

bool names_key(const std::vector<Effect>& effects, const std::string& key) {
    return std::any_of(effects.begin(), effects.end(), [&](const Effect& effect) {
        return model::fact_key(effect.member, effect.name) == key;
    });
}

}  // namespace

// One pass over the sources serves all members.
const ExpectedMoves::Facts& ExpectedMoves::facts_of(const std::string& member) {
    if (keys_.empty()) {
        for (const auto& [key, source] : plan_.sources) {
            Facts& facts = keys_[source.member];
            if (source.standard_fact == model::StandardFact::ready) {
                facts.ready = key;
            } else if (source.probe["kind"].as_string() == "service") {
                facts.service = key;
            }
        }
    }
    return keys_[member];
}

void ExpectedMoves::tell(const model::Action& action,
                         const std::string& key,
                         Json value,
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

// Possible as long as the action is not done.
void ExpectedMoves::tell_meanwhile(const model::Action& action,
                                   const std::string& key,
                                   Json value) {
    const auto fact = facts_.find(key);
    if (fact != facts_.end() && !fact->second.any_of.empty() && !names_key(action.effects, key)
        && !names_key(action.meanwhile, key)) {
        fact->second.any_of.push_back(value_of(value));
    }
}

void ExpectedMoves::apply(const model::Action& action, Status status) {
    for (const Effect& effect : action.effects) {
        if (model::tells_who_runs(plan_, effect)) {
            const Facts& facts = facts_of(effect.member);
            const bool is_down = effect.value.is_null();
            tell(action, facts.ready, is_down ? Json() : Json(true), status);
            tell(action, facts.service, is_down ? "stopped" : "running", status);
        }
    }
    for (const Effect& effect : action.meanwhile) {
        if (!took_effect(status) && effect.value.is_null()
            && model::tells_who_runs(plan_, effect)) {
            const Facts& facts = facts_of(effect.member);
            tell_meanwhile(action, facts.ready, Json());
            tell_meanwhile(action, facts.service, "stopped");
        }
    }
}

}  // namespace drydock::run
