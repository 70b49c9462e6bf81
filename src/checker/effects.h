// Transitions of the modelled cluster: effects of actions, laws, deaths and repairs. Each returns
// the properties that it violates, where it can violate any.
#pragma once

#include "checker/model.h"

namespace drydock::checker {

// A set of properties.
using PropertySet = std::uint32_t;

[[nodiscard]] constexpr PropertySet mask_of(Property property) {
    return 1U << ordinal(property);
}

// Applies the effect of the action.
[[nodiscard]] PropertySet take_effect(const Model& model, std::size_t action, Byte* row);
// Marks the copies that the action made as verified: its postconditions were observed.
void verify_copies(const Model& model, std::size_t action, Byte* row);
// Returns `quorum` if the command takes its group below the minimum. Members that are down, or that
// other commands in flight take down, do not count.
[[nodiscard]] PropertySet begin(const Model& model, std::size_t action, const Byte* row);

// True if the law's condition holds and its effect is still to come.
[[nodiscard]] bool can_fire(const Model& model, const FormatTransition& rise, const Byte* row);
void fire(const Model& model, const FormatTransition& rise, Byte* row);

// True if the release can read all stores that the member opens.
[[nodiscard]] bool
can_read_all(const Model& model, const Member& member, Byte release, const Byte* row);

void die(const Model& model, const Member& member, Byte* row);
// True if the stopped member could be started as it stands; and the start by an operator.
[[nodiscard]] bool can_be_started(const Model& model, const Member& member, const Byte* row);
void start_by_hand(const Model& model, const Member& member, Byte* row);

// True if releases serve together that may not.
[[nodiscard]] bool violates_skew(const Model& model, const Byte* row);
// True if a law that closes the way back has fired or may fire at any moment.
[[nodiscard]] bool is_closing(const Model& model, const Byte* row);
// True if a gate that names the point of no return was approved.
[[nodiscard]] bool is_approved(const Model& model, const Byte* row);

}  // namespace drydock::checker
