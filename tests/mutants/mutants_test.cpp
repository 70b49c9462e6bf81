// Plans that are broken in one place: those that the reference explorer finds harmful are found by
// the checker, and no other is reported.
//
// Each mutant is judged with every budget of k_faults, one after the other. In the default run
// every k-th mutant is taken, so that all kinds and packs are there; DRYDOCK_MUTANTS=all takes all
// of them (ctest's label mutants-full), DRYDOCK_MUTANTS=<part of a name> those alone, and tells of
// each.
#include "mutants/mutate.h"
#include "reference/reference.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

namespace drydock::mutants {
namespace {

constexpr checker::Faults k_faults[] = {
    {0, 0, 0, 0, 0}, {1, 0, 0, 0, 0}, {0, 1, 0, 0, 0}, {0, 0, 1, 0, 0}, {0, 0, 0, 1, 0}};
constexpr std::size_t k_every = 16;         // of small plans
constexpr std::size_t k_every_large = 128;  // of plans with more actions than this:
constexpr std::size_t k_large = 13;
constexpr std::size_t k_worlds_max = 25'000;  // of the reference: more are left undecided
constexpr double k_caught_min = 0.99;

struct Tally {
    int caught = 0;
    int missed = 0;
    int harmless = 0;
    int false_alarms = 0;
    int undecided = 0;

    [[nodiscard]] int all() const { return caught + missed + harmless + false_alarms + undecided; }
};

enum class Harm { none, some, undecided };

// By brute force: with the first budget that finds harm.
Harm harm_of(const Mutant& mutant, const checker::CompileBack& back, std::string& how) {
    bool whole = true;
    for (const checker::Faults& faults : k_faults) {
        const auto verdict = reference::explore(mutant.plan, {faults, back, k_worlds_max, true});
        if (!verdict.broken.empty()) {
            how = reference::show(verdict);
            return Harm::some;
        }
        whole = whole && verdict.whole;
    }
    return whole ? Harm::none : Harm::undecided;
}

bool is_reported(const Mutant& mutant, const checker::CompileBack& back, std::string& how) {
    checker::Options options;
    options.back = back;
    options.threads = 1;
    for (const checker::Faults& faults : k_faults) {
        options.faults = faults;
        const checker::Report report = checker::check(mutant.plan, options);
        if (!report.violations.empty()) {
            how = name_of(report.violations.front().property);
            return true;
        }
    }
    return false;
}

std::string row(const std::string& name, const Tally& tally) {
    return fmt::format("| {:<34} | {:>7} | {:>6} | {:>6} | {:>8} | {:>12} | {:>9} |\n",
                       name,
                       tally.all(),
                       tally.caught,
                       tally.missed,
                       tally.harmless,
                       tally.false_alarms,
                       tally.undecided);
}

class Mutants : public testing::Test {
protected:
    void judge(const Mutant& mutant, const checker::CompileBack& back, bool tell) {
        std::string how;
        std::string said = "nothing";
        const Harm harm = harm_of(mutant, back, how);
        const bool reported = harm != Harm::undecided && is_reported(mutant, back, said);
        for (Tally* tally : {&kinds_[mutant.kind], &total_}) {
            tally->undecided += harm == Harm::undecided ? 1 : 0;
            tally->caught += harm == Harm::some && reported ? 1 : 0;
            tally->missed += harm == Harm::some && !reported ? 1 : 0;
            tally->harmless += harm == Harm::none && !reported ? 1 : 0;
            tally->false_alarms += harm == Harm::none && reported ? 1 : 0;
        }
        if (tell || (harm != Harm::undecided && (harm == Harm::some) != reported)) {
            std::fprintf(stderr,
                         "%s: %s: %s, the checker says %s\n",
                         mutant.kind.c_str(),
                         mutant.what.c_str(),
                         harm == Harm::none ? "harmless" : how.c_str(),
                         said.c_str());
        }
    }

    std::map<std::string, Tally> kinds_;
    Tally total_;
};

TEST_F(Mutants, HarmfulOnesAreCaughtAndNoOthers) {
    const char* wish = std::getenv("DRYDOCK_MUTANTS");
    const std::string only = wish == nullptr ? "" : wish;
    std::size_t count = 0;
    for (const Base& base : all_bases()) {
        const auto plan = base.plan();
        ASSERT_TRUE(plan) << base.name << ": " << plan.error().text();
        const auto back = base.back();
        for (const Mutant& mutant : mutants_of(base, *plan)) {
            const bool named = (mutant.kind + ": " + mutant.what).find(only) != std::string::npos;
            const std::size_t every = plan->actions.size() > k_large ? k_every_large : k_every;
            if (only.empty() ? count++ % every == 0 : only == "all" || named) {
                judge(mutant, back, !only.empty() && only != "all");
            }
        }
    }
    std::string table =
        fmt::format("| {:<34} | mutants | caught | missed | harmless | false alarms | undecided |\n"
                    "| --- | --: | --: | --: | --: | --: | --: |\n",
                    "kind");
    for (const auto& [kind, tally] : kinds_) {
        table += row(kind, tally);
    }
    std::fprintf(stderr, "%s%s", table.c_str(), row("all", total_).c_str());
    const int harmful = total_.caught + total_.missed;
    EXPECT_GE(total_.caught, k_caught_min * harmful);
    EXPECT_EQ(total_.false_alarms, 0);
}

// What is broken must have been whole before.
TEST(Bases, HoldInBothExplorers) {
    for (const Base& base : all_bases()) {
        const auto plan = base.plan();
        ASSERT_TRUE(plan) << base.name << ": " << plan.error().text();
        const Mutant whole = {"", base.name, *plan};
        std::string how;
        EXPECT_EQ(harm_of(whole, base.back(), how), Harm::none) << base.name << ": " << how;
        EXPECT_FALSE(is_reported(whole, base.back(), how)) << base.name << ": " << how;
    }
}

}  // namespace
}  // namespace drydock::mutants
