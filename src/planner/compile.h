// The passes of the compiler, in their order. Each takes the draft and makes it more of a plan;
// compile.cpp is the list.
#pragma once

#include "base/result.h"
#include "model/plan.h"
#include "planner/names.h"
#include "planner/planner.h"

#include <string>
#include <vector>

namespace drydock::planner {

// What the passes work on.
struct Draft {
    const Request& request;
    const model::ProcedureSpec* procedure = nullptr;
    Scope scope;
    model::Plan plan;
    std::vector<Error> problems;
    model::FactSources own_sources = {};          // where the request has none
    const model::FactSources* sources = nullptr;  // of all facts; the plan takes those it looks at

    void problem(Error error) { problems.push_back(std::move(error)); }
};

// Chooses the procedure whose ranges and conditions fit; a problem names what does not fit.
void choose_procedure(Draft& draft);
// Members in the order in which they are taken, and who takes over from whom.
void order_members(Draft& draft);
// How early a member is taken. 0: half-way already, so that nothing may be stopped beside it; 1:
// the rest; 2: those that the pack wants last.
[[nodiscard]] int
rank(const Draft& draft, const model::Selection& selection, const model::Member& member);
// Refuses roles of which no member could ever be stopped.
void check_quorums(Draft& draft);
// Steps become actions on members, with dependencies.
void expand(Draft& draft);
// What members are behind already is taken out again: each is entered where it stands.
void enter_members(Draft& draft);
// Laws of the stores as this plan meets them; the point of no return along every order; its gate.
void place_return_point(Draft& draft);
// How a law stands before the plan's first action.
enum class Standing {
    harmless,  // it closes no way back
    open,      // its condition does not hold yet
    may_fire,  // it holds: the format may rise at any moment, whatever the plan does
    fired,     // the format has risen
};
[[nodiscard]] Standing standing_of(const Draft& draft, const model::Law& law);
// Standing requirements become guards of every stop and every raising step.
void keep_requirements(Draft& draft);
// Risks, ways back, and the facts that the plan is bound to.
void add_risks(Draft& draft);
void add_ways_back(Draft& draft);
void bind_facts(Draft& draft);

// Which of the role's members hold for a list of conditions, judged on the surveyed facts.
[[nodiscard]] bool holds(const Draft& draft,
                         const std::vector<model::Condition>& conditions,
                         const std::string& member);

// The facts of a role's members that are bound to a standard fact ("running"); empty name if there
// is none.
[[nodiscard]] std::string
bound_fact(const model::Pack& pack, const std::string& role, std::string_view standard);
[[nodiscard]] std::string
fact_of_kind(const model::Pack& pack, const std::string& role, std::string_view kind);

}  // namespace drydock::planner
