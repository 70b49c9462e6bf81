// The checker and the reference explorer come to the same verdict on small random plans: the same
// properties are broken, by stories of the same length.
//
// DRYDOCK_SEEDS: how many plans (default 500). DRYDOCK_SEED: only this one, with its stories.
#include "reference/laws_used.h"
#include "reference/random.h"
#include "reference/random_plan.h"
#include "reference/reference.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace drydock::reference {
namespace {

constexpr std::size_t k_worlds_max = 3'000;  // larger plans are left out, and others drawn
constexpr std::size_t k_worlds_under_laws_max = 1'000;
constexpr std::size_t k_worlds_of_one_max = 1'000'000;  // where one seed is asked for

constexpr std::string_view k_never = "even if nothing fails";

std::string show(const checker::Report& report) {
    Verdict verdict;
    for (const checker::Violation& violation : report.violations) {
        verdict.broken[violation.property].length = static_cast<int>(violation.story.size());
        verdict.never = verdict.never || violation.because.find(k_never) != std::string::npos;
    }
    return show(verdict);
}

std::string outline(const Drawn& drawn) {
    std::string out = fmt::format("{} {} {} -> {}, faults {}\n",
                                  drawn.plan.kind,
                                  drawn.plan.procedure,
                                  drawn.plan.from_version,
                                  drawn.plan.to_version,
                                  checker::show(drawn.faults));
    return out + to_json(drawn.plan).pretty() + "\n";
}

std::string stories(const Verdict& verdict) {
    std::string out;
    for (const auto& [property, finding] : verdict.broken) {
        out += fmt::format("{}:\n", checker::name_of(property));
        for (const std::string& step : finding.story) {
            out += "  " + step + "\n";
        }
    }
    return out;
}

std::string traces(const checker::Report& report) {
    std::string out;
    for (const checker::Violation& violation : report.violations) {
        out += fmt::format("{}: {}\n", checker::name_of(violation.property), violation.because);
        for (const checker::TraceStep& step : violation.story) {
            out += "  " + step.trace.dump() + "\n";
        }
    }
    return out;
}

struct Tally {
    int plans = 0;
    int differ = 0;
    int smaller = 0;  // by late names
    std::size_t worlds = 0;
    std::map<std::string, int> broken;
    std::map<LawAndProperty, Outcomes> laws;  // how often a plan with the law broke the property
};

// Whether the plan was small enough to be compared.
bool compare(std::uint64_t seed,
             const Drawn& drawn,
             std::size_t downgrade_starts_max,
             bool tell,
             Tally& tally) {
    Request request = {drawn.faults, drawn.back, downgrade_starts_max};
    const Verdict slow = explore(drawn.plan, request);
    request.pace = Pace::plain;
    const Verdict plain = explore(drawn.plan, request);
    if (!slow.whole || !plain.whole) {
        return false;
    }
    tally.differ += names(plain) == names(slow) ? 0 : 1;
    EXPECT_EQ(names(plain), names(slow))
        << "seed " << seed << ", plain and brisk differ: " << show(plain) << "; " << show(slow);
    checker::Options options;
    options.faults = drawn.faults;
    options.compile_downgrade = drawn.back;
    options.threads = 1;
    options.lazy_identity = false;
    const checker::Report named = checker::check(drawn.plan, options);
    EXPECT_EQ(show(named), show(slow)) << "seed " << seed << ", with all names";
    options.lazy_identity = true;
    for (const bool symmetry : {true, false}) {
        options.symmetry = symmetry;
        const checker::Report fast = checker::check(drawn.plan, options);
        const bool same = show(fast) == show(slow);
        tally.smaller += symmetry && fast.states < named.states ? 1 : 0;
        tally.differ += same ? 0 : 1;
        EXPECT_EQ(show(fast), show(slow))
            << "seed " << seed << (symmetry ? "" : ", without symmetry") << ": the checker says "
            << show(fast) << ", the reference " << show(slow);
        if (tell) {
            std::fprintf(stderr,
                         "%s\nthe checker:\n%s\nthe reference:\n%s\nat the plain pace:\n%s",
                         symmetry ? outline(drawn).c_str() : "",
                         traces(fast).c_str(),
                         stories(slow).c_str(),
                         stories(plain).c_str());
        }
    }
    ++tally.plans;
    tally.worlds += slow.worlds;
    ++tally.broken[slow.broken.empty() ? "nothing" : ""];
    for (const auto& [property, finding] : slow.broken) {
        ++tally.broken[std::string(checker::name_of(property))];
    }
    for (const LawAndProperty& law : laws_used(drawn)) {
        ++(slow.broken.contains(law.property) ? tally.laws[law].broken : tally.laws[law].held);
    }
    return true;
}

Tally compare_many(Drawn (*draw_one)(std::uint64_t),
                   std::uint64_t plans,
                   std::size_t worlds_max = k_worlds_max) {
    Tally tally;
    if (const std::uint64_t only = number_from("DRYDOCK_SEED", 0); only != 0) {
        compare(only, draw_one(only), k_worlds_of_one_max, true, tally);
        return tally;
    }
    std::uint64_t seed = 1;
    for (; static_cast<std::uint64_t>(tally.plans) < plans; ++seed) {
        compare(seed, draw_one(seed), worlds_max, false, tally);
    }
    std::string table =
        fmt::format("{} plans of {} drawn, {} worlds; {} with fewer states by late names\n",
                    tally.plans,
                    seed - 1,
                    tally.worlds,
                    tally.smaller);
    for (const auto& [name, count] : tally.broken) {
        table += name.empty() ? "" : fmt::format("  {:<22}{}\n", name, count);
    }
    std::fprintf(stderr, "%s", table.c_str());
    EXPECT_EQ(tally.differ, 0) << "DRYDOCK_SEED=<seed> shows one plan and its stories";
    return tally;
}

TEST(Agree, OnSmallRandomPlans) {
    compare_many(draw, number_from("DRYDOCK_SEEDS", 500));
}

// Where the plan comes to one after the other, who is who is left open until then.
TEST(Agree, OnChainsOfMembersThatAreAlike) {
    compare_many(draw_chain, number_from("DRYDOCK_SEEDS", 500) / 5);
}

// Steps that have nothing to do with each other are tried in one order.
TEST(Agree, OnPlansWithErrands) {
    compare_many(draw_errands, number_from("DRYDOCK_SEEDS", 500) / 5);
}

// Each law of docs/design/0014 is drawn often enough, and what it is about breaks and holds.
TEST(Agree, OnPlansUnderLawsOfWhatHappens) {
    const std::uint64_t plans = number_from("DRYDOCK_SEEDS", 500);
    const Tally tally = compare_many(draw_laws, plans, k_worlds_under_laws_max);
    if (number_from("DRYDOCK_SEED", 0) != 0) {
        return;
    }
    const int enough = static_cast<int>(plans / 150);
    for (const LawAndProperty& law : k_laws_of_what_happens) {
        const auto found = tally.laws.find(law);
        const Outcomes outcomes = found == tally.laws.end() ? Outcomes() : found->second;
        std::fprintf(stderr,
                     "  %-18s %-22s broken %4d, held %4d\n",
                     std::string(law.law).c_str(),
                     std::string(checker::name_of(law.property)).c_str(),
                     outcomes.broken,
                     outcomes.held);
        EXPECT_GE(outcomes.broken, enough) << law.law;
        EXPECT_GE(outcomes.held, enough) << law.law;
    }
}

// 1827, 5059: a law that held before the plan began needs no copy now; 2546: releases that serve
// apart before the plan began; 3197: members without a step of their own, one of them down; 1764: a
// probe that a host's return settles. Of the chains, 846: a step that its host's loss settles, in a
// story. Under laws of what happens, 118: a role that nobody leads opens what is the leader's; 150:
// another one still runs on a store that is left; 336: a restart that takes another member down;
// 566: what a way back must bring back; 686: a clean stop that nobody has to take back; 314, 355,
// 594: a start that must be alone, where only the step tells its release.
TEST(Agree, OnPlansThatOnceDiffered) {
    Tally tally;
    for (const std::uint64_t seed : {1764U, 1827U, 2546U, 3197U, 5059U}) {
        EXPECT_TRUE(compare(seed, draw(seed), k_worlds_of_one_max, false, tally)) << seed;
    }
    EXPECT_TRUE(compare(846, draw_chain(846), k_worlds_of_one_max, false, tally));
    for (const std::uint64_t seed : {118U, 150U, 314U, 336U, 355U, 566U, 594U, 686U}) {
        EXPECT_TRUE(compare(seed, draw_first_laws(seed), k_worlds_of_one_max, false, tally))
            << seed;
    }
    EXPECT_EQ(tally.differ, 0);
}

}  // namespace
}  // namespace drydock::reference
