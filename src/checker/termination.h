// The ends of a run: the states from which it can terminate, and what is wrong with the state in
// which it did.
#pragma once

#include "checker/search.h"

#include <string>
#include <vector>

namespace drydock::checker {

// Returns for each row, by its id, whether the run and an operator can end it without a further
// fault. An end is a finished run, or a halt for which the pack names a remedy.
[[nodiscard]] std::vector<bool>
can_terminate(const Model& model, const Options& options, const Search& search);
// Returns the error of this finished row; empty: none. Members that the plan stops or starts must
// run the release that it leads to, and roles that had a voter have one. Members that a
// side-by-side plan leaves down are exempt, and members that are down and do not vote any more.
[[nodiscard]] std::string final_state_error(const Model& model, const Byte* row);

// Returns a role in which somebody voted at first, and nobody does in this row; empty: there is
// none.
[[nodiscard]] std::string role_without_voters(const Model& model, const Byte* row);

}  // namespace drydock::checker
