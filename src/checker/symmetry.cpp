#include "checker/symmetry.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>

namespace drydock::checker {

namespace {

using Actions = std::vector<std::vector<std::size_t>>;  // of each member, in the plan's order

Actions actions_of(const Site& site) {
    Actions actions(site.members.size());
    for (std::size_t i = 0; i < site.acts.size(); ++i) {
        if (site.acts[i].member >= 0) {
            actions[static_cast<std::size_t>(site.acts[i].member)].push_back(i);
        }
    }
    return actions;
}

// Where a place of a block lies in it.
Place offset(const Site& site, int member, Place at) {
    return at - site.members[static_cast<std::size_t>(member)].block;
}

// The exchange of two members, as a map of actions, members and places. Actions in `over`, which
// are over and stay so, make no difference.
class Exchange {
public:
    Exchange(const Site& site, const Actions& actions, int a, int b, const std::vector<bool>& over)
        : site_(site)
        , a_(a)
        , b_(b)
        , over_(over)
        , action_(site.acts.size()) {
        for (std::size_t i = 0; i < action_.size(); ++i) {
            action_[i] = i;
        }
        const auto& of_a = actions[static_cast<std::size_t>(a)];
        const auto& of_b = actions[static_cast<std::size_t>(b)];
        fits_ = of_a.size() == of_b.size();
        for (std::size_t i = 0; fits_ && i < of_a.size(); ++i) {
            action_[of_a[i]] = of_b[i];
            action_[of_b[i]] = of_a[i];
        }
    }

    // Whether it maps the site onto itself; and what is left of its actions.
    [[nodiscard]] bool keeps_the_site() const { return same_at_first() && keeps_what_is_left(); }

    [[nodiscard]] bool keeps_what_is_left() const {
        return fits_ && same_blocks() && same_actions();
    }

private:
    [[nodiscard]] int member(int index) const {
        return index == a_ ? b_ : index == b_ ? a_ : index;
    }

    [[nodiscard]] Place place(Place at) const {
        const Member& a = site_.members[static_cast<std::size_t>(a_)];
        const Member& b = site_.members[static_cast<std::size_t>(b_)];
        if (at >= a.block && at < a.block + a.size) {
            return at - a.block + b.block;
        }
        return at >= b.block && at < b.block + b.size ? at - b.block + a.block : at;
    }

    [[nodiscard]] bool same_blocks() const {
        const Member& a = site_.members[static_cast<std::size_t>(a_)];
        const Member& b = site_.members[static_cast<std::size_t>(b_)];
        const auto on = [&](const Member& one) {
            return site_.members_on[static_cast<std::size_t>(one.host)].size();
        };
        return a.role == b.role && a.size == b.size && a.up_at_first == b.up_at_first
               && same_turns(a, b) && (a.host == b.host || (on(a) == 1 && on(b) == 1))
               && place(a.running) == b.running && place(a.installed) == b.installed
               && place(a.ready) == b.ready && place(a.service) == b.service;
    }

    [[nodiscard]] bool same_at_first() const {
        const Member& a = site_.members[static_cast<std::size_t>(a_)];
        const Member& b = site_.members[static_cast<std::size_t>(b_)];
        const auto at = [&](const Member& one) { return site_.first.begin() + one.block; };
        return a.size == b.size && std::equal(at(a), at(a) + a.size, at(b));
    }

    // What is over still tells who should be up.
    [[nodiscard]] bool same_turns(const Member& a, const Member& b) const {
        return std::equal(a.turns.begin(),
                          a.turns.end(),
                          b.turns.begin(),
                          b.turns.end(),
                          [&](const Member::Turn& one, const Member::Turn& other) {
                              return one.up == other.up && action_[one.action] == other.action;
                          });
    }

    [[nodiscard]] bool same_actions() const {
        for (std::size_t i = 0; i < action_.size(); ++i) {
            if (!over_[i] && !same(i, action_[i])) {
                return false;
            }
        }
        return true;
    }

    [[nodiscard]] bool same(std::size_t one, std::size_t other) const {
        const Act& a = site_.acts[one];
        const Act& b = site_.acts[other];
        const model::Action& x = site_.plan.actions[one];
        const model::Action& y = site_.plan.actions[other];
        return x.verb == y.verb && x.repeatable == y.repeatable && x.attempts == y.attempts
               && x.returns_here == y.returns_here && x.request.is_null() == y.request.is_null()
               && place(site_.cells[one]) == site_.cells[other] && place(a.ran) == b.ran
               && same_after(one, other) && same_writes(a, b) && a.raises == b.raises
               && a.lowers == b.lowers && a.copies == b.copies && a.destroyed == b.destroyed
               && same_questions(a.when, b.when) && same_questions(a.guard, b.guard)
               && same_questions(a.then, b.then) && same_questions(a.happened, b.happened);
    }

    [[nodiscard]] bool same_after(std::size_t one, std::size_t other) const {
        std::vector<std::size_t> mapped;
        for (const std::size_t before : site_.program.after(one)) {
            if (!over_[before]) {
                mapped.push_back(action_[before]);
            }
        }
        const auto after = site_.program.after(other);
        std::vector<std::size_t> there;
        std::copy_if(after.begin(),
                     after.end(),
                     std::back_inserter(there),
                     [&](std::size_t before) { return !over_[before]; });
        std::sort(mapped.begin(), mapped.end());
        std::sort(there.begin(), there.end());
        return mapped == there;
    }

    [[nodiscard]] bool same_writes(const Act& a, const Act& b) const {
        std::vector<std::pair<Place, Byte>> mapped;
        std::vector<std::pair<Place, Byte>> there;
        for (const Write& write : a.writes) {
            mapped.emplace_back(place(write.at), write.value);
        }
        for (const Write& write : b.writes) {
            there.emplace_back(write.at, write.value);
        }
        std::sort(mapped.begin(), mapped.end());
        std::sort(there.begin(), there.end());
        return mapped == there;
    }

    [[nodiscard]] bool same_questions(const std::vector<Question>& a,
                                      const std::vector<Question>& b) const {
        return std::equal(
            a.begin(), a.end(), b.begin(), b.end(), [&](const auto& x, const auto& y) {
                return x.modelled == y.modelled && x.same == y.same && x.only_up == y.only_up
                       && x.any == y.any && x.needed == y.needed && same_targets(x, y);
            });
    }

    using Target = std::tuple<int, Place, std::uint64_t, std::uint64_t>;

    [[nodiscard]] bool same_targets(const Question& x, const Question& y) const {
        std::vector<Target> mapped;
        std::vector<Target> there;
        for (const auto& one : x.targets) {
            mapped.emplace_back(member(one.member), place(one.at), one.yes, one.cannot_tell);
        }
        for (const auto& one : y.targets) {
            there.emplace_back(one.member, one.at, one.yes, one.cannot_tell);
        }
        std::sort(mapped.begin(), mapped.end());
        std::sort(there.begin(), there.end());
        return mapped == there;
    }

    const Site& site_;
    int a_;
    int b_;
    const std::vector<bool>& over_;
    std::vector<std::size_t> action_;
    bool fits_ = false;
};

// What tells members apart that could never be exchanged, without looking at the plan's order.
std::string shape_of(const Site& site, const std::vector<std::size_t>& actions, int index) {
    const Member& member = site.members[static_cast<std::size_t>(index)];
    std::string shape = std::to_string(member.role) + " " + std::to_string(member.size);
    for (const std::size_t action : actions) {
        shape += " " + std::to_string(static_cast<int>(site.plan.actions[action].verb)) + "@"
                 + std::to_string(offset(site, index, site.cells[action]));
    }
    return shape;
}

// Nobody else's action may write to one of them alone, and no condition that others ask may be
// about one of them alone; then what is left of the plan cannot tell them apart.
bool is_asked_alone(const Site& site, int member) {
    const Member& who = site.members[static_cast<std::size_t>(member)];
    const auto outside = [&](const Act& act) { return act.member != member; };
    for (const Act& act : site.acts) {
        for (const Write& write : act.writes) {
            if (outside(act) && write.at >= who.block && write.at < who.block + who.size) {
                return true;
            }
        }
        for (const auto* questions : {&act.when, &act.guard, &act.then, &act.happened}) {
            for (const Question& question : *questions) {
                const bool named = question.targets.size() == 1
                                   && question.targets.front().member == member
                                   && !question.only_up;
                const bool own_values = std::any_of(
                    question.targets.begin(), question.targets.end(), [&](const auto& target) {
                        return target.yes != question.targets.front().yes;
                    });
                if (outside(act) && (named || own_values)) {
                    return true;
                }
            }
        }
    }
    return false;
}

// The host that it shares with others; -1: it has one of its own, as good as any.
int shared_host(const Site& site, int member) {
    const int host = site.members[static_cast<std::size_t>(member)].host;
    return site.members_on[static_cast<std::size_t>(host)].size() == 1 ? -1 : host;
}

// The groups in which all are alike, by what `alike` says of two.
template <class Alike>
std::vector<std::vector<int>> groups_of(const std::vector<int>& members, const Alike& alike) {
    std::vector<std::vector<int>> groups;
    for (const int member : members) {
        const auto group = std::find_if(groups.begin(), groups.end(), [&](const auto& one) {
            return alike(one.front(), member);
        });
        if (group == groups.end()) {
            groups.push_back({member});
        } else {
            group->push_back(member);
        }
    }
    std::erase_if(groups, [](const auto& one) { return one.size() < 2; });
    return groups;
}

// Whether an early action of one of them waits for a late one of another: then it tells them apart,
// though both have done their early ones.
bool waits_for_late(const Site& site,
                    const Actions& actions,
                    const std::vector<int>& members,
                    const std::vector<bool>& early) {
    std::vector<bool> late(site.acts.size(), false);
    for (const int member : members) {
        for (const std::size_t action : actions[static_cast<std::size_t>(member)]) {
            late[action] = !early[action];
        }
    }
    for (std::size_t i = 0; i < early.size(); ++i) {
        const auto after = site.program.after(i);
        if (early[i] && std::any_of(after.begin(), after.end(), [&](std::size_t one) {
                return late[one];
            })) {
            return true;
        }
    }
    return false;
}

// How many of each member's actions must be over before the plan treats them all alike; nothing if
// it never does.
std::optional<std::size_t>
steps_apart(const Site& site, const Actions& actions, const std::vector<int>& members) {
    const auto& first = actions[static_cast<std::size_t>(members.front())];
    std::vector<bool> over(site.acts.size(), false);
    for (std::size_t steps = 0; steps <= first.size(); ++steps) {
        const bool alike = std::all_of(members.begin() + 1, members.end(), [&](int member) {
            return Exchange(site, actions, members.front(), member, over).keeps_what_is_left();
        });
        if (alike && !waits_for_late(site, actions, members, over)) {
            return steps;
        }
        for (const int member : members) {
            if (steps < first.size()) {
                over[actions[static_cast<std::size_t>(member)][steps]] = true;
            }
        }
    }
    return std::nullopt;
}

}  // namespace

Symmetry::Symmetry(const Site& site, bool on) : site_(site), actions_(actions_of(site)) {
    if (!on) {
        return;
    }
    std::map<std::string, std::vector<int>> shapes;
    for (std::size_t i = 0; i < site.members.size(); ++i) {
        shapes[shape_of(site, actions_[i], static_cast<int>(i))].push_back(static_cast<int>(i));
    }
    const std::vector<bool> nothing(site.acts.size(), false);
    for (auto& [shape, members] : shapes) {
        const auto groups = groups_of(members, [&](int a, int b) {
            return Exchange(site, actions_, a, b, nothing).keeps_the_site();
        });
        for (const auto& group : groups) {
            groups_.push_back({group, 0});
        }
        std::erase_if(members, [&](int member) { return is_asked_alone(site, member); });
        const auto families = groups_of(
            members, [&](int a, int b) { return shared_host(site, a) == shared_host(site, b); });
        for (const auto& family : families) {
            if (const auto steps = steps_apart(site, actions_, family)) {
                add_family({family, *steps});
            }
        }
    }
}

// A group that meets a family is sorted by who is over first, so that sorting those of the family
// who are over leaves it in order.
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

// Whether so many of its actions are over.
bool Symmetry::is_over(int member, std::size_t steps, const Byte* row) const {
    const auto& actions = actions_[static_cast<std::size_t>(member)];
    for (std::size_t i = steps; i > 0; --i) {
        const auto status = static_cast<run::Status>(site_.status(row, actions[i - 1]));
        if (status != run::Status::done && status != run::Status::skipped) {
            return false;
        }
    }
    return true;
}

// By insertion: groups are small, and mostly in order already. Those that are over come last.
void Symmetry::sort_group(const std::vector<int>& members, std::size_t steps, Byte* row) {
    const std::size_t size = site_.members[static_cast<std::size_t>(members.front())].size;
    held_.resize(size);
    const auto at = [&](std::size_t i) {
        return row + site_.members[static_cast<std::size_t>(members[i])].block;
    };
    over_.clear();
    for (const int member : members) {
        over_.push_back(steps > 0 && is_over(member, steps, row));
    }
    const auto follows = [&](std::size_t i, const Byte* other, bool over) {
        return over_[i] != over ? over_[i] : std::memcmp(at(i), other, size) > 0;
    };
    for (std::size_t i = 1; i < members.size(); ++i) {
        if (!follows(i - 1, at(i), over_[i])) {
            continue;
        }
        std::memcpy(held_.data(), at(i), size);
        const bool over = over_[i];
        std::size_t to = i;
        for (; to > 0 && follows(to - 1, held_.data(), over); --to) {
            std::memcpy(at(to), at(to - 1), size);
            over_[to] = over_[to - 1];
        }
        std::memcpy(at(to), held_.data(), size);
        over_[to] = over;
    }
}

void Symmetry::sort(Byte* row) {
    for (const Family& group : groups_) {
        sort_group(group.members, group.steps, row);
    }
    for (const Family& family : families_) {
        through_.clear();
        for (const int member : family.members) {
            if (is_over(member, family.steps, row)) {
                through_.push_back(member);
            }
        }
        if (through_.size() > 1) {
            sort_group(through_, 0, row);
        }
    }
}

}  // namespace drydock::checker
