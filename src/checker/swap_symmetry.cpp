// Verification of a swap: an automorphism maps each part of the model onto an equal part.
//
// The parts are layouts of blocks, initial bytes, up-down events, actions and facts. Members,
// offsets and actions are mapped by member(), place() and action(); everything else stays. A
// comparison has the pattern: map the left side, then compare it with the right side in any order.
// The argument is in docs/design/0004, "Names that come late".
#include "checker/swap_symmetry.h"

#include <algorithm>
#include <tuple>

namespace drydock::checker {

namespace {

template <class T>
bool same_in_any_order(std::vector<T> first, std::vector<T> second) {
    std::sort(first.begin(), first.end());
    std::sort(second.begin(), second.end());
    return first == second;
}

const Member& member_at(const Model& model, Index index) {
    return model.members[index];
}

// True if the plan's order of members tells who left a store unclean: several members open it.
bool depends_on_order(const Model& model) {
    return std::any_of(model.stores.begin(), model.stores.end(), [](const Store& store) {
        const auto roles = std::count(store.opened_by.begin(), store.opened_by.end(), true);
        return !store.unclean.empty() && (store.is_shared || roles > 1);
    });
}

bool lies_on(const Member& member, Offset offset) {
    return offset >= member.block && offset < member.block + member.size;
}

}  // namespace

ActionsByMember::ActionsByMember(const Model& model)
    : actions_(model.members.size())
    , rank_(model.actions.size(), 0) {
    for (std::size_t i = 0; i < model.actions.size(); ++i) {
        if (model.actions[i].member != k_no_index) {
            auto& own_actions = actions_[model.actions[i].member];
            rank_[i] = own_actions.size();
            own_actions.push_back(i);
        }
    }
}

// Actions come in the plan's order, so one pass finds all dependents, also the indirect ones.
std::vector<bool> dependents_of(const Model& model, std::size_t action) {
    std::vector<bool> is_dependent(model.actions.size(), false);
    for (std::size_t i = action + 1; i < model.actions.size(); ++i) {
        const auto prerequisites = model.program.predecessors(i);
        is_dependent[i] =
            std::any_of(prerequisites.begin(), prerequisites.end(), [&](std::size_t prerequisite) {
                return prerequisite == action || is_dependent[prerequisite];
            });
    }
    return is_dependent;
}

Swap::Swap(const Model& model, const ActionsByMember& member_actions, Index a, Index b)
    : model_(model)
    , member_actions_(member_actions)
    , a_(a)
    , b_(b)
    , first_block_(member_at(model, a))
    , second_block_(member_at(model, b)) {
}

bool Swap::is_automorphism() const {
    return same_at_first()
           && is_automorphism_of_suffix(std::vector<bool>(model_.actions.size(), false));
}

// The members' own actions are compared first: they distinguish most pairs. Then each action of
// another owner must wait for the same actions and treat both alike.
bool Swap::is_automorphism_of_suffix(const std::vector<bool>& over) const {
    if (member_actions_.of(a_).size() != member_actions_.of(b_).size() || !same_blocks()
        || !same_up_down_events()) {
        return false;
    }
    const auto alike = [&](std::size_t index) { return over[index] || same(index, over); };
    const auto& of_a = member_actions_.of(a_);
    const auto& of_b = member_actions_.of(b_);
    if (!std::all_of(of_a.begin(), of_a.end(), alike)
        || !std::all_of(of_b.begin(), of_b.end(), alike)) {
        return false;
    }
    for (std::size_t i = 0; i < model_.actions.size(); ++i) {
        if (!is_own(i) && !over[i] && !(same_after(i, over) && commutes_with(i))) {
            return false;
        }
    }
    return true;
}

bool Swap::is_automorphism_of_start() const {
    return same_at_first() && same_blocks() && same_facts() && same_levels();
}

bool Swap::commutes_with(std::size_t action) const {
    const ActionModel& act = model_.actions[action];
    const bool writes = std::any_of(act.writes.begin(), act.writes.end(), [&](const Write& write) {
        return is_on_members(write.offset);
    });
    return (!writes || same_writes(act, act)) && same_rare_effects(act, act)
           && ignores(act.applies_if) && ignores(act.preconditions) && ignores(act.postconditions)
           && ignores(act.completion_check);
}

// The image of an action: the action of the same rank of the other member.
std::size_t Swap::action(std::size_t index) const {
    return is_own(index) ? member_actions_.of(
                               member(model_.actions[index].member))[member_actions_.rank(index)]
                         : index;
}

// The image of an offset: the same place in the block of the other member.
Offset Swap::place(Offset offset) const {
    if (lies_on(first_block_, offset)) {
        return offset - first_block_.block + second_block_.block;
    }
    return lies_on(second_block_, offset) ? offset - second_block_.block + first_block_.block
                                          : offset;
}

bool Swap::is_on_members(Offset offset) const {
    return lies_on(first_block_, offset) || lies_on(second_block_, offset);
}

// Members on different hosts are alike only if each has its host to itself: the loss of a shared
// host hits others, too.
bool Swap::same_blocks() const {
    const auto host_size = [&](const Member& member) {
        return model_.members_on[member.host].size();
    };
    return !depends_on_order(model_) && first_block_.role == second_block_.role
           && first_block_.size == second_block_.size
           && first_block_.up_at_first == second_block_.up_at_first
           && (first_block_.host == second_block_.host
               || (host_size(first_block_) == 1 && host_size(second_block_) == 1))
           && place(first_block_.running) == second_block_.running
           && place(first_block_.installed) == second_block_.installed
           && place(first_block_.ready) == second_block_.ready
           && place(first_block_.service) == second_block_.service
           && place(first_block_.leads) == second_block_.leads
           && place(first_block_.voter) == second_block_.voter && same_groups() && same_axes();
}

// True if each group counts both members in the same way: in the same unit, in units of their own,
// or not at all.
bool Swap::same_groups() const {
    const auto unit_of = [](const QuorumGroup& group, Index member) {
        return std::find_if(group.units.begin(), group.units.end(), [&](const auto& unit) {
            return index_in(unit, member) != k_no_index;
        });
    };
    const auto& groups = model_.groups[first_block_.role];
    return std::all_of(groups.begin(), groups.end(), [&](const QuorumGroup& group) {
        const auto of_a = unit_of(group, a_);
        const auto of_b = unit_of(group, b_);
        if (of_a == of_b) {
            return true;
        }
        return of_a != group.units.end() && of_b != group.units.end() && of_a->size() == 1
               && of_b->size() == 1;
    });
}

// True if both have the facts of a second axis at the same places.
bool Swap::same_axes() const {
    return std::all_of(model_.stores.begin(), model_.stores.end(), [&](const Store& store) {
        return store.axis.empty() || place(store.axis[a_]) == store.axis[b_];
    });
}

bool Swap::same_at_first() const {
    const auto block_of = [&](const Member& member) {
        return model_.initial.begin() + member.block;
    };
    return first_block_.size == second_block_.size
           && std::equal(block_of(first_block_),
                         block_of(first_block_) + first_block_.size,
                         block_of(second_block_));
}

// Compares the up-down events, also those of actions that are over: they still decide whether the
// member should be up.
bool Swap::same_up_down_events() const {
    return std::equal(first_block_.up_down_events.begin(),
                      first_block_.up_down_events.end(),
                      second_block_.up_down_events.begin(),
                      second_block_.up_down_events.end(),
                      [&](const Member::UpDownEvent& x, const Member::UpDownEvent& y) {
                          return x.up == y.up && action(x.action) == y.action;
                      });
}

// True if both blocks have the same facts at the same places.
bool Swap::same_facts() const {
    const auto facts_of = [&](const Member& member) {
        std::vector<std::pair<Offset, std::string>> facts;
        const std::string prefix = member.name + "/";
        for (auto entry = model_.offsets.lower_bound(prefix);
             entry != model_.offsets.end() && entry->first.starts_with(prefix);
             ++entry) {
            facts.emplace_back(entry->second - member.block, entry->first.substr(prefix.size()));
        }
        return facts;
    };
    return facts_of(first_block_) == facts_of(second_block_);
}

// True if the facts that report formats are mapped onto such facts, for each instance.
bool Swap::same_levels() const {
    for (const Store& store : model_.stores) {
        for (std::size_t i = 0; i < store.offset.size(); ++i) {
            const Offset image = place(store.offset[i]);
            std::vector<Offset> mapped;
            for (const Offset level : store.levels[i]) {
                mapped.push_back(place(level));
            }
            if ((image != store.offset[i] || store.is_shared)
                && !same_in_any_order(mapped, store.levels[index_in(store.offset, image)])) {
                return false;
            }
        }
    }
    return true;
}

// Compares an action with its image: definition, prerequisites, effects and conditions. Members and
// offsets of a condition are mapped; the targets may come in any order.
bool Swap::same(std::size_t index, const std::vector<bool>& over) const {
    const std::size_t image = action(index);
    const ActionModel& a = model_.actions[index];
    const ActionModel& b = model_.actions[image];
    const model::Action& x = model_.plan.actions[index];
    const model::Action& y = model_.plan.actions[image];
    const auto same_questions = [&](const std::vector<Predicate>& questions,
                                    const std::vector<Predicate>& image_questions) {
        const auto alike = [&](const Predicate& p, const Predicate& q) {
            using Target = std::tuple<Index, Offset, std::uint64_t, std::uint64_t>;
            std::vector<Target> mapped;
            std::vector<Target> expected;
            for (const auto& target : p.targets) {
                mapped.emplace_back(member(target.member),
                                    place(target.offset),
                                    target.satisfying_values,
                                    target.cannot_tell);
            }
            for (const auto& target : q.targets) {
                expected.emplace_back(
                    target.member, target.offset, target.satisfying_values, target.cannot_tell);
            }
            return p.is_modelled == q.is_modelled && p.requires_equal == q.requires_equal
                   && p.only_expected_up == q.only_expected_up && p.one_suffices == q.one_suffices
                   && p.needed_count == q.needed_count
                   && same_in_any_order(std::move(mapped), std::move(expected));
        };
        return std::equal(questions.begin(),
                          questions.end(),
                          image_questions.begin(),
                          image_questions.end(),
                          alike);
    };
    return x.verb == y.verb && x.repeatable == y.repeatable && x.attempts == y.attempts
           && x.is_point_of_no_return == y.is_point_of_no_return && a.closes == b.closes
           && x.request.is_null() == y.request.is_null()
           && place(model_.cells[index]) == model_.cells[image] && place(a.ran) == b.ran
           && same_rare_effects(a, b) && same_after(index, over) && same_writes(a, b)
           && a.raises == b.raises && a.lowers == b.lowers && a.copies == b.copies
           && a.destroyed == b.destroyed && same_questions(a.applies_if, b.applies_if)
           && same_questions(a.preconditions, b.preconditions)
           && same_questions(a.postconditions, b.postconditions)
           && same_questions(a.completion_check, b.completion_check);
}

// Prerequisites that are over no longer matter.
bool Swap::same_after(std::size_t index, const std::vector<bool>& over) const {
    std::vector<std::size_t> mapped;
    std::vector<std::size_t> expected;
    for (const std::size_t prerequisite : model_.program.predecessors(index)) {
        if (!over[prerequisite]) {
            mapped.push_back(action(prerequisite));
        }
    }
    for (const std::size_t prerequisite : model_.program.predecessors(action(index))) {
        if (!over[prerequisite]) {
            expected.push_back(prerequisite);
        }
    }
    return same_in_any_order(std::move(mapped), std::move(expected));
}

bool Swap::same_writes(const ActionModel& source, const ActionModel& image) const {
    std::vector<std::pair<Offset, Byte>> mapped;
    std::vector<std::pair<Offset, Byte>> expected;
    for (const Write& write : source.writes) {
        mapped.emplace_back(place(write.offset), write.value);
    }
    for (const Write& write : image.writes) {
        expected.emplace_back(write.offset, write.value);
    }
    return same_in_any_order(std::move(mapped), std::move(expected));
}

bool Swap::same_changes(const ActionModel& source, const ActionModel& image) const {
    return std::equal(source.changes.begin(),
                      source.changes.end(),
                      image.changes.begin(),
                      image.changes.end(),
                      [&](const StoreChange& x, const StoreChange& y) {
                          return x.kind == y.kind && x.store == y.store && x.own == y.own
                                 && same_instances(x, y);
                      });
}

bool Swap::same_instances(const StoreChange& source, const StoreChange& image) const {
    const Store& store = model_.stores[source.store];
    std::vector<Offset> mapped;
    std::vector<Offset> expected;
    for (const Index instance : source.instances) {
        mapped.push_back(place(store.offset[instance]));
    }
    for (const Index instance : image.instances) {
        expected.push_back(store.offset[instance]);
    }
    return same_in_any_order(std::move(mapped), std::move(expected));
}

bool Swap::same_half_done(const ActionModel& source, const ActionModel& image) const {
    using Change = std::tuple<Offset, Byte, Offset>;
    std::vector<Change> mapped;
    std::vector<Change> expected;
    for (const HalfDone& change : source.meanwhile) {
        mapped.emplace_back(place(change.offset), change.value, place(change.saved));
    }
    for (const HalfDone& change : image.meanwhile) {
        expected.emplace_back(change.offset, change.value, change.saved);
    }
    return same_in_any_order(std::move(mapped), std::move(expected));
}

bool Swap::same_rare_effects(const ActionModel& source, const ActionModel& image) const {
    return source.alone == image.alone && same_half_done(source, image)
           && same_changes(source, image);
}

// True if each predicate treats both members alike. All other targets are equal under the swap, so
// only the targets of these two are compared.
bool Swap::ignores(const std::vector<Predicate>& questions) const {
    return std::all_of(questions.begin(), questions.end(), [&](const Predicate& question) {
        const Predicate::Target* of_a = nullptr;
        const Predicate::Target* of_b = nullptr;
        for (const Predicate::Target& target : question.targets) {
            of_a = target.member == a_ ? &target : of_a;
            of_b = target.member == b_ ? &target : of_b;
        }
        if (of_a == nullptr || of_b == nullptr) {
            return of_a == of_b;
        }
        return place(of_a->offset) == of_b->offset
               && of_a->satisfying_values == of_b->satisfying_values
               && of_a->cannot_tell == of_b->cannot_tell;
    });
}

}  // namespace drydock::checker
