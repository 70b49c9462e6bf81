// InterchangeableCutoff: of a group of interchangeable actions, two in flight show all that the
// group can do. One raises the format, another one brings a halt. The surplus is skipped: a cutoff,
// in the words of the literature. docs/design/0004, "Crowds", has the argument.
//
// It keeps verdicts, but not the lengths of counterexamples.
#pragma once

#include "checker/successor_builder.h"

#include <vector>

namespace drydock::checker {

class InterchangeableCutoff {
public:
    // An action in flight makes its member observable, so the limit holds only where every member
    // may die at any time.
    InterchangeableCutoff(const Model& model, bool is_enabled)
        : model_(model)
        , is_enabled_(is_enabled && model.interchangeable_groups > 0) {}

    // Skips the surplus of a group before any other step. Returns true if it added a skip; then
    // there are no other successors.
    [[nodiscard]] bool skip_surplus(Expansion& expansion);
    // Counts the actions in flight of each group.
    void count(const run::State& run);

    // True if enough of its group are in flight: this one may as well begin later.
    [[nodiscard]] bool is_surplus(Index action) const {
        return is_enabled_ && model_.actions[action].interchangeable_group != k_no_index
               && in_flight_[model_.actions[action].interchangeable_group] >= k_in_flight_max;
    }

private:
    static constexpr int k_in_flight_max = 2;

    const Model& model_;
    bool is_enabled_;
    std::vector<int> in_flight_;                 // by group: the number of them
    std::vector<std::vector<Index>> not_begun_;  // by group: actions that may begin or be skipped
};

}  // namespace drydock::checker
