// Plans that are broken in one place: those that the reference explorer finds harmful are found by
// the checker, and no other is reported.
//
// Each mutant is judged with every budget of k_faults, one after the other. In the default run
// every k-th mutant is taken, so that all kinds are there; DRYDOCK_MUTANTS=many takes all of small
// plans and some of large ones (ctest's label mutants-full), all takes all of them, laws those of
// law_bases(), and <part of a name> those alone, and tells of each.
#include "mutants/budgets.h"
#include "mutants/mutate.h"
#include "reference/reference.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

namespace drydock::mutants {
namespace {

constexpr std::size_t k_large = 13;  // actions

bool is_large(const Base& base, const model::Plan& plan, bool sample) {
    return (base.slow && sample) || plan.actions.size() > k_large;
}

// Every so manieth mutant is taken.
struct Share {
    std::size_t small = 20;   // of small plans
    std::size_t large = 320;  // of large ones: the reference takes seconds for each
};

Share share_of(const std::string& wish) {
    return wish.empty() ? Share() : wish == "many" ? Share{1, 16} : Share{1, 1};
}

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
Harm harm_of(const Mutant& mutant, const Base& base, std::string& how) {
    bool whole = true;
    const auto back = base.back();
    for (const checker::Faults& faults : budgets_of(base)) {
        const auto verdict = reference::explore(mutant.plan, {faults, back, k_worlds_max, true});
        if (!verdict.broken.empty()) {
            how = reference::show(verdict);
            return Harm::some;
        }
        whole = whole && verdict.whole;
    }
    return whole ? Harm::none : Harm::undecided;
}

bool is_reported(const Mutant& mutant, const Base& base, std::string& how) {
    checker::Options options;
    options.compile_downgrade = base.back();
    options.threads = 1;
    for (const checker::Faults& faults : budgets_of(base)) {
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
    void judge(const Mutant& mutant, const Base& of, bool tell) {
        std::string how;
        std::string said = "nothing";
        const Harm harm = harm_of(mutant, of, how);
        const bool reported = harm != Harm::undecided && is_reported(mutant, of, said);
        const std::string base = mutant.what.substr(0, mutant.what.find(':'));
        for (Tally* tally : {&kinds_[mutant.kind], &bases_[base], &total_}) {
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

    std::string table() {
        std::string text = fmt::format(
            "| {:<34} | mutants | caught | missed | harmless | false alarms | undecided |\n"
            "| --- | --: | --: | --: | --: | --: | --: |\n",
            "kind");
        for (const auto* tallies : {&kinds_, &bases_}) {
            for (const auto& [name, tally] : *tallies) {
                text += row(name, tally);
            }
            text += row("all", total_);
        }
        return text;
    }

    std::map<std::string, Tally> kinds_;
    std::map<std::string, Tally> bases_;
    Tally total_;
};

TEST_F(Mutants, HarmfulOnesAreCaughtAndNoOthers) {
    const char* env = std::getenv("DRYDOCK_MUTANTS");
    const std::string wish = env == nullptr ? "" : env;
    const bool by_name = !wish.empty() && wish != "all" && wish != "many" && wish != "laws";
    const Share share = share_of(wish);
    std::size_t count = 0;
    for (const Base& base : wish == "laws" ? law_bases() : all_bases()) {
        const auto plan = base.plan();
        ASSERT_TRUE(plan) << base.name << ": " << plan.error().text();
        const bool large = is_large(base, *plan, wish.empty());
        const std::size_t every = large ? share.large : share.small;
        for (const Mutant& mutant : mutants_of(base, *plan)) {
            const bool named = (mutant.kind + ": " + mutant.what).find(wish) != std::string::npos;
            if (by_name ? named : count++ % every == 0) {
                judge(mutant, base, by_name);
            }
        }
        if (!wish.empty()) {
            std::fprintf(stderr, "%s: %d so far\n", base.name.c_str(), total_.all());
        }
    }
    std::fprintf(stderr, "%s", table().c_str());
    const int harmful = total_.caught + total_.missed;
    EXPECT_GE(total_.caught, k_caught_min * harmful);
    EXPECT_EQ(total_.false_alarms, 0);
}

// What is broken must have been whole before; large ones are looked at in the full run.
TEST(Bases, HoldInBothExplorers) {
    const bool full = std::getenv("DRYDOCK_MUTANTS") != nullptr;
    for (const Base& base : all_bases()) {
        const auto plan = base.plan();
        ASSERT_TRUE(plan) << base.name << ": " << plan.error().text();
        if (is_large(base, *plan, !full) && !full) {
            continue;
        }
        const Mutant whole = {"", base.name, *plan};
        std::string how;
        EXPECT_EQ(harm_of(whole, base, how), Harm::none) << base.name << ": " << how;
        EXPECT_FALSE(is_reported(whole, base, how)) << base.name << ": " << how;
    }
}

}  // namespace
}  // namespace drydock::mutants
