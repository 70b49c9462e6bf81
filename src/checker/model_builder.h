// The steps that build a Model, in the order of their calls. Steps add values; predicates are sets
// of values, so they are added after all effects.
#pragma once

#include "checker/model.h"

#include <cstdint>
#include <string>
#include <vector>

namespace drydock::checker {

// Returns the index of the store; k_no_index: the plan has none of this name.
[[nodiscard]] Index store_named(const Model& model, const std::string& name);
[[nodiscard]] bool is_listed(const std::vector<std::string>& formats, const std::string& format);
// True if the release starts on the format, whether it may serve there or not.
[[nodiscard]] bool opens(const model::FormatSupport& support, const std::string& format);

// Returns the index of the value, which is added if it is new; null is "absent".
[[nodiscard]] Byte index_of(Model& model, const Json& value);
// Returns the set of values that mean this release, one bit a value.
[[nodiscard]] std::uint64_t values_of_release(const Model& model, const std::string& release);

// Returns the value of a fact that a step leaves open. No condition holds for it, and none fails:
// both answers are explored.
[[nodiscard]] Byte open_value(Model& model);
// Adds the effect of each action on the row, and the actions that start and stop each member.
void add_effects(Model& model);
// Adds the laws that raise formats.
void add_format_transitions(Model& model);
// Adds, for each store, the formats that each release reads. All values must be known.
void add_readable_formats(Model& model);
// Adds the changes of stores, what holds while actions are under way, and the actions that must be
// alone.
void add_half_done_effects(Model& model);
// Adds the quorums, the temporary facts and the switches of the laws that the plan uses.
void add_laws_of_roles(Model& model);
// Adds the releases and roles that may not serve together.
void add_skews(Model& model);
// Adds the conditions of all actions.
void add_predicates(Model& model);
// Marks local actions: they may be repeated, and no concurrent action touches the bytes that they
// read or write.
void add_local_actions(Model& model);
// Groups interchangeable actions: they may be skipped, and raise a format at most.
void add_interchangeable_groups(Model& model);
// Marks independent actions: they may be repeated, have no modelled effect and no postconditions.
void add_independent_actions(Model& model);

}  // namespace drydock::checker
