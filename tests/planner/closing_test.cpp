// The closing actions beside an explorer that walks through every order of small random plans.
#include "planner/closing_actions.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>

namespace drydock::planner {
namespace {

constexpr std::size_t k_actions_max = 7;
constexpr std::size_t k_members_max = 3;

struct Case {
    model::Plan plan;
    std::vector<MemberRelease> members;
};

std::string member_name(std::size_t member) {
    return fmt::format("m{}", member);
}

model::Action draw_action(std::size_t members) {
    model::Action action;
    action.member = member_name(*rc::gen::inRange<std::size_t>(0, members));
    const auto value = *rc::gen::element<std::string>("2.0", "2.0", "2.0", "1.0", "", "nothing");
    if (value != "nothing") {
        action.effects.push_back({model::EffectKind::becomes,
                                  action.member,
                                  "running",
                                  value.empty() ? Json() : Json(value)});
    }
    return action;
}

// Actions on one member come one after the other; all else is drawn.
std::vector<std::size_t> draw_after(const model::Plan& plan, const model::Action& action) {
    std::set<std::size_t> after;
    for (std::size_t i = 0; i < plan.actions.size(); ++i) {
        const bool same = plan.actions[i].member == action.member;
        if (same || *rc::gen::inRange(0, 8) == 0) {
            after.insert(i);
        }
    }
    return {after.begin(), after.end()};
}

Case draw_case() {
    Case drawn;
    const auto members = *rc::gen::inRange<std::size_t>(2, k_members_max + 1);
    for (std::size_t i = 0; i < members; ++i) {
        const auto first = *rc::gen::inRange(0, 3);  // it runs the series, is down, or runs another
        drawn.members.push_back({member_name(i), first == 0, first == 1});
    }
    const auto actions = *rc::gen::inRange<std::size_t>(members, k_actions_max + 1);
    for (std::size_t i = 0; i < actions; ++i) {
        model::Action action = draw_action(members);
        action.id = fmt::format("a{}", i);
        action.predecessors = draw_after(drawn.plan, action);
        drawn.plan.actions.push_back(std::move(action));
    }
    return drawn;
}

enum class Rule { when_all, when_all_running };

// Walks through every order, as a run might, and notes with which action the condition first holds.
class Explorer {
public:
    explicit Explorer(const Case& what, Rule rule = Rule::when_all)
        : case_(what)
        , rule_(rule)
        , done_(what.plan.actions.size(), false) {
        for (const MemberRelease& member : what.members) {
            releases_[member.member] = member.runs ? "2.0" : member.is_down ? "" : "1.0";
        }
        if (!holds()) {
            walk();
        }
    }

    [[nodiscard]] const std::set<std::size_t>& first() const { return first_; }

private:
    bool holds() const {
        int others = 0;
        int down = 0;
        for (const auto& [member, release] : releases_) {
            others += release == "1.0" ? 1 : 0;
            down += release.empty() ? 1 : 0;
        }
        const bool is_any_up = down < static_cast<int>(releases_.size());
        return others == 0 && (rule_ == Rule::when_all ? down == 0 : is_any_up);
    }

    bool may_begin(std::size_t index) const {
        const auto& after = case_.plan.actions[index].predecessors;
        return !done_[index] && std::all_of(after.begin(), after.end(), [&](std::size_t before) {
            return done_[before];
        });
    }

    void walk() {
        for (std::size_t i = 0; i < done_.size(); ++i) {
            if (!may_begin(i)) {
                continue;
            }
            const auto before = releases_;
            for (const model::Effect& effect : case_.plan.actions[i].effects) {
                releases_[effect.member] = effect.value.as_string();
            }
            done_[i] = true;
            if (holds()) {
                first_.insert(i);
            } else {
                walk();
            }
            done_[i] = false;
            releases_ = before;
        }
    }

    const Case& case_;
    Rule rule_;
    std::vector<bool> done_;
    std::map<std::string, std::string> releases_;
    std::set<std::size_t> first_;
};

// Of all actions with which it can first hold, those that come behind no other: a gate before these
// is before all of them.
RC_GTEST_PROP(Closing, IsWhatAnExplorerOfEveryOrderFinds, ()) {
    constexpr int k_cases = 20;  // for each that rapidcheck draws
    std::size_t most = 0;
    for (int i = 0; i < k_cases; ++i) {
        const Case drawn = draw_case();
        const Explorer explorer(drawn);
        const std::vector<std::size_t> all(explorer.first().begin(), explorer.first().end());
        most = std::max(most, all.size());
        RC_ASSERT(closing_when_all(drawn.plan, drawn.members, "running", "2")
                  == first_of(drawn.plan, all));
    }
    RC_CLASSIFY(most > 0, "holds at last");
    RC_CLASSIFY(most > 1, "with one of several");
}

// A gate before these is before every action with which it can first hold. There may be more of
// them than need be, but none if it can never hold.
RC_GTEST_PROP(Closing, WhenAllRunningIsBeforeWhatAnExplorerFinds, ()) {
    constexpr int k_cases = 20;
    std::size_t most = 0;
    std::size_t exact = 0;
    for (int i = 0; i < k_cases; ++i) {
        const Case drawn = draw_case();
        const Explorer explorer(drawn, Rule::when_all_running);
        const auto closing = closing_when_all_running(drawn.plan, drawn.members, "running", "2");
        const auto before = [&](std::size_t action) {
            const auto is_ancestor = ancestors(drawn.plan, {action});
            return std::any_of(closing.begin(), closing.end(), [&](std::size_t one) {
                return one == action || is_ancestor[one];
            });
        };
        for (const std::size_t action : explorer.first()) {
            RC_ASSERT(before(action));
        }
        const std::vector<std::size_t> all(explorer.first().begin(), explorer.first().end());
        exact += closing == first_of(drawn.plan, all) ? 1U : 0U;
        most = std::max(most, all.size());
    }
    RC_ASSERT(exact * 4 > k_cases);
    RC_CLASSIFY(most > 0, "holds at last");
    RC_CLASSIFY(exact == k_cases, "exactly");
}

// Unlike first_of(), which takes a plan in its order: every pair is looked at.
RC_GTEST_PROP(Closing, TheFirstHaveNoOtherBeforeThem, ()) {
    const Case drawn = draw_case();
    std::vector<std::size_t> some;
    for (std::size_t i = 0; i < drawn.plan.actions.size(); ++i) {
        if (*rc::gen::arbitrary<bool>()) {
            some.push_back(i);
        }
    }
    std::vector<std::size_t> expected;
    for (const std::size_t one : some) {
        const auto before = ancestors(drawn.plan, {one});
        if (std::none_of(some.begin(), some.end(), [&](std::size_t i) { return before[i]; })) {
            expected.push_back(one);
        }
    }
    RC_ASSERT(first_of(drawn.plan, some) == expected);
}

}  // namespace
}  // namespace drydock::planner
