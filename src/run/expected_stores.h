// The expected facts of stores: the levels that tell their formats, as laws, commands, copies and
// restores move them. For expected_facts.cpp only.
//
// A value that is certain replaces the others; one that is possible is added to them.
#pragma once

#include "model/plan.h"
#include "run/expected_facts.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::run {

// True if the action is certain to have had its effects.
[[nodiscard]] inline bool took_effect(Status status) {
    return status == Status::done;
}

// True if it is not certain that the begun action had no effect.
[[nodiscard]] inline bool is_unsettled(Status status) {
    return is_in_flight(status) || has_failed(status);
}

// Returns the observation of a value as an effect declares it; null is absent.
[[nodiscard]] model::Observation value_of(const Json& value);

// Returns the key of the fact that a member has bound to a standard fact; empty if it has none.
[[nodiscard]] std::string
bound_key(const model::Plan& plan, std::string_view member, model::StandardFact standard);

// Returns a format as a fact has it: rules write it as a text, and a fact may be a number.
[[nodiscard]] model::Observation
level_of(const model::Plan& plan, const std::string& key, const std::string& format);

// Applies the effects of actions on stores, one action after the other.
class ExpectedStores {
public:
    // Both must outlive this object.
    ExpectedStores(const model::Plan& plan, ExpectedFacts& facts) : plan_(plan), facts_(facts) {}

    // `status` tells whether the effects are certain.
    void apply(const model::Action& action, Status status);

private:
    using Levels = std::map<std::string, Expectation>;

    void apply(const model::Action& action,
               const model::Effect& effect,
               const model::PlanStore& store,
               bool is_certain);
    void apply_in_order(const model::Action& action,
                        const std::vector<model::Effect>& effects,
                        bool is_certain);
    void convert(const model::Action& action,
                 const model::Effect& effect,
                 const model::PlanStore& store,
                 bool is_certain);
    void tell(const model::Action& action,
              const model::Effect& effect,
              const std::string& key,
              const model::PlanStore& store,
              const std::vector<model::Observation>& values,
              bool is_certain);
    void copy(const model::PlanStore& store);
    void restore(const model::Action& action,
                 const model::Effect& effect,
                 const model::PlanStore& store,
                 bool is_certain);
    void restore_all(const model::Action& action, bool is_certain);

    const model::Plan& plan_;
    ExpectedFacts& facts_;
    std::map<std::string, Levels> copies_;  // by store: its levels when the copy was made
};

}  // namespace drydock::run
