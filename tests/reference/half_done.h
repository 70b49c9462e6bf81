// Half-done effects: what holds from the begin of an action, and stays if it is cut off.
#pragma once

#include "reference/world.h"

namespace drydock::reference {

// The action begins: its `while` holds.
void begin_half_done(Model& model, std::size_t index, World& world);
// It ended in full, so all is as before the first attempt. Returns the members that come up again
// by that, with the release that each ran.
std::map<std::string, std::string>
take_back_half_done(Model& model, std::size_t index, World& world);
// The member starts or dies: an action that held it down does not bring it up again by being undone.
void end_claims_on(const Model& model, const std::string& member, World& world);
// It never began. What an earlier attempt left stays.
void never_begin(Model& model, std::size_t index, World& world);

}  // namespace drydock::reference
