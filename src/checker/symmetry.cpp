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
std::string shape_of(const Site& site, const std::vector<std::size_t>& actions, int index) {
    const Member& member = site.members[static_cast<std::size_t>(index)];
    std::string shape = std::to_string(member.role) + " " + std::to_string(member.size);
    for (const std::size_t action : actions) {
        shape += " " + std::to_string(static_cast<int>(site.plan.actions[action].verb)) + "@"
                 + std::to_string(site.cells[action] - member.block);
    }
    return shape;
}

// Finds distinguished members: an action of another owner writes to one alone, or asks about one
// alone. The rest of the plan then always distinguishes it, so it joins no family.
class Singled {
public:
    explicit Singled(const Site& site)
        : site_(site)
        , is_distinguished_(site.members.size(), false) {
        for (const Act& act : site.acts) {
            for (const Write& write : act.writes) {
                look_at(act, write);
            }
            for (const auto* questions : {&act.when, &act.guard, &act.then, &act.happened}) {
                for (const Question& question : *questions) {
                    look_at(act, question);
                }
            }
        }
    }

    [[nodiscard]] bool is_distinguished(int member) const {
        return is_distinguished_[static_cast<std::size_t>(member)];
    }

private:
    void single_out(const Act& act, int member) {
        if (member >= 0 && act.member != member) {
            is_distinguished_[static_cast<std::size_t>(member)] = true;
        }
    }

    void look_at(const Act& act, const Write& write) {
        for (std::size_t i = 0; i < site_.members.size(); ++i) {
            const Member& member = site_.members[i];
            if (write.at >= member.block && write.at < member.block + member.size) {
                single_out(act, static_cast<int>(i));
            }
        }
    }

    void look_at(const Act& act, const Question& question) {
        const auto& targets = question.targets;
        if (targets.size() == 1 && !question.only_up) {
            single_out(act, targets.front().member);
        }
        const bool own_values =
            std::any_of(targets.begin(), targets.end(), [&](const auto& target) {
                return target.yes != targets.front().yes;
            });
        for (std::size_t i = 0; own_values && i < site_.members.size(); ++i) {
            single_out(act, static_cast<int>(i));
        }
    }

    const Site& site_;
    std::vector<bool> is_distinguished_;
};

// Returns the host that the member shares with others; -1: it has a host of its own.
int shared_host(const Site& site, int member) {
    const int host = site.members[static_cast<std::size_t>(member)].host;
    return site.members_on[static_cast<std::size_t>(host)].size() == 1 ? -1 : host;
}

// Partitions members by `alike`, which is an equivalence. Groups of one are dropped.
template <class Alike>
std::vector<std::vector<int>> groups_of(const std::vector<int>& members, const Alike& alike) {
    std::vector<std::vector<int>> groups;
    for (const int member : members) {
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
bool waits_for_late(const Site& site,
                    const OwnActions& member_actions,
                    const std::vector<int>& members,
                    const std::vector<bool>& early) {
    std::vector<bool> late(site.acts.size(), false);
    for (const int member : members) {
        for (const std::size_t action : member_actions.of(member)) {
            late[action] = !early[action];
        }
    }
    for (std::size_t i = 0; i < early.size(); ++i) {
        const auto prerequisites = site.program.after(i);
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
std::optional<std::size_t>
steps_apart(const Site& site, const OwnActions& member_actions, const std::vector<int>& members) {
    const auto& first = member_actions.of(members.front());
    std::vector<bool> over(site.acts.size(), false);
    for (std::size_t steps = 0; steps <= first.size(); ++steps) {
        const bool alike = std::all_of(members.begin() + 1, members.end(), [&](int member) {
            return Exchange(site, member_actions, members.front(), member).keeps_what_is_left(over);
        });
        if (alike && !waits_for_late(site, member_actions, members, over)) {
            return steps;
        }
        for (const int member : members) {
            if (steps < first.size()) {
                over[member_actions.of(member)[steps]] = true;
            }
        }
    }
    return std::nullopt;
}

}  // namespace

Symmetry::Symmetry(const Site& site, bool is_enabled, bool lazy)
    : site_(site)
    , on_(is_enabled)
    , own_(site) {
    if (!is_enabled) {
        return;
    }
    const Singled singled(site);
    std::map<std::string, std::vector<int>> shapes;
    for (std::size_t i = 0; i < site.members.size(); ++i) {
        const auto member = static_cast<int>(i);
        shapes[shape_of(site, own_.of(member), member)].push_back(member);
    }
    for (auto& [shape, members] : shapes) {
        const auto groups = groups_of(
            members, [&](int a, int b) { return Exchange(site, own_, a, b).keeps_the_site(); });
        for (const auto& group : groups) {
            groups_.push_back({group, 0});
        }
        std::erase_if(members, [&](int member) { return singled.is_distinguished(member); });
        const auto families = groups_of(
            members, [&](int a, int b) { return shared_host(site, a) == shared_host(site, b); });
        for (const auto& family : families) {
            if (const auto steps = steps_apart(site, own_, family)) {
                add_family({family, *steps});
            }
        }
    }
    if (lazy) {
        name_late();
    }
}

// Members of groups are excluded: they are interchangeable even after a begin.
void Symmetry::name_late() {
    std::vector<bool> excluded(site_.members.size(), false);
    for (const Family& group : groups_) {
        for (const int member : group.members) {
            excluded[static_cast<std::size_t>(member)] = true;
        }
    }
    naming_.emplace(site_, own_, excluded);
    if (naming_->lines().empty()) {
        naming_.reset();
    }
}

// A group may overlap a family. Then the finished members of the group are sorted behind the
// others, so that sorting the family later leaves the group in order.
void Symmetry::add_family(const Family& family) {
    const auto meets = [&](const Family& group) {
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
    for (Family& group : groups_) {
        group.steps = meets(group) ? family.steps : group.steps;
    }
    families_.push_back(family);
}

// True if the first `steps` actions of the member are over.
bool Symmetry::is_over(int member, std::size_t steps, const Byte* row) const {
    const auto& actions = own_.of(member);
    for (std::size_t i = steps; i > 0; --i) {
        if (!run::is_over(static_cast<run::Status>(site_.status(row, actions[i - 1])))) {
            return false;
        }
    }
    return true;
}

namespace {

// True if `block` is greater than `other_block`. Blocks of up to eight bytes are compared as one
// number. Reading beyond a block is safe: at least eight bytes of fault usage follow.
bool follows(const Byte* block, const Byte* other_block, std::size_t size) {
    static_assert(k_spent >= sizeof(std::uint64_t));
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
void Symmetry::sort_group(const std::vector<int>& members, std::size_t steps, Byte* row) {
    const std::size_t size = site_.members[static_cast<std::size_t>(members.front())].size;
    held_.resize(size + k_spent);
    const auto block_at = [&](std::size_t i) {
        return row + site_.members[static_cast<std::size_t>(members[i])].block;
    };
    over_.assign(members.size(), 0);
    for (std::size_t i = 0; steps > 0 && i < members.size(); ++i) {
        over_[i] = is_over(members[i], steps, row) ? 1 : 0;
    }
    const auto is_behind = [&](std::size_t i, const Byte* other_block, Byte over) {
        return over_[i] != over ? over_[i] != 0 : follows(block_at(i), other_block, size);
    };
    for (std::size_t i = 1; i < members.size(); ++i) {
        if (!is_behind(i - 1, block_at(i), over_[i])) {
            continue;
        }
        std::memcpy(held_.data(), block_at(i), size);
        const Byte over = over_[i];
        std::size_t position = i;
        for (; position > 0 && is_behind(position - 1, held_.data(), over); --position) {
            std::memcpy(block_at(position), block_at(position - 1), size);
            over_[position] = over_[position - 1];
        }
        std::memcpy(block_at(position), held_.data(), size);
        over_[position] = over;
    }
}

// Returns the finished members of the family; valid until the next call.
const std::vector<int>& Symmetry::through(const Family& family, const Byte* row) {
    through_.clear();
    for (const int member : family.members) {
        if (is_over(member, family.steps, row)) {
            through_.push_back(member);
        }
    }
    return through_;
}

void Symmetry::sort(Byte* row) {
    for (const Family& group : groups_) {
        sort_group(group.members, group.steps, row);
    }
    for (const Family& family : families_) {
        if (through(family, row).size() > 1) {
            sort_group(through_, 0, row);
        }
    }
    if (naming_) {
        naming_->sort(row);
    }
}

// Equal blocks lie side by side in a sorted row.
void Symmetry::find_first(const std::vector<int>& members,
                          const Byte* row,
                          std::vector<int>& first) const {
    for (std::size_t i = 1; i < members.size(); ++i) {
        const Member& previous = site_.members[static_cast<std::size_t>(members[i - 1])];
        const Member& member = site_.members[static_cast<std::size_t>(members[i])];
        if (std::memcmp(row + previous.block, row + member.block, previous.size) == 0) {
            first[static_cast<std::size_t>(members[i])] =
                first[static_cast<std::size_t>(members[i - 1])];
        }
    }
}

void Symmetry::find_first(const Byte* row, std::vector<int>& first) {
    first.resize(site_.members.size());
    std::iota(first.begin(), first.end(), 0);
    for (const Family& group : groups_) {
        find_first(group.members, row, first);
    }
    for (const Family& family : families_) {
        find_first(through(family, row), row, first);
    }
    if (naming_) {
        for (const auto& unnamed : naming_->unnamed(row)) {
            find_first(unnamed, row, first);
        }
    }
}

std::span<const Byte> Symmetry::sorted_versions(const Byte* previous_row, Byte* row) {
    sort(row);
    if (!naming_) {
        return {row, site_.size};
    }
    naming_->versions(previous_row, row, versions_);
    return versions_;
}

std::vector<bool> Symmetry::exchanged() const {
    std::vector<bool> exchanged(site_.members.size(), false);
    const auto add = [&](const std::vector<int>& members) {
        for (const int member : members) {
            exchanged[static_cast<std::size_t>(member)] = true;
        }
    };
    for (const Family& family : families_) {
        add(family.members);
    }
    for (const Family& group : groups_) {
        add(group.members);
    }
    for (const auto& line : naming_ ? naming_->lines() : std::vector<std::vector<int>>()) {
        add(line);
    }
    return exchanged;
}

}  // namespace drydock::checker
