// Transitions of the modelled cluster: effects of actions, laws, deaths, starts and elections. Each
// returns the properties that it violates, where it can violate any.
//
// The parts: store_effects.h (formats, copies, laws), member_effects.h (up and down),
// effects_under_way.cpp (what holds while an action is under way), quorum.cpp and
// alone_check.cpp (what a begin may not take), and state_properties.cpp (properties of a state,
// asked before and after a transition).
#pragma once

#include "checker/model.h"

namespace drydock::checker {

// A set of properties.
using PropertySet = std::uint32_t;

[[nodiscard]] constexpr PropertySet mask_of(Property property) {
    return 1U << ordinal(property);
}

// Applies the effect of the action. judge_change() finds what the new state violates.
[[nodiscard]] PropertySet take_effect(const Model& model, std::size_t action, Byte* row);
// Marks the copies that the action made as verified: its postconditions were observed.
void verify_copies(const Model& model, std::size_t action, Byte* row);
// Returns `quorum` if the command takes a group below its minimum, by members that it takes down or
// by votes that it takes away. Members that are down, or that other commands in flight take down,
// do not count; votes are those that such commands leave.
[[nodiscard]] PropertySet quorum_violation(const Model& model, std::size_t action, const Byte* row);
// Returns `alone` if another action that must be alone is under way when the command leaves.
[[nodiscard]] PropertySet alone_violation(const Model& model, std::size_t action, const Byte* row);

// A member that was down while an action was under way, and starts again with its end.
struct Returning {
    Index member = 0;
    Byte ran = k_absent;  // the release that it ran before
};

// What holds while the action is under way: its begin, its end, and the case that it never began.
// The end returns the members that start again by that.
void begin_half_done(const Model& model, std::size_t action, Byte* row);
[[nodiscard]] std::vector<Returning>
end_half_done(const Model& model, std::size_t action, Byte* row);
void undo_half_done(const Model& model, std::size_t action, Byte* row);
// The member starts or dies while an action holds it down: to take that action back does not bring
// it up again.
void end_claims_on(const Model& model, const Member& member, Byte* row);
// The attempt has ended: which one it was makes no difference any more.
void forget_attempts(const Model& model, std::size_t action, Byte* row);

// True if the law's condition is that of a state of its members, and holds.
[[nodiscard]] bool holds(const Model& model, const FormatTransition& rise, const Byte* row);
// True if the law's condition holds and its effect is still to come.
[[nodiscard]] bool can_fire(const Model& model, const FormatTransition& rise, const Byte* row);
void fire(const Model& model, const FormatTransition& rise, Byte* row);

// True if the release can start on all stores that the member opens.
[[nodiscard]] bool
can_read_all(const Model& model, const Member& member, Byte release, const Byte* row);
// True if the member runs a release on a store on which it may not serve.
[[nodiscard]] bool misreads(const Model& model, const Member& member, const Byte* row);

void kill_member(const Model& model, const Member& member, Byte* row);
// True if the stopped member could be started as it stands; and the start by an operator.
[[nodiscard]] bool can_be_started(const Model& model, const Member& member, const Byte* row);
void start_by_hand(const Model& model, const Member& member, Byte* row);
// True if the member is down and may come back by itself.
[[nodiscard]] bool can_restart(const Model& model, const Member& member, const Byte* row);
// True if nobody leads and this member may come to lead; and its election.
[[nodiscard]] bool can_lead(const Model& model, const Member& member, const Byte* row);
void lead(const Model& model, const Member& member, Byte* row);

// Returns the properties that hold in the state before a transition and not in the state after it.
[[nodiscard]] PropertySet judge_change(const Model& model, const Byte* before, const Byte* after);
// Returns the properties that a start violates which is no step of the plan: by the member itself
// or by the operator. They are `skew`, `unreadable-start` of other members, `unasked-return-point`
// and `alone`.
[[nodiscard]] PropertySet
judge_start(const Model& model, const Member& member, const Byte* before, const Byte* after);
// Notes for each member that is down at first what its start by itself would break. That is no
// fault of the plan, as long as the member is as it was found. The same holds for the point of no
// return if a member dies under which another release lies installed.
void note_found_starts(Model& model);
// Returns `alone` if a start of the member meets an action that must be alone.
[[nodiscard]] PropertySet
judge_resources_of_start(const Model& model, const Member& member, const Byte* row);
// True if the member votes. Who has no such fact does.
[[nodiscard]] bool votes(const Model& model, const Member& member, const Byte* row);
// True if releases serve together that may not.
[[nodiscard]] bool violates_skew(const Model& model, const Byte* row);
// True if a law that closes the way back has fired or may fire at any moment.
[[nodiscard]] bool is_closing(const Model& model, const Byte* row);
// True if a gate that names the point of no return was approved.
[[nodiscard]] bool is_approved(const Model& model, const Byte* row);
// Returns the key of a temporary fact that is not as it was; empty: all are.
[[nodiscard]] std::string left_behind(const Model& model, const Byte* row);

}  // namespace drydock::checker
