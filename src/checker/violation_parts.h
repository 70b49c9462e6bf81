// Parts of a violation that both its cause and its remedy name: stores, members, other actions.
#pragma once

#include "checker/counterexample.h"
#include "checker/store_effects.h"

#include <optional>
#include <string>
#include <vector>

namespace drydock::checker {

// A member and an instance of a store that its release does not read.
struct Misreading {
    Index member = 0;
    const Store* store = nullptr;
    Index instance = 0;
    Byte reader = k_absent;  // the release whose laws hold: the member's, or that of an axis
    Byte format = k_no_format;
    bool may_start = false;   // the release starts on the format, and may not serve clients
    bool is_unclean = false;  // the format is fine, but the store was not left clean
};

// Returns the member that misreads a store after the path and did not before its last transition.
[[nodiscard]] std::optional<Misreading> find_misreading(const Model& model, const Path& walk);
// Returns the stores that kept the members of the last action down.
[[nodiscard]] std::vector<Misreading> refusing_stores(const Model& model, const Path& walk);

// Returns the other actions that are under way when the last action of the path begins.
[[nodiscard]] std::vector<Index> actions_beside(const Model& model, const Path& walk);
// Returns the members that the last action takes down; none if it is no action.
[[nodiscard]] std::vector<Index> members_leaving(const Model& model, const Path& walk);

// Returns the stores whose loss nothing makes good: those without a verified copy that the last
// action destroys, else those that rise.
[[nodiscard]] std::vector<std::string> unverified_stores(const Model& model, const Path& walk);

[[nodiscard]] std::string format_name(const Store& store, Byte format);
// Returns the titles in quotation marks, joined by "and".
[[nodiscard]] std::string titles_of(const Model& model, const std::vector<Index>& actions);

}  // namespace drydock::checker
