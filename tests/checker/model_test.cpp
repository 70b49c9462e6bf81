// The modelled world beside what it stands for: conditions and model::evaluate(), members that are
// expected to be up and run::members_up(), rows and states.
#include "checker/plans.h"
#include "checker/successor_generator.h"
#include "checker/symmetry.h"
#include "run/expected_facts.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace drydock::checker {
namespace {

// A row in which every status and every fact is drawn.
std::vector<Byte> draw_row(const Model& site) {
    std::vector<Byte> row = site.initial;
    run::State state(site.actions.size());
    for (std::size_t i = 0; i < site.actions.size(); ++i) {
        state.set_status(i, static_cast<run::Status>(*rc::gen::inRange(0, 11)));
    }
    state.set_phase(run::Phase::running);
    site.pack(state, row.data());
    for (const auto& [key, place] : site.offsets) {
        row[place] = *rc::gen::inRange<Byte>(0, static_cast<Byte>(site.values.size()));
    }
    return row;
}

model::Roster up_in(const Model& site, const Byte* row) {
    run::State state(site.actions.size());
    site.unpack(row, state);
    return run::members_up(site.plan, state);
}

const planner::Fixture& etcd() {
    static const planner::Fixture k_site = planner::etcd_site(3);
    return k_site;
}

RC_GTEST_PROP(Model, ExpectsMembersUpAsTheRunnerDoes, ()) {
    static const model::Plan k_plan = plan_of(etcd(), "3.4.23", "3.5.21");
    static const Model k_site(k_plan);
    for (int i = 0; i < 20; ++i) {
        const auto row = draw_row(k_site);
        const auto roster = up_in(k_site, row.data());
        for (std::size_t m = 0; m < k_site.members.size(); ++m) {
            const auto& up = roster.at(k_site.roles[k_site.members[m].role]);
            const bool there = std::find(up.begin(), up.end(), k_site.members[m].name) != up.end();
            RC_ASSERT(k_site.expected_up(row.data(), m) == there);
        }
    }
}

void compare(const Model& site,
             std::size_t action,
             const std::vector<model::Condition>& conditions,
             const std::vector<Predicate>& questions,
             const std::vector<Byte>& row) {
    const auto facts = site.facts(row.data());
    const auto roster = up_in(site, row.data());
    const model::FactBook before;
    const model::FactView view = {
        facts, before, site.plan.bound_facts, roster, site.plan.actions[action].member};
    for (std::size_t i = 0; i < conditions.size(); ++i) {
        if (questions[i].is_modelled) {
            const Evaluation one = evaluate(site, {questions[i]}, row.data());
            RC_ASSERT(one.modelled == model::evaluate(conditions[i], view).outcome);
        }
    }
}

RC_GTEST_PROP(Model, AnswersConditionsAsTheRunnerDoes, ()) {
    static const std::vector<model::Plan> k_plans = {
        plan_of(etcd(), "3.4.23", "3.5.21"),
        plan_of(planner::etcd_site(3, "3.6.1"), "3.6.1", "3.5.21", "downgrade")};
    static const std::vector<Model> k_sites(k_plans.begin(), k_plans.end());
    for (const Model& site : k_sites) {
        const auto row = draw_row(site);
        for (std::size_t i = 0; i < site.actions.size(); ++i) {
            const model::Action& action = site.plan.actions[i];
            compare(site, i, action.applies_if, site.actions[i].applies_if, row);
            compare(site, i, action.preconditions, site.actions[i].preconditions, row);
            compare(site, i, action.postconditions, site.actions[i].postconditions, row);
            compare(site, i, action.completion_check, site.actions[i].completion_check, row);
        }
    }
}

TEST(Model, TakesMembersForOneAnotherThatThePlanTreatsAlike) {
    const auto all = plan_of(planner::small_site("when-all", 4, "1.0"), "1.0", "2.0", "all");
    const auto batch = plan_of(planner::small_site("when-all", 4, "1.0"), "1.0", "2.0", "batch");
    const auto serial = plan_of(planner::small_site("when-all", 4, "1.0"), "1.0", "2.0", "serial");
    using Groups = std::vector<std::vector<Index>>;
    const auto groups = [](const model::Plan& plan) {
        const Model site(plan);
        const Symmetry symmetry(site, true, false);
        Groups found;
        for (const auto& group : symmetry.groups()) {
            found.push_back(group.members);
        }
        return found;
    };
    EXPECT_EQ(groups(all), (Groups{{0, 1, 2, 3}}));
    EXPECT_EQ(groups(batch), (Groups{{0, 1}, {2, 3}}));
    EXPECT_EQ(groups(serial), Groups{});
}

}  // namespace
}  // namespace drydock::checker
