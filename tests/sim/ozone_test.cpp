// Conductors and agents that die at every place of an Ozone upgrade, of its finalize and of its way
// back: packs/ozone on a simulated site that does what the plan says.
#include "journal/memory/memory_journal.h"
#include "planner/ozone_fixture.h"
#include "run/expected_facts.h"
#include "sim/modelled_system.h"

#include <gmock/gmock.h>

namespace drydock::sim {
namespace {

using planner::k_ozone_own;
using transport::Fault;
using transport::Faults;

constexpr const char* k_new = "2.2.1";
constexpr std::array k_everywhere = {CrashPoint::Moment::before_commit,
                                     CrashPoint::Moment::after_commit,
                                     CrashPoint::Moment::after_send};

// The cluster of the planner's tests, all at rest on the old release.
const planner::Fixture& at_rest() {
    static const planner::Fixture k_site = planner::ozone_fixture(k_ozone_own);
    return k_site;
}

const model::Plan& upgrade() {
    static const model::Plan k_plan = *at_rest().compile(k_ozone_own, k_new).plan;
    return k_plan;
}

// A plan on its simulated site, and a person who approves what it asks.
struct Lake {
    explicit Lake(const model::Plan& what, Faults what_goes_wrong = Faults(1))
        : plan(what)
        , faults(std::move(what_goes_wrong))
        , rehearsed(choose_initial_facts(plan, dice))
        , system(plan, rehearsed, faults)
        , site(system, clock, faults, ground()) {
        EXPECT_EQ(rehearsed.obstacle, "");
    }

    Environment ground() {
        return {[store = store] { return journal::open_memory(store); },
                [this](const model::Plan& run_plan, const ConductorRun& life) {
                    system.repair(life.halt, run::expected_facts(run_plan, life.state));
                },
                [this](const std::string&, std::vector<Violation>&) { approve(); },
                {}};
    }

    // Where a person is asked, nothing of what needs their word may have happened.
    void approve() {
        EXPECT_FALSE(raised()) << "at the gate";
        system.approve();
    }

    SimulationResult run_to_completion(const std::vector<CrashPoint>& deaths) {
        SimulationResult ending = site.run_to_completion(plan, deaths);
        for (Violation& one : check_result(site, plan, ending)) {
            ending.violations.push_back(std::move(one));
        }
        ending.violations.insert(
            ending.violations.end(), system.violations().begin(), system.violations().end());
        return ending;
    }

    [[nodiscard]] bool raised() const {
        return fact("hdds_level") != "4" || fact("om_level") != "3";
    }

    [[nodiscard]] std::string fact(const std::string& key) const {
        const auto book = system.book();
        const auto found = book.find(key);
        return found == book.end() || found->second.status != model::ObservationStatus::known
                   ? "none"
                   : found->second.value.show();
    }

    // How often the actions of this plan took effect; the most of any.
    int effects_max() {
        int most = 0;
        for (const auto& [host, unused] : plan.hosts) {
            for (const auto& [action, count] : site.transport.host(host).effects()) {
                most = std::max(most, count);
            }
        }
        return most;
    }

    const model::Plan& plan;
    transport::FakeClock clock;
    Faults faults;
    Faults dice = Faults(1);
    std::shared_ptr<journal::MemoryStore> store = journal::make_memory_store();
    InitialFacts rehearsed;
    ModelledSystem system;
    Simulation site;
};

std::string text(const std::vector<Violation>& wrongs) {
    std::string all;
    for (const Violation& wrong : wrongs) {
        all += wrong.property + ": " + wrong.description + "\n";
    }
    return all;
}

void expect_all_serve(Lake& lake, const SimulationResult& ending, const std::string& release) {
    EXPECT_EQ(ending.final_state.state.phase(), run::Phase::finished)
        << ending.final_state.halt.dump();
    EXPECT_EQ(text(ending.violations), "");
    for (const std::string& member : members_of(at_rest(), "")) {
        EXPECT_EQ(lake.fact(member + "/running"), release) << member;
    }
    EXPECT_EQ(lake.fact("om1/writes"), "accepted");
}

void expect_finalized(Lake& lake, const SimulationResult& ending) {
    expect_all_serve(lake, ending, k_new);
    EXPECT_EQ(lake.fact("hdds_level"), "10");
    EXPECT_EQ(lake.fact("om_level"), "9");
}

void expect_back(Lake& lake, const SimulationResult& ending) {
    expect_all_serve(lake, ending, k_ozone_own);
    EXPECT_FALSE(lake.raised());
}

// The way back from what a survey would find on that site.
model::Plan way_back(Lake& lake) {
    lake.site.advance_time(10'000);
    planner::Fixture found = at_rest();
    for (auto& [key, observation] : lake.system.book()) {
        found.facts[key] = std::move(observation);
    }
    auto compiled = found.compile(k_new, k_ozone_own, "downgrade");
    EXPECT_TRUE(compiled.plan) << planner::text(compiled);
    return compiled.plan ? std::move(*compiled.plan) : model::Plan();
}

model::Plan downgrade() {
    Lake lake(upgrade());
    EXPECT_EQ(lake.site.conduct(upgrade()).gate, "finalize");
    return way_back(lake);
}

// Records that the conductors of a plan write when they live: before its gate and after it.
std::vector<std::uint64_t> records_of_lives(const model::Plan& plan) {
    Lake lake(plan);
    std::vector<std::uint64_t> records;
    for (bool approve = false; true; approve = true) {
        const ConductorRun life = lake.site.conduct(plan, {}, approve);
        records.push_back(life.records);
        if (life.gate.empty()) {
            return records;
        }
        lake.approve();
    }
}

// Each conductor of the plan dies at each of its records; whoever is next ends it well. Hosts live,
// and know what they did: nothing at all happens twice.
template <class Expect>
int die_everywhere(const model::Plan& plan, const Expect& expect) {
    int deaths = 0;
    const auto lives = records_of_lives(plan);
    for (std::size_t life = 0; life < lives.size(); ++life) {
        for (std::uint64_t record = 1; record <= lives[life]; ++record) {
            for (const auto where : k_everywhere) {
                SCOPED_TRACE(testing::Message() << "life " << life << " dies at record " << record
                                                << " in way " << static_cast<int>(where));
                Lake lake(plan);
                std::vector<CrashPoint> before(life);
                before.push_back({record, where});
                expect(lake, lake.run_to_completion(before));
                EXPECT_EQ(lake.effects_max(), 1);
                ++deaths;
            }
        }
    }
    return deaths;
}

TEST(OzoneCrash, FinalizesWhereverTheConductorDies) {
    EXPECT_GT(die_everywhere(upgrade(), expect_finalized), 150);
}

TEST(OzoneCrash, GoesBackWhereverTheConductorOfTheWayBackDies) {
    EXPECT_GT(die_everywhere(downgrade(), expect_back), 100);
}

TEST(OzoneCrash, GoesBackFromWhereverAnUpgradeWasLeft) {
    const std::uint64_t records = records_of_lives(upgrade()).front();
    for (std::uint64_t record = 1; record <= records; ++record) {
        for (const auto where : k_everywhere) {
            SCOPED_TRACE(testing::Message()
                         << "left at record " << record << " in way " << static_cast<int>(where));
            Lake left(upgrade());
            (void)left.site.conduct(upgrade(), {record, where});
            const auto plan = way_back(left);
            Lake lake(plan);
            expect_back(lake, lake.run_to_completion({}));
        }
    }
}

class OzoneAgentDies : public testing::TestWithParam<Fault> {};

// What an agent leaves half done is asked of the world, or repeated where that may be.
TEST_P(OzoneAgentDies, FinalizesWhereverItDies) {
    Lake counted(upgrade());
    expect_finalized(counted, counted.run_to_completion({}));
    const int places = counted.faults.opportunities(GetParam());
    ASSERT_GT(places, 30);
    // Between are the pings of a long soak, which are all alike.
    constexpr int k_each = 150;
    constexpr int k_apart = 50;
    for (int nth = 1; nth <= places; nth += nth < k_each || nth > places - k_each ? 1 : k_apart) {
        SCOPED_TRACE(testing::Message() << name_of(GetParam()) << ", action " << nth);
        Lake lake(upgrade(), Faults::at(1, GetParam(), nth));
        expect_finalized(lake, lake.run_to_completion({}));
        EXPECT_EQ(lake.faults.injected(GetParam()), 1);
    }
}

INSTANTIATE_TEST_SUITE_P(Everywhere,
                         OzoneAgentDies,
                         testing::Values(Fault::interrupted_at_once,
                                         Fault::interrupted_before_effect,
                                         Fault::interrupted_after_effect,
                                         Fault::interrupted_before_result,
                                         Fault::answer_lost));

// Without its gate the very same plan is caught: what judges here does see it.
TEST(OzoneCrash, SeesAFinalizeThatNobodyApproved) {
    Lake lake(upgrade());
    (void)lake.site.conduct(upgrade());
    lake.system.take_effect(*upgrade().find("finalize/scm1/hdds"));
    ASSERT_EQ(lake.system.violations().size(), 1U);
    EXPECT_EQ(lake.system.violations().front().property, "unasked-return-point");
}

}  // namespace
}  // namespace drydock::sim
