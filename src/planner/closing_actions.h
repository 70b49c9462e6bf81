// Closing actions: the actions with which a rule's trigger can first hold, along every order that a
// plan allows. They are found on the graph; no order is walked through.
//
// A rule fires by itself some time after its trigger can hold. So these actions are the point of no
// return, not the moment at which a level is seen to move. In every order the trigger first holds
// with one of them, or after one of them. A gate before each of them is therefore before every such
// moment.
#pragma once

#include "model/plan.h"

#include <string>
#include <vector>

namespace drydock::planner {

// A member of the store's role, in its state before the plan.
struct MemberRelease {
    std::string member;
    bool runs = false;     // the series of the law, before the plan's first action
    bool is_down = false;  // before the plan's first action
};

// Returns the closing actions of `when_all`: every member runs `series`. They are told by effects
// on the fact `running`; the actions on one member must be in one order. Returns none if the
// trigger holds already, or never will.
[[nodiscard]] std::vector<std::size_t> closing_when_all(const model::Plan& plan,
                                                        const std::vector<MemberRelease>& members,
                                                        const std::string& running,
                                                        const std::string& series);

// Returns the closing actions of `when_all_running`: every member that runs, runs `series`, and one
// at least does. A stop can be one. It may return some with which the trigger cannot hold yet, but
// nothing before them. Returns none if the trigger holds already, or never will.
[[nodiscard]] std::vector<std::size_t>
closing_when_all_running(const model::Plan& plan,
                         const std::vector<MemberRelease>& members,
                         const std::string& running,
                         const std::string& series);

// True if the action starts a member on the series.
[[nodiscard]] bool
starts_series(const model::Action& action, const std::string& running, const std::string& series);

// Returns those of `actions` that come after no other of them.
[[nodiscard]] std::vector<std::size_t> first_of(const model::Plan& plan,
                                                const std::vector<std::size_t>& actions);

// Returns for each action whether it must come before one of `actions`; these themselves are left
// out.
[[nodiscard]] std::vector<bool> ancestors(const model::Plan& plan,
                                          const std::vector<std::size_t>& actions);

// Returns for each action whether it is one of `actions` or must come after one.
[[nodiscard]] std::vector<bool> descendants(const model::Plan& plan,
                                            const std::vector<std::size_t>& actions);

}  // namespace drydock::planner
