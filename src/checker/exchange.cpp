#include "checker/exchange.h"

#include <algorithm>
#include <tuple>

namespace drydock::checker {

namespace {

template <class T>
bool same_in_any_order(std::vector<T> one, std::vector<T> other) {
    std::sort(one.begin(), one.end());
    std::sort(other.begin(), other.end());
    return one == other;
}

const Member& member_at(const Site& site, int index) {
    return site.members[static_cast<std::size_t>(index)];
}

bool lies_on(const Member& member, Place at) {
    return at >= member.block && at < member.block + member.size;
}

}  // namespace

OwnActions::OwnActions(const Site& site) : of_(site.members.size()), rank_(site.acts.size(), 0) {
    for (std::size_t i = 0; i < site.acts.size(); ++i) {
        if (site.acts[i].member >= 0) {
            auto& mine = of_[static_cast<std::size_t>(site.acts[i].member)];
            rank_[i] = mine.size();
            mine.push_back(i);
        }
    }
}

std::vector<bool> behind(const Site& site, std::size_t action) {
    std::vector<bool> found(site.acts.size(), false);
    for (std::size_t i = action + 1; i < site.acts.size(); ++i) {
        const auto after = site.program.after(i);
        found[i] = std::any_of(after.begin(), after.end(), [&](std::size_t one) {
            return one == action || found[one];
        });
    }
    return found;
}

Exchange::Exchange(const Site& site, const OwnActions& own, int a, int b)
    : site_(site)
    , own_(own)
    , a_(a)
    , b_(b)
    , one_(member_at(site, a))
    , other_(member_at(site, b)) {
}

bool Exchange::keeps_the_site() const {
    return same_at_first() && keeps_what_is_left(std::vector<bool>(site_.acts.size(), false));
}

bool Exchange::keeps_what_is_left(const std::vector<bool>& over) const {
    if (own_.of(a_).size() != own_.of(b_).size() || !same_blocks() || !same_turns()) {
        return false;
    }
    const auto alike = [&](std::size_t one) { return over[one] || same(one, over); };
    const auto& of_a = own_.of(a_);
    const auto& of_b = own_.of(b_);
    if (!std::all_of(of_a.begin(), of_a.end(), alike)
        || !std::all_of(of_b.begin(), of_b.end(), alike)) {
        return false;
    }
    for (std::size_t i = 0; i < site_.acts.size(); ++i) {
        if (!is_own(i) && !over[i] && !(same_after(i, over) && is_ignored_by(i))) {
            return false;
        }
    }
    return true;
}

bool Exchange::keeps_the_start() const {
    return same_at_first() && same_blocks() && same_facts() && same_levels();
}

bool Exchange::is_ignored_by(std::size_t action) const {
    const Act& act = site_.acts[action];
    const bool writes = std::any_of(act.writes.begin(), act.writes.end(), [&](const Write& write) {
        return is_on_them(write.at);
    });
    return (!writes || same_writes(act, act)) && ignores(act.when) && ignores(act.guard)
           && ignores(act.then) && ignores(act.happened);
}

std::size_t Exchange::action(std::size_t index) const {
    return is_own(index) ? own_.of(member(site_.acts[index].member))[own_.rank(index)] : index;
}

Place Exchange::place(Place at) const {
    if (lies_on(one_, at)) {
        return at - one_.block + other_.block;
    }
    return lies_on(other_, at) ? at - other_.block + one_.block : at;
}

bool Exchange::is_on_them(Place at) const {
    return lies_on(one_, at) || lies_on(other_, at);
}

bool Exchange::same_blocks() const {
    const auto on = [&](const Member& member) {
        return site_.members_on[static_cast<std::size_t>(member.host)].size();
    };
    return one_.role == other_.role && one_.size == other_.size
           && one_.up_at_first == other_.up_at_first
           && (one_.host == other_.host || (on(one_) == 1 && on(other_) == 1))
           && place(one_.running) == other_.running && place(one_.installed) == other_.installed
           && place(one_.ready) == other_.ready && place(one_.service) == other_.service;
}

bool Exchange::same_at_first() const {
    const auto at = [&](const Member& member) { return site_.first.begin() + member.block; };
    return one_.size == other_.size && std::equal(at(one_), at(one_) + one_.size, at(other_));
}

// What is over still tells who should be up.
bool Exchange::same_turns() const {
    return std::equal(one_.turns.begin(),
                      one_.turns.end(),
                      other_.turns.begin(),
                      other_.turns.end(),
                      [&](const Member::Turn& x, const Member::Turn& y) {
                          return x.up == y.up && action(x.action) == y.action;
                      });
}

// The same facts at the same places of their blocks.
bool Exchange::same_facts() const {
    const auto of = [&](const Member& member) {
        std::vector<std::pair<Place, std::string>> found;
        const std::string prefix = member.name + "/";
        for (auto it = site_.places.lower_bound(prefix);
             it != site_.places.end() && it->first.starts_with(prefix);
             ++it) {
            found.emplace_back(it->second - member.block, it->first.substr(prefix.size()));
        }
        return found;
    };
    return of(one_) == of(other_);
}

// What tells a store's format, of all or of each.
bool Exchange::same_levels() const {
    for (const Store& store : site_.stores) {
        for (std::size_t i = 0; i < store.at.size(); ++i) {
            const Place there = place(store.at[i]);
            const auto other = std::find(store.at.begin(), store.at.end(), there);
            std::vector<Place> mapped;
            for (const Place level : store.levels[i]) {
                mapped.push_back(place(level));
            }
            if ((there != store.at[i] || store.shared)
                && !same_in_any_order(
                    mapped, store.levels[static_cast<std::size_t>(other - store.at.begin())])) {
                return false;
            }
        }
    }
    return true;
}

bool Exchange::same(std::size_t one, const std::vector<bool>& over) const {
    const std::size_t other = action(one);
    const Act& a = site_.acts[one];
    const Act& b = site_.acts[other];
    const model::Action& x = site_.plan.actions[one];
    const model::Action& y = site_.plan.actions[other];
    const auto same_questions = [&](const std::vector<Question>& these,
                                    const std::vector<Question>& those) {
        const auto alike = [&](const Question& p, const Question& q) {
            using Target = std::tuple<int, Place, std::uint64_t, std::uint64_t>;
            std::vector<Target> mapped;
            std::vector<Target> there;
            for (const auto& target : p.targets) {
                mapped.emplace_back(
                    member(target.member), place(target.at), target.yes, target.cannot_tell);
            }
            for (const auto& target : q.targets) {
                there.emplace_back(target.member, target.at, target.yes, target.cannot_tell);
            }
            return p.modelled == q.modelled && p.same == q.same && p.only_up == q.only_up
                   && p.any == q.any && p.needed == q.needed
                   && same_in_any_order(std::move(mapped), std::move(there));
        };
        return std::equal(these.begin(), these.end(), those.begin(), those.end(), alike);
    };
    return x.verb == y.verb && x.repeatable == y.repeatable && x.attempts == y.attempts
           && x.returns_here == y.returns_here && x.request.is_null() == y.request.is_null()
           && place(site_.cells[one]) == site_.cells[other] && place(a.ran) == b.ran
           && same_after(one, over) && same_writes(a, b) && a.raises == b.raises
           && a.lowers == b.lowers && a.copies == b.copies && a.destroyed == b.destroyed
           && same_questions(a.when, b.when) && same_questions(a.guard, b.guard)
           && same_questions(a.then, b.then) && same_questions(a.happened, b.happened);
}

bool Exchange::same_after(std::size_t one, const std::vector<bool>& over) const {
    std::vector<std::size_t> mapped;
    std::vector<std::size_t> there;
    for (const std::size_t before : site_.program.after(one)) {
        if (!over[before]) {
            mapped.push_back(action(before));
        }
    }
    for (const std::size_t before : site_.program.after(action(one))) {
        if (!over[before]) {
            there.push_back(before);
        }
    }
    return same_in_any_order(std::move(mapped), std::move(there));
}

bool Exchange::same_writes(const Act& one, const Act& other) const {
    std::vector<std::pair<Place, Byte>> mapped;
    std::vector<std::pair<Place, Byte>> there;
    for (const Write& write : one.writes) {
        mapped.emplace_back(place(write.at), write.value);
    }
    for (const Write& write : other.writes) {
        there.emplace_back(write.at, write.value);
    }
    return same_in_any_order(std::move(mapped), std::move(there));
}

// All other members are asked the same in both cases; only these two are to be compared.
bool Exchange::ignores(const std::vector<Question>& questions) const {
    return std::all_of(questions.begin(), questions.end(), [&](const Question& question) {
        const Question::Target* of_a = nullptr;
        const Question::Target* of_b = nullptr;
        for (const Question::Target& target : question.targets) {
            of_a = target.member == a_ ? &target : of_a;
            of_b = target.member == b_ ? &target : of_b;
        }
        if (of_a == nullptr || of_b == nullptr) {
            return of_a == of_b;
        }
        return place(of_a->at) == of_b->at && of_a->yes == of_b->yes
               && of_a->cannot_tell == of_b->cannot_tell;
    });
}

}  // namespace drydock::checker
