// Verification of a swap: an automorphism maps each part of the model onto an equal part.
//
// The parts are layouts of blocks, initial bytes, up-down events, actions and facts. Members,
// offsets and actions are mapped by member(), place() and action(); everything else stays. A
// comparison has the pattern: map the left side, then compare it with the right side in any order.
// The argument is in docs/design/0004, "Names that come late".
#include "checker/exchange.h"

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

const Member& member_at(const Site& site, int index) {
    return site.members[static_cast<std::size_t>(index)];
}

bool lies_on(const Member& member, Place offset) {
    return offset >= member.block && offset < member.block + member.size;
}

}  // namespace

OwnActions::OwnActions(const Site& site) : of_(site.members.size()), rank_(site.acts.size(), 0) {
    for (std::size_t i = 0; i < site.acts.size(); ++i) {
        if (site.acts[i].member >= 0) {
            auto& own_actions = of_[static_cast<std::size_t>(site.acts[i].member)];
            rank_[i] = own_actions.size();
            own_actions.push_back(i);
        }
    }
}

// Actions come in the plan's order, so one pass finds all dependents, also the indirect ones.
std::vector<bool> behind(const Site& site, std::size_t action) {
    std::vector<bool> is_dependent(site.acts.size(), false);
    for (std::size_t i = action + 1; i < site.acts.size(); ++i) {
        const auto prerequisites = site.program.after(i);
        is_dependent[i] =
            std::any_of(prerequisites.begin(), prerequisites.end(), [&](std::size_t prerequisite) {
                return prerequisite == action || is_dependent[prerequisite];
            });
    }
    return is_dependent;
}

Exchange::Exchange(const Site& site, const OwnActions& member_actions, int a, int b)
    : site_(site)
    , own_(member_actions)
    , a_(a)
    , b_(b)
    , one_(member_at(site, a))
    , other_(member_at(site, b)) {
}

bool Exchange::keeps_the_site() const {
    return same_at_first() && keeps_what_is_left(std::vector<bool>(site_.acts.size(), false));
}

// The members' own actions are compared first: they distinguish most pairs. Then each action of
// another owner must wait for the same actions and treat both alike.
bool Exchange::keeps_what_is_left(const std::vector<bool>& over) const {
    if (own_.of(a_).size() != own_.of(b_).size() || !same_blocks() || !same_turns()) {
        return false;
    }
    const auto alike = [&](std::size_t index) { return over[index] || same(index, over); };
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

// The image of an action: the action of the same rank of the other member.
std::size_t Exchange::action(std::size_t index) const {
    return is_own(index) ? own_.of(member(site_.acts[index].member))[own_.rank(index)] : index;
}

// The image of an offset: the same place in the block of the other member.
Place Exchange::place(Place offset) const {
    if (lies_on(one_, offset)) {
        return offset - one_.block + other_.block;
    }
    return lies_on(other_, offset) ? offset - other_.block + one_.block : offset;
}

bool Exchange::is_on_them(Place offset) const {
    return lies_on(one_, offset) || lies_on(other_, offset);
}

// Members on different hosts are alike only if each has its host to itself: the loss of a shared
// host hits others, too.
bool Exchange::same_blocks() const {
    const auto host_size = [&](const Member& member) {
        return site_.members_on[static_cast<std::size_t>(member.host)].size();
    };
    return one_.role == other_.role && one_.size == other_.size
           && one_.up_at_first == other_.up_at_first
           && (one_.host == other_.host || (host_size(one_) == 1 && host_size(other_) == 1))
           && place(one_.running) == other_.running && place(one_.installed) == other_.installed
           && place(one_.ready) == other_.ready && place(one_.service) == other_.service;
}

bool Exchange::same_at_first() const {
    const auto block_of = [&](const Member& member) { return site_.first.begin() + member.block; };
    return one_.size == other_.size
           && std::equal(block_of(one_), block_of(one_) + one_.size, block_of(other_));
}

// Compares the up-down events, also those of actions that are over: they still decide whether the
// member should be up.
bool Exchange::same_turns() const {
    return std::equal(one_.turns.begin(),
                      one_.turns.end(),
                      other_.turns.begin(),
                      other_.turns.end(),
                      [&](const Member::Turn& x, const Member::Turn& y) {
                          return x.up == y.up && action(x.action) == y.action;
                      });
}

// True if both blocks have the same facts at the same places.
bool Exchange::same_facts() const {
    const auto facts_of = [&](const Member& member) {
        std::vector<std::pair<Place, std::string>> facts;
        const std::string prefix = member.name + "/";
        for (auto entry = site_.places.lower_bound(prefix);
             entry != site_.places.end() && entry->first.starts_with(prefix);
             ++entry) {
            facts.emplace_back(entry->second - member.block, entry->first.substr(prefix.size()));
        }
        return facts;
    };
    return facts_of(one_) == facts_of(other_);
}

// True if the facts that report formats are mapped onto such facts, for each instance.
bool Exchange::same_levels() const {
    for (const Store& store : site_.stores) {
        for (std::size_t i = 0; i < store.at.size(); ++i) {
            const Place image = place(store.at[i]);
            const auto instance = std::find(store.at.begin(), store.at.end(), image);
            std::vector<Place> mapped;
            for (const Place level : store.levels[i]) {
                mapped.push_back(place(level));
            }
            if ((image != store.at[i] || store.shared)
                && !same_in_any_order(
                    mapped, store.levels[static_cast<std::size_t>(instance - store.at.begin())])) {
                return false;
            }
        }
    }
    return true;
}

// Compares an action with its image: definition, prerequisites, effects and conditions. Members and
// offsets of a condition are mapped; the targets may come in any order.
bool Exchange::same(std::size_t index, const std::vector<bool>& over) const {
    const std::size_t image = action(index);
    const Act& a = site_.acts[index];
    const Act& b = site_.acts[image];
    const model::Action& x = site_.plan.actions[index];
    const model::Action& y = site_.plan.actions[image];
    const auto same_questions = [&](const std::vector<Question>& questions,
                                    const std::vector<Question>& image_questions) {
        const auto alike = [&](const Question& p, const Question& q) {
            using Target = std::tuple<int, Place, std::uint64_t, std::uint64_t>;
            std::vector<Target> mapped;
            std::vector<Target> expected;
            for (const auto& target : p.targets) {
                mapped.emplace_back(
                    member(target.member), place(target.at), target.yes, target.cannot_tell);
            }
            for (const auto& target : q.targets) {
                expected.emplace_back(target.member, target.at, target.yes, target.cannot_tell);
            }
            return p.modelled == q.modelled && p.same == q.same && p.only_up == q.only_up
                   && p.any == q.any && p.needed == q.needed
                   && same_in_any_order(std::move(mapped), std::move(expected));
        };
        return std::equal(questions.begin(),
                          questions.end(),
                          image_questions.begin(),
                          image_questions.end(),
                          alike);
    };
    return x.verb == y.verb && x.repeatable == y.repeatable && x.attempts == y.attempts
           && x.returns_here == y.returns_here && x.request.is_null() == y.request.is_null()
           && place(site_.cells[index]) == site_.cells[image] && place(a.ran) == b.ran
           && same_after(index, over) && same_writes(a, b) && a.raises == b.raises
           && a.lowers == b.lowers && a.copies == b.copies && a.destroyed == b.destroyed
           && same_questions(a.when, b.when) && same_questions(a.guard, b.guard)
           && same_questions(a.then, b.then) && same_questions(a.happened, b.happened);
}

// Prerequisites that are over no longer matter.
bool Exchange::same_after(std::size_t index, const std::vector<bool>& over) const {
    std::vector<std::size_t> mapped;
    std::vector<std::size_t> expected;
    for (const std::size_t prerequisite : site_.program.after(index)) {
        if (!over[prerequisite]) {
            mapped.push_back(action(prerequisite));
        }
    }
    for (const std::size_t prerequisite : site_.program.after(action(index))) {
        if (!over[prerequisite]) {
            expected.push_back(prerequisite);
        }
    }
    return same_in_any_order(std::move(mapped), std::move(expected));
}

bool Exchange::same_writes(const Act& source, const Act& image) const {
    std::vector<std::pair<Place, Byte>> mapped;
    std::vector<std::pair<Place, Byte>> expected;
    for (const Write& write : source.writes) {
        mapped.emplace_back(place(write.at), write.value);
    }
    for (const Write& write : image.writes) {
        expected.emplace_back(write.at, write.value);
    }
    return same_in_any_order(std::move(mapped), std::move(expected));
}

// True if each predicate treats both members alike. All other targets are equal under the swap, so
// only the targets of these two are compared.
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
