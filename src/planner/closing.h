// Closing actions: those with which a law's condition can first hold, along every order that a plan
// allows. Decided on the graph, without walking through the orders.
//
// A law fires by itself some time after its condition can hold; so these actions, and not the
// moment at which a level is seen to move, are the point of no return. An order in which the
// condition holds at all holds first with one of them, or behind one of them: a gate before each of
// them is before every such moment.
#pragma once

#include "model/plan.h"

#include <string>
#include <vector>

namespace drydock::planner {

// A member of the store's role, as the plan finds it.
struct Runner {
    std::string member;
    bool runs = false;  // the series of the law, before the plan's first action
};

// `when_all`: every member runs `series`. Told by the effects on the fact `running`; the actions on
// one member must be in one order. Empty if the condition holds already, or never will.
[[nodiscard]] std::vector<std::size_t> closing_when_all(const model::Plan& plan,
                                                        const std::vector<Runner>& members,
                                                        const std::string& running,
                                                        const std::string& series);

// Whether the action starts a member on the series.
[[nodiscard]] bool
starts_series(const model::Action& action, const std::string& running, const std::string& series);

// Those of `actions` that come behind no other of them.
[[nodiscard]] std::vector<std::size_t> first_of(const model::Plan& plan,
                                                const std::vector<std::size_t>& actions);

// For each action, whether it must come before one of `actions` (themselves left out).
[[nodiscard]] std::vector<bool> ancestors(const model::Plan& plan,
                                          const std::vector<std::size_t>& actions);

}  // namespace drydock::planner
