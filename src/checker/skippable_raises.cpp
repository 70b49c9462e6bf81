// Groups of interchangeable actions: concurrent actions that may be skipped, and do nothing but
// raise a format that one of them raises alone.
//
// "Move leadership away, if it leads", on every member at once, is such a group. No fact models the
// leader, so any number of the actions may be in flight. docs/design/0004, "Crowds", argues that
// two at a time show all that the group can do.
#include "checker/model_builder.h"

#include <algorithm>
#include <map>

namespace drydock::checker {

namespace {

// True if a skip cannot be told from an end: no promise, no trace in the row, no gate, no failure
// that the plan tolerates.
bool can_be_skipped(const Model& model, std::size_t action) {
    const ActionModel& act = model.actions[action];
    const bool open = std::any_of(act.applies_if.begin(),
                                  act.applies_if.end(),
                                  [](const Predicate& question) { return !question.is_modelled; });
    return open && model.program.acts(action) && !model.program.has_postconditions(action)
           && !model.program.optional(action) && !model.program.is_gate(action)
           && act.ran == k_no_offset && !act.matters_if_skipped;
}

// True if the action has no effect but raising formats of whole stores.
bool raises_only(const ActionModel& act) {
    const auto is_own = [](const StoreChange& change) { return change.own; };
    return std::none_of(act.changes.begin(), act.changes.end(), is_own) && act.writes.empty()
           && act.lowers.empty() && act.copies.empty() && act.destroyed.empty() && !act.destroys
           && !act.restores && !act.starts && !act.stops_members && !act.moves_serving
           && act.meanwhile.empty() && act.alone.empty();
}

}  // namespace

// A format that is lowered again could be raised twice, and then one raise would not do for all.
// Where members change each other by laws, a skip may be told from an end.
void add_interchangeable_groups(Model& model) {
    const bool lowered = std::any_of(model.actions.begin(),
                                     model.actions.end(),
                                     [](const ActionModel& act) { return !act.lowers.empty(); });
    std::map<std::vector<Index>, Index> crowds;  // by the stores that they raise
    const bool is_off = lowered || model.has_mutual_laws;
    for (std::size_t i = 0; i < model.actions.size() && !is_off; ++i) {
        if (raises_only(model.actions[i]) && can_be_skipped(model, i)) {
            const auto next = crowds.size();
            model.actions[i].interchangeable_group =
                crowds.emplace(model.actions[i].raises, next).first->second;
        }
    }
    model.interchangeable_groups = crowds.size();
}

}  // namespace drydock::checker
