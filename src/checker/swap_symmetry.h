// Swap: decides whether two members are interchangeable, because swapping them is an automorphism
// of the model or of the rest of its plan.
//
// A search begins with this decision for many pairs. Most pairs differ in their own actions, so
// those are compared first.
#pragma once

#include "checker/model.h"

#include <vector>

namespace drydock::checker {

// The actions of each member, in the plan's order, and the rank of each action within its member.
class ActionsByMember {
public:
    explicit ActionsByMember(const Model& model);

    [[nodiscard]] const std::vector<std::size_t>& of(Index member) const {
        return actions_[member];
    }

    [[nodiscard]] std::size_t rank(std::size_t action) const { return rank_[action]; }

private:
    std::vector<std::vector<std::size_t>> actions_;
    std::vector<std::size_t> rank_;
};

class Swap {
public:
    Swap(const Model& model, const ActionsByMember& member_actions, Index a, Index b);

    // True if the swap maps the model onto itself.
    [[nodiscard]] bool is_automorphism() const;
    // True if the swap maps the rest of the plan onto itself, once the actions in `over` are over.
    [[nodiscard]] bool is_automorphism_of_suffix(const std::vector<bool>& over) const;
    // True if the swap maps the initial state onto itself and both blocks have the same layout. As
    // long as no action of either has begun, the state of each may as well be the state of the
    // other.
    [[nodiscard]] bool is_automorphism_of_start() const;
    // True if this action of another owner treats both alike: its writes and its conditions.
    [[nodiscard]] bool commutes_with(std::size_t action) const;

private:
    [[nodiscard]] Index member(Index index) const {
        return index == a_ ? b_ : index == b_ ? a_ : index;
    }

    [[nodiscard]] bool is_own(std::size_t action) const {
        return model_.actions[action].member == a_ || model_.actions[action].member == b_;
    }

    [[nodiscard]] std::size_t action(std::size_t index) const;
    [[nodiscard]] Offset place(Offset offset) const;
    [[nodiscard]] bool is_on_members(Offset offset) const;
    [[nodiscard]] bool same_blocks() const;
    [[nodiscard]] bool same_at_first() const;
    [[nodiscard]] bool same_up_down_events() const;
    [[nodiscard]] bool same_facts() const;
    [[nodiscard]] bool same_levels() const;
    [[nodiscard]] bool same(std::size_t index, const std::vector<bool>& over) const;
    [[nodiscard]] bool same_after(std::size_t index, const std::vector<bool>& over) const;
    // True if both change the same stores, and hold the same facts and formats while under way.
    [[nodiscard]] bool same_changes(const ActionModel& source, const ActionModel& image) const;
    [[nodiscard]] bool same_instances(const StoreChange& source, const StoreChange& image) const;
    [[nodiscard]] bool same_half_done(const ActionModel& source, const ActionModel& image) const;
    [[nodiscard]] bool same_rare_effects(const ActionModel& source, const ActionModel& image) const;
    [[nodiscard]] bool same_groups() const;
    [[nodiscard]] bool same_axes() const;
    [[nodiscard]] bool same_writes(const ActionModel& source, const ActionModel& image) const;
    [[nodiscard]] bool ignores(const std::vector<Predicate>& questions) const;

    const Model& model_;
    const ActionsByMember& member_actions_;
    Index a_;
    Index b_;
    const Member& first_block_;
    const Member& second_block_;
};

// Returns for each action whether it can begin only after this one is over.
[[nodiscard]] std::vector<bool> dependents_of(const Model& model, std::size_t action);

}  // namespace drydock::checker
