// Transitions of the modelled cluster: effects of actions, laws, deaths and repairs. Each returns
// the properties that it violates, where it can violate any.
#pragma once

#include "checker/site.h"

namespace drydock::checker {

// A set of properties.
using Broken = std::uint16_t;

[[nodiscard]] constexpr Broken bit_of(Property property) {
    return static_cast<Broken>(1U << static_cast<unsigned>(property));
}

// Applies the effect of the action.
[[nodiscard]] Broken take_effect(const Site& site, std::size_t action, Byte* row);
// Marks the copies that the action made as verified: its postconditions were observed.
void prove_copies(const Site& site, std::size_t action, Byte* row);
// Returns `quorum` if the command takes its group below the minimum. Members that are down, or that
// other commands in flight take down, do not count.
[[nodiscard]] Broken begin(const Site& site, std::size_t action, const Byte* row);

// True if the law's condition holds and its effect is still to come.
[[nodiscard]] bool may_fire(const Site& site, const Rise& rise, const Byte* row);
void fire(const Site& site, const Rise& rise, Byte* row);

// True if the release can read all stores that the member opens.
[[nodiscard]] bool
can_read_all(const Site& site, const Member& member, Byte release, const Byte* row);

void die(const Site& site, const Member& member, Byte* row);
// True if the stopped member could be started as it stands; and the start by an operator.
[[nodiscard]] bool may_be_started(const Site& site, const Member& member, const Byte* row);
void start_by_hand(const Site& site, const Member& member, Byte* row);

// True if releases serve together that may not.
[[nodiscard]] bool serve_apart(const Site& site, const Byte* row);
// True if a law that closes the way back has fired or may fire at any moment.
[[nodiscard]] bool is_closing(const Site& site, const Byte* row);
// True if a gate that names the point of no return was approved.
[[nodiscard]] bool is_approved(const Site& site, const Byte* row);

}  // namespace drydock::checker
