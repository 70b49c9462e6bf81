// Symmetry groups and the canonical representative of a row.
//
// The constructor sorts members into shapes (cheap to compare), then verifies swaps within each
// shape. Groups are interchangeable from the start. Families become so once each member has
// finished `steps` actions; they exist because a rolling plan distinguishes members only while it
// works on them. Sorting the blocks of each group, then of the finished members of each family,
// gives the representative.
//
// Verified automorphisms, and sorting that depends on the block alone, make the result a function
// of the orbit.
#include "checker/symmetry.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <numeric>
#include <optional>

namespace drydock::checker {

namespace {

// Returns a key that differs for members that could never be interchangeable: role, layout, verbs.
// It saves verifying most pairs.
std::string signature_of(const Model& model, const std::vector<std::size_t>& actions, Index index) {
    const Member& member = model.members[index];
    std::string shape = std::to_string(member.role) + " " + std::to_string(member.size);
    for (const std::size_t action : actions) {
        shape += " " + std::to_string(ordinal(model.plan.actions[action].verb)) + "@"
                 + std::to_string(model.cells[action] - member.block);
    }
    return shape;
}

// Finds distinguished members: an action of another owner writes to one alone, or asks about one
// alone. The rest of the plan then always distinguishes it, so it joins no family.
class DistinguishedMembers {
public:
    explicit DistinguishedMembers(const Model& model)
        : model_(model)
        , is_distinguished_(model.members.size(), false) {
        for (const ActionModel& act : model.actions) {
            for (const Write& write : act.writes) {
                look_at(act, write.offset);
            }
            for (const HalfDone& change : act.meanwhile) {
                look_at(act, change.offset);
            }
            for (const auto* questions : {&act.applies_if,
                                          &act.preconditions,
                                          &act.postconditions,
                                          &act.completion_check}) {
                for (const Predicate& question : *questions) {
                    look_at(act, question);
                }
            }
        }
    }

    [[nodiscard]] bool is_distinguished(Index member) const { return is_distinguished_[member]; }

private:
    void single_out(const ActionModel& act, Index member) {
        if (member != k_no_index && act.member != member) {
            is_distinguished_[member] = true;
        }
    }

    void look_at(const ActionModel& act, Offset written) {
        for (std::size_t i = 0; i < model_.members.size(); ++i) {
            const Member& member = model_.members[i];
            if (written >= member.block && written < member.block + member.size) {
                single_out(act, i);
            }
        }
    }

    void look_at(const ActionModel& act, const Predicate& question) {
        const auto& targets = question.targets;
        if (targets.size() == 1 && !question.only_expected_up) {
            single_out(act, targets.front().member);
        }
        const bool own_values =
            std::any_of(targets.begin(), targets.end(), [&](const auto& target) {
                return target.satisfying_values != targets.front().satisfying_values;
            });
        for (std::size_t i = 0; own_values && i < model_.members.size(); ++i) {
            single_out(act, i);
        }
    }

    const Model& model_;
    std::vector<bool> is_distinguished_;
};

// Returns the host that the member shares with others; k_no_index: it has a host of its own.
Index shared_host(const Model& model, Index member) {
    const Index host = model.members[member].host;
    return model.members_on[host].size() == 1 ? k_no_index : host;
}

// Partitions members by `alike`, which is an equivalence. Groups of one are dropped.
template <class Alike>
std::vector<std::vector<Index>> groups_of(const std::vector<Index>& members, const Alike& alike) {
    std::vector<std::vector<Index>> groups;
    for (const Index member : members) {
        const auto group = std::find_if(groups.begin(), groups.end(), [&](const auto& candidate) {
            return alike(candidate.front(), member);
        });
        if (group == groups.end()) {
            groups.push_back({member});
        } else {
            group->push_back(member);
        }
    }
    std::erase_if(groups, [](const auto& group) { return group.size() < 2; });
    return groups;
}

// True if an early action of a member waits for a late one of another. Such an order distinguishes
// them, even when both have finished their early actions.
bool waits_for_late(const Model& model,
                    const ActionsByMember& member_actions,
                    const std::vector<Index>& members,
                    const std::vector<bool>& early) {
    std::vector<bool> late(model.actions.size(), false);
    for (const Index member : members) {
        for (const std::size_t action : member_actions.of(member)) {
            late[action] = !early[action];
        }
    }
    for (std::size_t i = 0; i < early.size(); ++i) {
        const auto prerequisites = model.program.predecessors(i);
        if (early[i]
            && std::any_of(prerequisites.begin(),
                           prerequisites.end(),
                           [&](std::size_t prerequisite) { return late[prerequisite]; })) {
            return true;
        }
    }
    return false;
}

// Returns how many actions of each member must be over until the rest of the plan treats all alike;
// nothing if it never does. Tries each number from zero.
std::optional<std::size_t> steps_until_symmetric(const Model& model,
                                                 const ActionsByMember& member_actions,
                                                 const std::vector<Index>& members) {
    const auto& first = member_actions.of(members.front());
    std::vector<bool> over(model.actions.size(), false);
    for (std::size_t steps = 0; steps <= first.size(); ++steps) {
        const bool alike = std::all_of(members.begin() + 1, members.end(), [&](Index member) {
            return Swap(model, member_actions, members.front(), member)
                .is_automorphism_of_suffix(over);
        });
        if (alike && !waits_for_late(model, member_actions, members, over)) {
            return steps;
        }
        for (const Index member : members) {
            if (steps < first.size()) {
                over[member_actions.of(member)[steps]] = true;
            }
        }
    }
    return std::nullopt;
}

}  // namespace

Symmetry::Symmetry(const Model& model, bool is_enabled, bool lazy)
    : model_(model)
    , is_enabled_(is_enabled)
    , member_actions_(model) {
    if (!is_enabled) {
        return;
    }
    const DistinguishedMembers singled(model);
    std::map<std::string, std::vector<Index>> shapes;
    for (std::size_t i = 0; i < model.members.size(); ++i) {
        const auto member = i;
        shapes[signature_of(model, member_actions_.of(member), member)].push_back(member);
    }
    for (auto& [shape, members] : shapes) {
        const auto groups = groups_of(members, [&](Index a, Index b) {
            return Swap(model, member_actions_, a, b).is_automorphism();
        });
        for (const auto& group : groups) {
            groups_.push_back({group, 0});
        }
        std::erase_if(members, [&](Index member) { return singled.is_distinguished(member); });
        const auto families = groups_of(members, [&](Index a, Index b) {
            return shared_host(model, a) == shared_host(model, b);
        });
        for (const auto& family : families) {
            if (const auto steps = steps_until_symmetric(model, member_actions_, family)) {
                add_symmetry_group({family, *steps});
            }
        }
    }
    if (lazy) {
        set_lazy_identity();
    }
}

// Members of groups are excluded: they are interchangeable even after a begin.
void Symmetry::set_lazy_identity() {
    std::vector<bool> excluded(model_.members.size(), false);
    for (const SymmetryGroup& group : groups_) {
        for (const Index member : group.members) {
            excluded[member] = true;
        }
    }
    lazy_identity_.emplace(model_, member_actions_, excluded);
    if (lazy_identity_->lines().empty()) {
        lazy_identity_.reset();
    }
}

// A group may overlap a family. Then the finished members of the group are sorted behind the
// others, so that sorting the family later leaves the group in order.
void Symmetry::add_symmetry_group(const SymmetryGroup& family) {
    const auto meets = [&](const SymmetryGroup& group) {
        return std::find_first_of(group.members.begin(),
                                  group.members.end(),
                                  family.members.begin(),
                                  family.members.end())
               != group.members.end();
    };
    if (family.steps == 0) {
        std::erase_if(groups_, meets);
        groups_.push_back(family);
        return;
    }
    for (SymmetryGroup& group : groups_) {
        group.steps = meets(group) ? family.steps : group.steps;
    }
    symmetry_groups_.push_back(family);
}

// True if the first `steps` actions of the member are over.
bool Symmetry::is_over(Index member, std::size_t steps, const Byte* row) const {
    const auto& actions = member_actions_.of(member);
    for (std::size_t i = steps; i > 0; --i) {
        if (!run::is_over(model_.status(row, actions[i - 1]))) {
            return false;
        }
    }
    return true;
}

namespace {

// True if `block` is greater than `other_block`. Blocks of up to eight bytes are compared as one
// number. Reading beyond a block is safe: at least eight bytes of fault usage follow.
bool follows(const Byte* block, const Byte* other_block, std::size_t size) {
    static_assert(k_fault_usage_size >= sizeof(std::uint64_t));
    if (std::endian::native != std::endian::little || size > sizeof(std::uint64_t)) {
        return std::memcmp(block, other_block, size) > 0;
    }
    std::uint64_t a = 0;
    std::uint64_t b = 0;
    std::memcpy(&a, block, sizeof a);
    std::memcpy(&b, other_block, sizeof b);
    const std::size_t shift = 8 * (sizeof(std::uint64_t) - size);
    return __builtin_bswap64(a) >> shift > __builtin_bswap64(b) >> shift;
}

}  // namespace

// Insertion sort: groups are small and almost sorted. Finished members come last.
void Symmetry::sort_group(const std::vector<Index>& members, std::size_t steps, Byte* row) {
    const std::size_t size = model_.members[members.front()].size;
    block_buffer_.resize(size + k_fault_usage_size);
    const auto block_at = [&](std::size_t i) { return row + model_.members[members[i]].block; };
    over_flags_.assign(members.size(), 0);
    for (std::size_t i = 0; steps > 0 && i < members.size(); ++i) {
        over_flags_[i] = is_over(members[i], steps, row) ? 1 : 0;
    }
    const auto is_behind = [&](std::size_t i, const Byte* other_block, Byte over) {
        return over_flags_[i] != over ? over_flags_[i] != 0
                                      : follows(block_at(i), other_block, size);
    };
    for (std::size_t i = 1; i < members.size(); ++i) {
        if (!is_behind(i - 1, block_at(i), over_flags_[i])) {
            continue;
        }
        std::memcpy(block_buffer_.data(), block_at(i), size);
        const Byte over = over_flags_[i];
        std::size_t position = i;
        for (; position > 0 && is_behind(position - 1, block_buffer_.data(), over); --position) {
            std::memcpy(block_at(position), block_at(position - 1), size);
            over_flags_[position] = over_flags_[position - 1];
        }
        std::memcpy(block_at(position), block_buffer_.data(), size);
        over_flags_[position] = over;
    }
}

// Returns the finished members of the family; valid until the next call.
const std::vector<Index>& Symmetry::alike_members(const SymmetryGroup& family, const Byte* row) {
    alike_members_.clear();
    for (const Index member : family.members) {
        if (is_over(member, family.steps, row)) {
            alike_members_.push_back(member);
        }
    }
    return alike_members_;
}

void Symmetry::sort(Byte* row) {
    for (const SymmetryGroup& group : groups_) {
        sort_group(group.members, group.steps, row);
    }
    for (const SymmetryGroup& family : symmetry_groups_) {
        if (alike_members(family, row).size() > 1) {
            sort_group(alike_members_, 0, row);
        }
    }
    if (lazy_identity_) {
        lazy_identity_->sort(row);
    }
}

// Equal blocks lie side by side in a sorted row.
void Symmetry::find_first(const std::vector<Index>& members,
                          const Byte* row,
                          std::vector<Index>& first) const {
    for (std::size_t i = 1; i < members.size(); ++i) {
        const Member& previous = model_.members[members[i - 1]];
        const Member& member = model_.members[members[i]];
        if (std::memcmp(row + previous.block, row + member.block, previous.size) == 0) {
            first[members[i]] = first[members[i - 1]];
        }
    }
}

void Symmetry::find_first(const Byte* row, std::vector<Index>& first) {
    first.resize(model_.members.size());
    std::iota(first.begin(), first.end(), 0);
    for (const SymmetryGroup& group : groups_) {
        find_first(group.members, row, first);
    }
    for (const SymmetryGroup& family : symmetry_groups_) {
        find_first(alike_members(family, row), row, first);
    }
    if (lazy_identity_) {
        for (const auto& unnamed : lazy_identity_->unnamed(row)) {
            find_first(unnamed, row, first);
        }
    }
}

std::span<const Byte> Symmetry::sorted_instances(const Byte* previous_row, Byte* row) {
    sort(row);
    if (!lazy_identity_) {
        return {row, model_.size};
    }
    lazy_identity_->versions(previous_row, row, instances_);
    return instances_;
}

std::vector<bool> Symmetry::symmetric_members() const {
    std::vector<bool> exchanged(model_.members.size(), false);
    const auto add = [&](const std::vector<Index>& members) {
        for (const Index member : members) {
            exchanged[member] = true;
        }
    };
    for (const SymmetryGroup& family : symmetry_groups_) {
        add(family.members);
    }
    for (const SymmetryGroup& group : groups_) {
        add(group.members);
    }
    for (const auto& line :
         lazy_identity_ ? lazy_identity_->lines() : std::vector<std::vector<Index>>()) {
        add(line);
    }
    return exchanged;
}

}  // namespace drydock::checker
