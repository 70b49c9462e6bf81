// What happens to the modelled cluster: effects of actions, laws that fire, members that die; and
// which properties break with it.
#pragma once

#include "checker/site.h"

namespace drydock::checker {

// A set of properties.
using Broken = std::uint16_t;

[[nodiscard]] constexpr Broken bit_of(Property property) {
    return static_cast<Broken>(1U << static_cast<unsigned>(property));
}

// The action takes effect.
[[nodiscard]] Broken take_effect(const Site& site, std::size_t action, Byte* row);
// What it promised was seen: its copies are proved.
void prove_copies(const Site& site, std::size_t action, Byte* row);
// The command leaves: whether it takes its group below the minimum, given who is down already and
// what other commands in flight take down.
[[nodiscard]] Broken begin(const Site& site, std::size_t action, const Byte* row);

[[nodiscard]] bool may_fire(const Site& site, const Rise& rise, const Byte* row);
void fire(const Site& site, const Rise& rise, Byte* row);

// Whether the release can read all stores that the member opens.
[[nodiscard]] bool
can_read_all(const Site& site, const Member& member, Byte release, const Byte* row);

void die(const Site& site, const Member& member, Byte* row);
// Whether a member that died could be started as it stands; and that a person does it.
[[nodiscard]] bool may_be_started(const Site& site, const Member& member, const Byte* row);
void start_by_hand(const Site& site, const Member& member, Byte* row);

// Whether releases serve beside each other that may not.
[[nodiscard]] bool serve_apart(const Site& site, const Byte* row);
// Whether a law that closes the way back has fired, or may fire at any moment.
[[nodiscard]] bool is_closing(const Site& site, const Byte* row);
// Whether a gate that names the point of no return was approved.
[[nodiscard]] bool is_approved(const Site& site, const Byte* row);

}  // namespace drydock::checker
