// Exchange: whether two members can be taken for one another, because exchanging them maps the
// site, or what is left of its plan, onto itself. Asked when an exploration begins, of many pairs:
// what tells most pairs apart (their own actions) is looked at first.
#pragma once

#include "checker/site.h"

#include <vector>

namespace drydock::checker {

// Each member's actions, in the plan's order, and the how-manieth of its member each action is.
class OwnActions {
public:
    explicit OwnActions(const Site& site);

    [[nodiscard]] const std::vector<std::size_t>& of(int member) const {
        return of_[static_cast<std::size_t>(member)];
    }

    [[nodiscard]] std::size_t rank(std::size_t action) const { return rank_[action]; }

private:
    std::vector<std::vector<std::size_t>> of_;
    std::vector<std::size_t> rank_;
};

class Exchange {
public:
    Exchange(const Site& site, const OwnActions& member_actions, int a, int b);

    // Whether it maps the site onto itself.
    [[nodiscard]] bool keeps_the_site() const;
    // Whether it maps what is left onto itself, when the actions in `over` are over.
    [[nodiscard]] bool keeps_what_is_left(const std::vector<bool>& over) const;
    // Whether it maps the first state onto itself and the members are of one kind: whatever has
    // become of one while none of its actions was begun may have become of the other.
    [[nodiscard]] bool keeps_the_start() const;
    // Whether this action of somebody else treats both alike: what it writes, what it asks.
    [[nodiscard]] bool is_ignored_by(std::size_t action) const;

private:
    [[nodiscard]] int member(int index) const {
        return index == a_ ? b_ : index == b_ ? a_ : index;
    }

    [[nodiscard]] bool is_own(std::size_t action) const {
        return site_.acts[action].member == a_ || site_.acts[action].member == b_;
    }

    [[nodiscard]] std::size_t action(std::size_t index) const;
    [[nodiscard]] Place place(Place offset) const;
    [[nodiscard]] bool is_on_them(Place offset) const;
    [[nodiscard]] bool same_blocks() const;
    [[nodiscard]] bool same_at_first() const;
    [[nodiscard]] bool same_turns() const;
    [[nodiscard]] bool same_facts() const;
    [[nodiscard]] bool same_levels() const;
    [[nodiscard]] bool same(std::size_t index, const std::vector<bool>& over) const;
    [[nodiscard]] bool same_after(std::size_t index, const std::vector<bool>& over) const;
    [[nodiscard]] bool same_writes(const Act& left, const Act& right) const;
    [[nodiscard]] bool ignores(const std::vector<Question>& questions) const;

    const Site& site_;
    const OwnActions& own_;
    int a_;
    int b_;
    const Member& one_;
    const Member& other_;
};

// Which actions can begin only when this one is over.
[[nodiscard]] std::vector<bool> behind(const Site& site, std::size_t action);

}  // namespace drydock::checker
