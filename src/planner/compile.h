// The passes of the compiler, in their order. Each takes the plan builder and makes it more of a
// plan; compile.cpp has the list.
#pragma once

#include "base/result.h"
#include "model/plan.h"
#include "planner/interpolation.h"
#include "planner/planner.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace drydock::planner {

// The object that the passes work on.
struct PlanBuilder {
    const Request& request;
    const model::ProcedureSpec* procedure = nullptr;
    TemplateContext scope;
    model::Plan plan;
    std::vector<Error> problems;
    model::FactSources own_sources = {};  // if the request has none
    const model::FactSources* sources =
        nullptr;  // of all facts; the plan keeps those that it needs
    // Who votes behind the steps that were made so far, by member: those that steps gave a vote, or
    // took it from. While a block is made, the steps before it count, and no steps beside it.
    std::map<std::string, bool> votes = {};

    void problem(Error error) { problems.push_back(std::move(error)); }
};

// Chooses the procedure whose ranges and conditions fit; a problem names those that do not.
void choose_procedure(PlanBuilder& draft);
// Refuses identities that nobody can tell, though their members run.
void check_identities(PlanBuilder& draft);
// Puts members in the order in which they are handled, and names the successor of each.
void order_members(PlanBuilder& draft);
// Returns how early a member is handled. 0: half-way already, so that no other may be stopped
// beside it; 1: all others; 2: those that the pack wants last.
[[nodiscard]] int
rank(const PlanBuilder& draft, const model::Selection& selection, const model::Member& member);
// Refuses a role with a quorum of which nobody votes.
void check_voters(PlanBuilder& draft);
// Refuses roles in which no member could ever be stopped.
void check_quorums(PlanBuilder& draft);
// Turns steps into actions on members, with dependencies.
void expand(PlanBuilder& draft);
// Removes steps that members have behind them already: each member is entered in the middle of its
// steps.
void drop_completed_steps(PlanBuilder& draft);
// Adds the effect on `running` of steps that hold a member down and bring up another release.
void add_starts_at_end(PlanBuilder& draft);
// Adds the stores with their laws, and the rules by which their formats rise.
void add_stores(PlanBuilder& draft);
// Refuses values of facts that no law knows: surveyed ones, and those that effects give. A way back
// has a note instead.
void check_values(PlanBuilder& draft);
// Finds the point of no return along every order by the rules of the stores, and places its gate.
void place_return_point(PlanBuilder& draft);
// The state of a rule before the plan's first action.
enum class RuleState {
    harmless,  // it closes no way back
    open,      // its condition does not hold yet
    may_fire,  // it holds: the format may rise at any moment, whatever the plan does
    fired,     // the format has risen
};
[[nodiscard]] RuleState rule_state(const PlanBuilder& draft, const model::FormatRule& law);
// Adds standing requirements to the guards of every stop and every raising step.
void add_standing_guards(PlanBuilder& draft);
// Add the risks, the ways back, and the facts that the plan is bound to.
void add_risks(PlanBuilder& draft);
void add_ways_back(PlanBuilder& draft);
void bind_facts(PlanBuilder& draft);
// Adds the temporary facts that the survey or the request tells of.
void add_temporaries(PlanBuilder& draft);

// True if the plan takes an upgrade back. Such a plan is made at night, and refused as rarely as
// possible.
[[nodiscard]] bool is_way_back(const PlanBuilder& draft);

// True if a list of conditions holds for the member, judged on the surveyed facts.
[[nodiscard]] bool holds(const PlanBuilder& draft,
                         const std::vector<model::Condition>& conditions,
                         const std::string& member);

// True if the action has that effect on the store.
[[nodiscard]] bool
has_effect(const model::Action& action, model::EffectKind kind, const std::string& store);

// Returns the name of the role's fact that is bound to a standard fact; empty if there
// is none.
[[nodiscard]] std::string
bound_fact(const model::Pack& pack, const std::string& role, model::StandardFact standard);
// Returns the surveyed value of a fact, null if it is absent; nothing if nobody could tell.
[[nodiscard]] std::optional<Json> surveyed(const PlanBuilder& draft, const std::string& key);
// Whether the survey found the member running (`known`) or down (`absent`); `unknown`: nobody could
// tell, or nobody asked.
[[nodiscard]] model::ObservationStatus
found_running(const PlanBuilder& draft, const std::string& role, const std::string& member);
// Returns the members of a role on one host, in the plan's order.
[[nodiscard]] std::vector<std::string>
members_on(const PlanBuilder& draft, const std::string& role, const std::string& host);
// Returns the name of the role's fact with that kind of probe; empty if there is none.
[[nodiscard]] std::string
fact_of_kind(const model::Pack& pack, const std::string& role, std::string_view kind);

}  // namespace drydock::planner
