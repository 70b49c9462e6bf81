// Ways back that hang on what nobody models, of law 15: a condition is put into each step of a way
// back. The report must name its fact wherever no step, law or survey of the model tells it, and
// must name nothing else.
#include "mutants/bases.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace drydock::mutants {
namespace {

model::Condition is_true(const std::string& fact) {
    return {.fact = fact,
            .quantifier = model::Quantifier::system,
            .operand = true,
            .type = model::FactType::boolean};
}

// A condition on the member's own release is modelled, and holds where the plan left it.
model::Condition is_installed(const model::Action& action) {
    return {.fact = "installed",
            .role = "node",
            .quantifier = action.member.empty() ? model::Quantifier::any : model::Quantifier::self,
            .relation = model::Relation::present,
            .operand = true,
            .type = model::FactType::release};
}

enum class Asked : std::uint8_t { nothing, what_is_modelled, what_nobody_models };

// Returns the facts on which the way back hangs if this step of it asks one thing more.
std::vector<std::string> hangs_on(const Base& base, std::size_t step, Asked asked) {
    checker::Options options;
    options.faults = {0, 0, 0, 0, 0};
    options.threads = 1;
    options.compile_downgrade = [back = base.back(), step, asked](const model::FactBook& facts) {
        auto plan = back(facts);
        if (plan && step < plan->actions.size() && asked != Asked::nothing) {
            model::Action& action = plan->actions[step];
            action.preconditions.push_back(
                asked == Asked::what_nobody_models ? is_true("epoch_lead") : is_installed(action));
        }
        return plan;
    };
    return checker::check(*base.plan(), options).hangs_on;
}

std::size_t steps_back(const Base& base) {
    checker::Options options;
    options.faults = {0, 0, 0, 0, 0};
    std::size_t steps = 0;
    options.threads = 1;
    options.compile_downgrade = [back = base.back(), &steps](const model::FactBook& facts) {
        auto plan = back(facts);
        steps = plan ? std::max(steps, plan->actions.size()) : steps;
        return plan;
    };
    (void)checker::check(*base.plan(), options);
    return steps;
}

TEST(HangsOnMutants, AreNamedByTheFactThatNobodyModels) {
    int named = 0;
    int silent = 0;
    for (const Base& base : law_bases()) {
        if (!base.back()) {
            continue;
        }
        const auto whole = hangs_on(base, 0, Asked::nothing);
        EXPECT_EQ(std::count(whole.begin(), whole.end(), "epoch_lead"), 0) << base.name;
        for (std::size_t step = 0; step < steps_back(base); ++step) {
            const auto more = hangs_on(base, step, Asked::what_nobody_models);
            EXPECT_EQ(std::count(more.begin(), more.end(), "epoch_lead"), 1)
                << base.name << ", step " << step;
            EXPECT_EQ(hangs_on(base, step, Asked::what_is_modelled), whole)
                << base.name << ", step " << step;
            ++named;
            ++silent;
        }
    }
    EXPECT_GE(named, 3);
    std::fprintf(stderr, "%d named, %d not\n", named, silent);
}

}  // namespace
}  // namespace drydock::mutants
