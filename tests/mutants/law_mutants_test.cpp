// Plans that break a law of what really happens: each operator's mutants are caught by the property
// that it names, wherever the reference explorer finds it broken, and nothing else is reported.
//
// DRYDOCK_LAW_MUTANTS=<part of a name> takes those alone, and tells of each, with the traces.
#include "mutants/budgets.h"
#include "mutants/mutate_laws.h"
#include "reference/reference.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

namespace drydock::mutants {
namespace {

using checker::Property;
using Names = std::set<Property>;

// Full stops seldom hold under it: the old release comes up again between the stop and the install.
constexpr checker::Faults k_start_by_itself = {0, 0, 0, 0, 0, 1};

struct Tally {
    int caught = 0;
    int by_others = 0;  // by other properties alone
    int harmless = 0;
    int differ = 0;
    int undecided = 0;
    Names found = {};

    [[nodiscard]] int all() const { return caught + by_others + harmless + differ + undecided; }
};

// Part of a name; empty: all mutants, and nothing is told.
std::string wish() {
    const char* env = std::getenv("DRYDOCK_LAW_MUTANTS");
    return env == nullptr ? "" : env;
}

// What both say of a mutant, with any of the budgets.
struct Said {
    Names slow;
    Names fast;
    bool same = true;
    bool whole = true;
};

Names names_of(const reference::Verdict& verdict) {
    Names names;
    for (const auto& [property, finding] : verdict.broken) {
        names.insert(property);
    }
    return names;
}

Names names_of(const checker::Report& report) {
    Names names;
    for (const checker::Violation& violation : report.violations) {
        names.insert(violation.property);
    }
    return names;
}

std::string show(const Names& names) {
    std::string text;
    for (const Property one : names) {
        text += (text.empty() ? "" : ", ") + std::string(checker::name_of(one));
    }
    return text.empty() ? "nothing" : text;
}

void tell(const checker::Report& report) {
    for (const checker::Violation& violation : report.violations) {
        std::fprintf(
            stderr, "%s: %s\n", name_of(violation.property).data(), violation.because.c_str());
        for (const auto& step : violation.story) {
            std::fprintf(stderr, "  %s\n", step.trace.dump().c_str());
        }
    }
}

// Where both explorers say the same, with a budget that may be too large for the plan to hold.
bool agree(const model::Plan& plan, checker::Options options, const checker::Faults& faults) {
    options.faults = faults;
    const auto slow = reference::explore(plan, {faults, options.compile_downgrade, k_worlds_max});
    return !slow.whole || names_of(slow) == names_of(checker::check(plan, options));
}

Said said_of(const Base& base, const Mutant& mutant) {
    Said said;
    checker::Options options;
    options.compile_downgrade = mutant.back ? mutant.back : base.back();
    options.threads = 1;
    for (const checker::Faults& faults : budgets_of(base)) {
        options.faults = faults;
        const auto slow =
            reference::explore(mutant.plan, {faults, options.compile_downgrade, k_worlds_max});
        const checker::Report report = checker::check(mutant.plan, options);
        said.whole = said.whole && slow.whole;
        said.same = said.same && (!slow.whole || names_of(slow) == names_of(report));
        said.slow.merge(names_of(slow));
        said.fast.merge(names_of(report));
        if (!wish().empty()) {
            tell(report);
        }
    }
    said.same = said.same && agree(mutant.plan, options, k_start_by_itself);
    return said;
}

void count(const Said& said, Property expected, Tally& tally) {
    const bool named = said.fast.contains(expected);
    tally.undecided += said.whole ? 0 : 1;
    tally.differ += said.whole && !said.same ? 1 : 0;
    tally.harmless += said.whole && said.same && said.fast.empty() ? 1 : 0;
    tally.caught += said.whole && said.same && named ? 1 : 0;
    tally.by_others += said.whole && said.same && !named && !said.fast.empty() ? 1 : 0;
    tally.found.insert(said.fast.begin(), said.fast.end());
}

std::string row(const LawOperator& law, const Tally& tally) {
    return fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |\n",
                       law.law,
                       law.name,
                       checker::name_of(law.caught_by),
                       tally.all(),
                       tally.caught,
                       tally.by_others,
                       tally.harmless,
                       tally.differ,
                       tally.undecided,
                       show(tally.found));
}

Tally judge_all(const LawOperator& law, const std::vector<Base>& bases) {
    Tally tally;
    for (const Base& base : bases) {
        const auto plan = base.plan();
        EXPECT_TRUE(plan) << base.name << ": " << plan.error().text();
        for (const Mutant& mutant : law.mutants(base, *plan, law.name)) {
            const std::string what = mutant.kind + ": " + mutant.what;
            if (what.find(wish()) == std::string::npos) {
                continue;
            }
            const Said said = said_of(base, mutant);
            count(said, law.caught_by, tally);
            const std::string told = fmt::format("{}: the reference says {}, the checker {}{}\n",
                                                 what,
                                                 show(said.slow),
                                                 show(said.fast),
                                                 said.whole ? "" : " (undecided)");
            EXPECT_TRUE(said.same) << told;
            if (!wish().empty()) {
                std::fprintf(stderr, "%s", told.c_str());
            }
        }
    }
    return tally;
}

// Those of the laws, and the small ones of before in which a member may start by itself.
std::vector<Base> bases_under_laws() {
    std::vector<Base> bases = law_bases();
    for (Base& base : all_bases()) {
        if (base.name == "migrate upgrade" || base.name.starts_with("when-all")) {
            bases.push_back(std::move(base));
        }
    }
    return bases;
}

// What is broken must have been whole before.
TEST(LawMutants, AreOfPlansThatHold) {
    for (const Base& base : law_bases()) {
        const auto plan = base.plan();
        ASSERT_TRUE(plan) << base.name << ": " << plan.error().text();
        const Said said = said_of(base, {"", base.name, *plan});
        EXPECT_TRUE(said.whole && said.same) << base.name;
        EXPECT_EQ(show(said.slow), "nothing") << base.name;
        EXPECT_EQ(show(said.fast), "nothing") << base.name;
    }
}

TEST(LawMutants, AreCaughtByThePropertyOfTheirLaw) {
    const std::vector<Base> bases = bases_under_laws();
    std::string table;
    for (const LawOperator& law : law_operators()) {
        const Tally tally = judge_all(law, bases);
        table += row(law, tally);
        if (wish().empty()) {
            EXPECT_GE(tally.caught, 1) << law.name;
        }
        EXPECT_EQ(tally.by_others + tally.undecided, 0) << law.name;
    }
    std::fprintf(stderr,
                 "| law | operator | property | mutants | caught | by others only | harmless | "
                 "differ | undecided | found |\n| --: | --- | --- | --: | --: | --: | --: | --: | "
                 "--: | --- |\n%s",
                 table.c_str());
}

}  // namespace
}  // namespace drydock::mutants
