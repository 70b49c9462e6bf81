// Expected facts: the facts as the finished actions leave them; and drift, where observed facts
// differ.
//
// A fact that an action in flight may be changing has no expected value. A format that a rule may
// raise by itself may have its old or its new value, from the moment at which the rule's condition
// can hold. A format that a command converts has its new value once that is observed, and either of
// them before.
#pragma once

#include "model/plan.h"
#include "run/state.h"

#include <map>
#include <string>
#include <vector>

namespace drydock::run {

struct Expectation {
    std::vector<model::Observation> any_of;  // empty: in flight, anything is possible
    std::string writer;  // the action that left it so; empty: as when the plan was made
};

using ExpectedFacts = std::map<std::string, Expectation, std::less<>>;

[[nodiscard]] ExpectedFacts expected_facts(const model::Plan& plan, const State& state);

// True if the rule's condition can hold with these facts: from here on its format may rise at any
// moment.
[[nodiscard]] bool
law_may_fire(const model::FormatRule& law, const model::Plan& plan, const ExpectedFacts& world);

// The members that are expected to be up. The plan's part of the answer is looked up once, since it
// is needed often.
class ExpectedMembers {
public:
    explicit ExpectedMembers(const model::Plan& plan);

    // Returns the members that the plan expects to be up now, by role, in its order. "Every member"
    // in a condition means these. A member is left out if the plan has stopped it, is handling it,
    // or found it down and brings it up later. A member that was down and that the plan leaves
    // alone is included.
    [[nodiscard]] model::Roster live_members(const State& state) const;

private:
    struct Touch {
        std::size_t action;
        std::size_t member;  // in the order of the roster
        bool is_up;          // afterwards
    };

    model::Roster roster_;
    std::vector<bool> planned_;  // by member
    std::vector<Touch> touches_;
};

[[nodiscard]] model::Roster members_up(const model::Plan& plan, const State& state);

struct Drift {
    std::string key;
    std::string expected;
    std::string actual;
    std::string evidence;
    bool cannot_tell = false;  // the fact could not be read
};

// Returns the facts that have moved, in order of key. Volatile facts are not compared.
[[nodiscard]] std::vector<Drift>
find_drift(const model::Plan& plan, const State& state, const model::FactBook& observed);

}  // namespace drydock::run
