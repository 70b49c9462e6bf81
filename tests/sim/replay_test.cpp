// Stories of the checker come about in the simulator, with the real runner and journal, and break
// the same thing there: those of known failures, and those of mutants. DRYDOCK_TELL=1 prints each.
#include "mutants/mutate.h"
#include "sim/replay_counterexample.h"
#include "sim/simulate_seed.h"
#include "trial/trial.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cstdlib>
#include <map>

namespace drydock::sim {
namespace {

using testing::HasSubstr;

Json trace_of(const checker::Violation& violation) {
    Json trace = Json::Array{};
    for (const checker::TraceStep& step : violation.story) {
        trace.push(step.trace);
    }
    return trace;
}

// Some plans that are made for the checker alone read facts on hosts that they do not have.
bool has_hosts(const model::Plan& plan) {
    return std::all_of(plan.sources.begin(), plan.sources.end(), [&](const auto& one) {
        return one.second.is_derived() || plan.hosts.contains(one.second.host);
    });
}

struct Tally {
    int broke = 0;     // the same property
    int stopped = 0;   // at a turn that did not come about
    int unbroken = 0;  // all turns did, and nothing broke
    int helped = 0;    // stuck, and brought to an end by a person who repairs and tries again
    int unjudged = 0;  // ... and the simulator does not judge the property
};

void replay_all(const std::string& name,
                const model::Plan& plan,
                const checker::Report& report,
                Tally& tally) {
    for (const checker::Violation& violation : report.violations) {
        const std::string property(name_of(violation.property));
        const auto replayed = replay(plan, property, trace_of(violation));
        ASSERT_TRUE(replayed) << replayed.error().text();
        if (std::getenv("DRYDOCK_TELL") != nullptr) {
            fmt::print("{} {}: {} {}/{} {}\n",
                       name,
                       property,
                       replayed->is_reproduced ? "BREAKS" : "no",
                       replayed->steps_replayed,
                       replayed->steps,
                       replayed->divergence);
            if (!replayed->is_reproduced) {
                fmt::print("    {}\n    {}\n", trace_of(violation).dump(), violation.because);
            }
        }
        if (replayed->is_reproduced) {
            ++tally.broke;
        } else if (!replayed->divergence.empty()) {
            EXPECT_THAT(replayed->divergence, HasSubstr("did not come about"));
            ++tally.stopped;
        } else if (violation.property == checker::Property::stuck) {
            ++tally.helped;
        } else {
            ++(replayed->is_judged ? tally.unbroken : tally.unjudged);
        }
    }
}

TEST(SimReplay, KnownFailuresBreakTheSameThing) {
    Tally tally;
    const auto cases = trial::read_cases(DRYDOCK_SOURCE_DIR "/tests/known");
    ASSERT_TRUE(cases) << cases.error().text();
    for (const trial::Case& about : *cases) {
        if (about.stage != trial::Stage::check) {
            continue;
        }
        const auto failing = trial::try_twin(about, "failing", {DRYDOCK_SOURCE_DIR "/packs", ""});
        ASSERT_TRUE(failing) << failing.error().text();
        ASSERT_TRUE(failing->checked) << about.folder;
        replay_all(about.folder, failing->checked->plan, failing->checked->report, tally);
    }
    EXPECT_GE(tally.broke, 46);
    // In five a member dies before the program begins or goes on, which compares the world first.
    // In two an election comes, or a death, while the real run halts already.
    EXPECT_LE(tally.stopped, 7);
    EXPECT_LE(tally.helped, 2);  // the simulator does not mind who is down at the end
    EXPECT_EQ(tally.unbroken, 0);
}

TEST(SimReplay, MutantsBreakTheSameThing) {
    constexpr std::size_t k_every = 18;
    Tally tally;
    std::size_t at = 0;
    for (const mutants::Base& base : mutants::all_bases()) {
        const auto plan = base.plan();
        if (!plan || !has_hosts(*plan)) {
            continue;  // tests/mutants asks for all of them
        }
        for (const mutants::Mutant& mutant : mutants::mutants_of(base, *plan)) {
            if (at++ % k_every != 0) {
                continue;
            }
            checker::Options options;
            options.faults = {1, 0, 1, 1, 0};
            options.threads = 1;
            options.memory_max = std::size_t{64} << 20U;
            replay_all(mutant.what, mutant.plan, checker::check(mutant.plan, options), tally);
        }
    }
    EXPECT_GT(tally.broke, 5);
    EXPECT_EQ(tally.unbroken, 0);
}

// True for a plan in which the checker finds nothing; an offline plan, whose members are all down
// for a while, needs a person who looks at each resume. A way back needs the run that it reverts in
// its journal.
bool goes_well(const model::Plan& plan) {
    checker::Options options;
    options.faults = {1, 0, 1, 1, 0};
    options.threads = 1;
    options.memory_max = std::size_t{64} << 20U;
    return plan.kind == "rolling" && plan.reverts_run.empty() && has_hosts(plan)
           && checker::check(plan, options).violations.empty();
}

// Right plans of all packs, in nights in which anything may fail.
TEST(SimReplay, PlansThatAreRightGoWellWhateverFails) {
    constexpr std::uint64_t k_seeds = 25;
    int nights = 0;
    for (const mutants::Base& base : mutants::all_bases()) {
        const auto plan = base.plan();
        if (!plan || !goes_well(*plan)) {
            continue;
        }
        for (std::uint64_t seed = 1; seed <= k_seeds; ++seed) {
            const auto night = simulate(*plan, seed);
            if (!night) {
                EXPECT_EQ(night.error().code, "sim.obstacle") << base.name;
                break;
            }
            ++nights;
            for (const Violation& wrong : night->violations) {
                ADD_FAILURE() << base.name << ", seed " << seed << ": " << wrong.property << ": "
                              << wrong.description;
            }
        }
    }
    EXPECT_GE(nights, 300);
}

TEST(SimReplay, SaysAtWhichTurnAStoryCannotBeTold) {
    const auto base = mutants::all_bases().front();
    const auto plan = base.plan();
    ASSERT_TRUE(plan);
    Json turn = Json::Object{{"what", "done"}, {"action", plan->actions.back().id}};
    const auto early = replay(*plan, "quorum", Json(Json::Array{turn}));
    ASSERT_TRUE(early);
    EXPECT_THAT(early->divergence, HasSubstr("turn 1 of 1 (done " + plan->actions.back().id));
    turn.set("action", "no/such");
    const auto unknown = replay(*plan, "quorum", Json(Json::Array{turn}));
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, "replay.trace");
}

}  // namespace
}  // namespace drydock::sim
