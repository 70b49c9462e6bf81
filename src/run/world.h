// The expected world: the facts as the finished actions leave them; and drift: where what is
// observed differs.
//
// A fact that an action in flight may be changing right now is not expected to have any value. A
// format that a law may raise unasked may have its old or its new value, from the moment at which
// the law's condition can hold. A format that a command converts has its new value once that is
// seen, and either of them before.
#pragma once

#include "model/plan.h"
#include "run/state.h"

#include <map>
#include <string>
#include <vector>

namespace drydock::run {

struct Expectation {
    std::vector<model::Observation> any_of;  // empty: in flight, anything is possible
    std::string by;  // the action that left it so; empty: as when the plan was made
};

using World = std::map<std::string, Expectation, std::less<>>;

[[nodiscard]] World expected_world(const model::Plan& plan, const State& state);

// Whether the law's condition can hold in this world: from here on its format may rise at any
// moment.
[[nodiscard]] bool law_may_fire(const model::Law& law, const model::Plan& plan, const World& world);

// Who is expected to be up, for one who asks often: what the plan says of it is looked up once.
class Presence {
public:
    explicit Presence(const model::Plan& plan);

    // The members that the plan expects to be up now, by role, in its order. "Every member" in a
    // condition means these: one that the plan has stopped, is just handling, or found down and
    // brings up later is not asked for. One that was down and that the plan leaves alone is.
    [[nodiscard]] model::Roster up(const State& state) const;

private:
    struct Touch {
        std::size_t action;
        std::size_t member;  // in the order of the roster
        bool up;             // afterwards
    };

    model::Roster roster_;
    std::vector<bool> planned_;  // by member
    std::vector<Touch> touches_;
};

[[nodiscard]] model::Roster members_up(const model::Plan& plan, const State& state);

struct Drift {
    std::string key;
    std::string expected;
    std::string found;
    std::string evidence;
    bool cannot_tell = false;  // the fact could not be read
};

// What moved, in order of key. Facts that move by themselves are not compared.
[[nodiscard]] std::vector<Drift>
find_drift(const model::Plan& plan, const State& state, const model::FactBook& observed);

}  // namespace drydock::run
