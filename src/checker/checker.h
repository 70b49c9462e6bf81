// Start here: the interface of the model checker. It finds out before a run how a plan can go
// wrong.
//
// The search visits every reachable state, breadth first, with the functions that run a plan
// (run::apply, run::next). They act on a modelled cluster: standard facts, the laws of the stores,
// and faults within budgets. Each command gets every answer that the model allows, and eleven
// properties are checked. A counterexample is a shortest path to a violation. The checker is pure:
// it reads no clock and asks no host.
//
// A verdict holds for the model and the budgets alone. Report::not_modelled lists the rest.
// Reading order: README.md, model.h, cluster_effects.h, successor_batch.h, successor_builder.h,
// successor_rules.h, successor_generator.h, state_store.h, insert_buffer.h, search.h,
// counterexample.h. Then the reductions: symmetry.h, swap_symmetry.h, lazy_member_identity.h,
// partial_order_reduction.h, interchangeable_cutoff.h. Then the reachability of ends:
// backward_reachability.h, downgrade_check.h, return_point_search.h.
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "model/fact.h"
#include "model/plan.h"
#include "model/return_point_hint.h"
#include "run/event.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::checker {

enum class Property : std::uint8_t {
    unreadable_start,      // a release never runs on a store that it cannot read
    quorum,                // no command of ours takes a group below its minimum
    skew,                  // releases and roles that may not serve together never do
    twice,                 // an action that may not be repeated never runs twice
    unverified_destroy,    // nothing is destroyed without a verified copy where one is needed
    unasked_return_point,  // the point of no return is never passed without an approval that names
                           // it
    lost_writes,           // no way back that is called a downgrade loses an acknowledged write
    stuck,                 // when faults stop, a person and the run can always bring it to an end
    no_way_back,           // before the point of no return the downgrade ends well from everywhere
    left_behind,           // what a plan switches for its own time is as before when it has ended
    alone,                 // actions that must be alone are never under way at the same time
};

inline constexpr std::size_t k_properties = 11;

[[nodiscard]] constexpr Property property_at(std::size_t index) {
    return static_cast<Property>(index);
}

[[nodiscard]] std::string_view name_of(Property property);  // "unreadable-start"
[[nodiscard]] std::optional<Property> property_from(std::string_view name);
[[nodiscard]] std::string_view rule_of(Property property);  // the sentence after its name above

// The fault budgets: the maximum number of each fault on one path.
struct Faults {
    int failures = 2;  // an action fails, before or after its effect; an unmodelled condition fails
    int unknown = 2;   // an answer is lost; a host forgets the outcome of an action
    int crashes = 2;   // the conductor dies and another one takes over
    int member = 1;    // a member dies
    int host = 1;      // a host does not answer, for a while or for ever
    int restart = 0;   // a member that is down starts by itself; at 0 such starts are only judged
};

// Parses "failures=1,host=0". Budgets that are not named keep their value in `base`.
[[nodiscard]] Result<Faults> faults_from(std::string_view text, Faults base = {});
[[nodiscard]] std::string show(const Faults& faults);

// Compiles the downgrade from the facts that a survey would find. Returns an error if the planner
// refuses. Several threads call it at once.
using CompileDowngrade = std::function<Result<model::Plan>(const model::FactBook& facts)>;

struct Options {
    Faults faults;
    std::vector<Property> properties;                // empty: all
    CompileDowngrade compile_downgrade;              // empty: no_way_back is not checked
    std::size_t memory_max = std::size_t{2} << 30U;  // bytes of states; the search stops beyond it
    std::size_t downgrade_starts_max = 2000;         // states from which a downgrade is tried
    int threads = 2;
    bool judges_restarts = true;   // members that are down may start by themselves at any moment
    bool operator_repairs = true;  // an operator repairs and resumes a halted run
    bool symmetry = true;          // interchangeable members share one representative
    bool lazy_identity = true;     // so do members that the plan has not reached
    bool no_dominance_pruning =
        false;  // keeps states that differ in fault usage alone: for measurements
    bool partial_order_reduction = true;  // explores independent steps in one order
    bool resolve_local =
        true;  // a first search resolves local actions at once; paths may be longer
};

// One step of a counterexample.
struct TraceStep {
    std::string text;  // "m2 is stopped"
    Json trace;  // {"what": "ended", "action": "roll/m2/stop", "outcome": "done"}: for replays
};

struct Violation {
    Property property = Property::stuck;
    std::string because;  // one sentence: the cause
    std::vector<TraceStep> story;
    std::string action;                     // the action to blame; empty if there is none
    std::string source;                     // its line in the pack
    std::string hint;                       // the suggested change
    std::vector<run::CompactEvent> events;  // as a run records the path; empty: it was not rebuilt
};

enum class Verdict {
    holds,       // every state that the budgets allow was visited
    violated,    // the report has a violation
    unfinished,  // memory ran out first: checked up to `depth`
};

struct Report {
    Verdict verdict = Verdict::holds;
    Faults faults;
    std::vector<Violation> violations;  // at most one a property, the shortest
    std::uint64_t states = 0;
    std::uint64_t transitions = 0;
    std::uint64_t bytes = 0;  // memory of the states
    int depth = 0;  // events on the longest of the shortest paths, as far as all were found
    std::uint64_t downgrade_starts = 0;  // distinct states from which a downgrade was tried
    // The first action after which no downgrade is certain to end well. It is found by trying the
    // downgrade from every state. Where none can be compiled, it is the first action that enables a
    // law which closes the way back.
    std::string return_point;
    // The return point in full, if the plan has its gate elsewhere: the hint for compiling it
    // again.
    std::optional<model::ReturnPointHint> return_point_hint;
    std::vector<std::string> not_modelled;  // sentences for people
    // Facts without a law that conditions of downgrades look at: the ways back are certain only if
    // they hold.
    std::vector<std::string> hangs_on;
    std::string note;  // the difference between the planner's point of no return and return_point
};

[[nodiscard]] Report check(const model::Plan& plan, const Options& options);

[[nodiscard]] Json to_json(const Report& report);
[[nodiscard]] std::string_view name_of(Verdict verdict);  // "holds"

}  // namespace drydock::checker
