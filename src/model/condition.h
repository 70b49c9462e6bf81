// Conditions: requirements on facts, and evaluate(), the one function that decides them.
//
// The runner evaluates conditions on fresh facts, the checker on its modelled cluster; both call
// evaluate(). The answer is yes, no or cannot_tell, with a sentence for people: the observed value
// and the expected one.
#pragma once

#include "base/diagnostics.h"
#include "base/enum_names.h"
#include "model/fact.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::model {

enum class Truth { yes, no, cannot_tell };
inline constexpr EnumNames<Truth, Truth::cannot_tell> k_truths({"yes", "no", "cannot_tell"});

enum class Quantifier { system, self, every, others, any };
inline constexpr EnumNames<Quantifier, Quantifier::any>
    k_quantifiers({"system", "this", "every", "others", "any"});

enum class Relation {
    is,          // equal; a release equals its series prefix ("3.5.16" is "3.5")
    is_not,      //
    in,          // one of a list
    below,       // number or version
    at_least,    //
    above,       //
    at_most,     //
    same,        // all members' values are equal
    present,     // operand true: there is a value; false: there is certainly none
    as_planned,  // operand true: equal to the plan's bound value; false: certainly not
    caught_up,   // not below the largest value that any other member had in the reading before;
                 // cannot_tell if no other had one
    unchanged,   // equal to the value in the reading before
    has,         // a list: the operand is in it
};
inline constexpr EnumNames<Relation, Relation::has> k_relations({"is",
                                                                 "is_not",
                                                                 "in",
                                                                 "below",
                                                                 "at_least",
                                                                 "above",
                                                                 "at_most",
                                                                 "same",
                                                                 "present",
                                                                 "planned",
                                                                 "reaches",
                                                                 "stands",
                                                                 "has"});

struct Condition {
    std::string fact;  // name without member
    std::string role;  // the role whose members have it; empty: the system
    Quantifier quantifier = Quantifier::system;
    Relation relation = Relation::is;
    Json operand;
    FactType type = FactType::text;
    int members_min =
        0;  // at least this many of the quantified members; 0: all of them (for `any`: 1)
    // For `others`: further members that are left out, such as those on the same host.
    std::vector<std::string> excluded_members = {};
    std::string remedy;  // the advice to a person if it does not hold; may be empty
    Position position;   // the line of the pack
};

// The members of each role, in the plan's order. A role without members is an empty list; a
// condition on every one of its members holds.
using Roster = std::map<std::string, std::vector<std::string>, std::less<>>;

// True if a condition looks at this member of its role. `self` is the member of the action.
[[nodiscard]] bool
asks(const Condition& condition, const std::string& member, const std::string& self);

// The facts that a condition is judged by. `earlier` is the reading before, `planned` the facts
// that the plan is bound to.
struct FactView {
    const FactBook& current;
    const FactBook& previous;
    const FactBook& bound;
    const Roster& members;
    std::string this_member;
    // All members, also those that are down; null: `members` are all. A member that is down may be
    // ahead.
    const Roster* all_members = nullptr;
};

struct Verdict {
    Truth outcome = Truth::yes;
    std::string because;  // "m3/ready is false, expected true"; empty when yes
    std::string remedy;
};

[[nodiscard]] Verdict evaluate(const Condition& condition, const FactView& view);
// All conditions must hold: the first `no` decides, else the first `cannot_tell`.
[[nodiscard]] Verdict evaluate_all(const std::vector<Condition>& conditions, const FactView& view);
// Returns the keys that evaluate() will look at.
[[nodiscard]] std::vector<std::string>
facts_of(const Condition& condition, const Roster& members, const std::string& this_member);

// Returns "every member's ready is true", for plans and guides.
[[nodiscard]] std::string describe(const Condition& condition);

[[nodiscard]] Json to_json(const Condition& condition);
[[nodiscard]] Result<Condition> condition_from_json(const Json& json);

[[nodiscard]] inline std::string_view name_of(Quantifier quantifier) {
    return k_quantifiers.of(quantifier);
}

[[nodiscard]] inline std::string_view name_of(Relation relation) {
    return k_relations.of(relation);
}

[[nodiscard]] inline std::string_view name_of(Truth value) {
    return k_truths.of(value);
}

}  // namespace drydock::model
