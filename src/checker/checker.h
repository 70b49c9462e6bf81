// The checker: tells beforehand how a plan can go wrong.
//
// It explores a plan breadth first with the very functions that run it (run::apply, run::next)
// against a modelled cluster: standard facts, the laws of the stores, and faults, each with a
// budget. Every command is answered in every way that the model allows; nine properties are asked
// of what can be reached. A story is the shortest way to what breaks. Pure: no clock decides
// anything, no host is asked.
//
// What it says holds for the model and the budgets alone: Report::not_modelled tells the rest.
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "model/closing.h"
#include "model/fact.h"
#include "model/plan.h"
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
    unreadable_start,      // a release is never started on a store that it cannot read
    quorum,                // no command of ours takes a group below its minimum
    skew,                  // releases and roles that may not serve together never do
    twice,                 // an action that may not be repeated never runs twice
    unverified_destroy,    // nothing is destroyed without a verified copy where one is needed
    unasked_return_point,  // the point of no return is never passed without an approval that names
                           // it
    lost_writes,           // no way back that is called a downgrade loses an acknowledged write
    stuck,                 // when faults stop, a person and the run can always bring it to an end
    no_way_back,           // before the point of no return the downgrade ends well from everywhere
};

inline constexpr std::size_t k_properties = 9;

[[nodiscard]] std::string_view name_of(Property property);  // "unreadable-start"
[[nodiscard]] std::optional<Property> property_from(std::string_view name);
[[nodiscard]] std::string_view rule_of(Property property);  // the sentence after its name above

// How often each fault may happen in one story.
struct Faults {
    int failures = 2;  // an action fails, before or after its effect; what nobody models says no
    int unknown = 2;   // an answer is lost; a host forgets what became of an action
    int crashes = 2;   // the conductor dies and another one takes over
    int member = 1;    // a member dies
    int host = 1;      // a host does not answer, for a while or for ever
};

// "failures=1,host=0": the others stay as they are in `base`.
[[nodiscard]] Result<Faults> faults_from(std::string_view text, Faults base = {});
[[nodiscard]] std::string show(const Faults& faults);

// Compiles the way back ("downgrade") from what a survey would find; an error when it is refused.
// Called from several threads at once.
using CompileBack = std::function<Result<model::Plan>(const model::FactBook& facts)>;

struct Options {
    Faults faults;
    std::vector<Property> properties;                // empty: all
    CompileBack back;                                // empty: no_way_back is not asked
    std::size_t memory_max = std::size_t{2} << 30U;  // bytes of states; then it stops
    std::size_t worlds_max = 2000;                   // worlds from which the way back is tried
    int threads = 2;
    bool persons = true;       // somebody goes on with what halted
    bool symmetry = true;      // members that the plan treats alike are taken for one another
    bool late_names = true;    // so are those that it has not come to yet
    bool keeps_spent = false;  // states that differ only in what was spent count, too: to measure
    bool one_order = true;     // of steps that have nothing to do with each other
    bool shortcuts = true;     // first without orders that make no difference but to lengths
};

// One step of a story.
struct Turn {
    std::string text;  // "m2 is stopped"
    Json trace;  // {"what": "ended", "action": "roll/m2/stop", "outcome": "done"}: for replays
};

struct Violation {
    Property property = Property::stuck;
    std::string because;  // one sentence: what breaks
    std::vector<Turn> story;
    std::string action;             // that is to blame; empty if none is
    std::string source;             // its line in the pack
    std::string hint;               // what to change
    std::vector<run::Move> events;  // as a run records this story; empty if it was not walked
};

enum class Verdict {
    holds,       // every state that the budgets allow was visited
    violated,    //
    unfinished,  // memory ran out first: proved up to `depth`
};

struct Report {
    Verdict verdict = Verdict::holds;
    Faults faults;
    std::vector<Violation> violations;  // at most one a property, the shortest
    std::uint64_t states = 0;
    std::uint64_t transitions = 0;
    std::uint64_t bytes = 0;   // that the states took
    int depth = 0;             // events of the longest way to a state, as far as all were visited
    std::uint64_t worlds = 0;  // distinct worlds from which the way back was tried
    // The first action behind which there never is a certain way back: found by trying it from
    // every world; where none can be compiled, the first with which a law that closes it can hold.
    std::string closes;
    // The former in full, if it is not where the plan has its gate: what to compile it by again.
    std::optional<model::Closing> moved;
    std::vector<std::string> not_modelled;  // in words
    std::string note;  // where the planner's point of no return differs from `closes`
};

[[nodiscard]] Report check(const model::Plan& plan, const Options& options);

[[nodiscard]] Json to_json(const Report& report);
[[nodiscard]] std::string_view name_of(Verdict verdict);  // "holds"

}  // namespace drydock::checker
