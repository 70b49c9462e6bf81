// Plans of packs/ozone as text, from the states in which a cluster may be found. DRYDOCK_ACCEPT=1
// records them anew; read the diff before committing it.
#include "planner/golden.h"
#include "planner/ozone_fixture.h"

#include <gmock/gmock.h>

namespace drydock::planner {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* k_old = k_ozone_own;
constexpr const char* k_new = "2.2.1";

void stop_all(Fixture& site) {
    for (const std::string& member : members_of(site, "")) {
        ozone_stop(site, member);
    }
}

void swap_all(Fixture& site, const std::string& version) {
    for (const std::string& member : members_of(site, "")) {
        site.set(member, "installed", version);
    }
}

void start_all(Fixture& site) {
    for (const std::string& member : members_of(site, "")) {
        ozone_start(site, member);
    }
}

void prepare(Fixture& site) {
    for (const std::string& member : members_of(site, "om")) {
        site.set(member, "writes", "refused");
    }
}

Fixture pre_finalized() {
    Fixture site = ozone_fixture(k_old);
    swap_all(site, k_new);
    start_all(site);
    return site;
}

TEST(OzoneGolden, AtRest) {
    expect_golden("ozone", ozone_fixture(k_old).compile(k_old, k_new));
}

TEST(OzoneGolden, PreparedAndNotStopped) {
    Fixture site = ozone_fixture(k_old);
    prepare(site);
    expect_golden("ozone-prepared", site.compile(k_old, k_new));
    // Nothing was stopped, so nothing is: only the preparation is taken back.
    expect_golden("ozone-prepared-back", site.compile(k_new, k_old, "downgrade"));
}

TEST(OzoneGolden, HalfStopped) {
    Fixture site = ozone_fixture(k_old);
    prepare(site);
    ozone_stop(site, "om1");
    ozone_stop(site, "dn2");
    expect_golden("ozone-half-stopped", site.compile(k_old, k_new));
    expect_golden("ozone-half-stopped-back", site.compile(k_new, k_old, "downgrade"));
}

TEST(OzoneGolden, HalfSwapped) {
    Fixture site = ozone_fixture(k_old);
    prepare(site);
    stop_all(site);
    for (const char* member : {"scm1", "dn1", "dn3"}) {
        site.set(member, "installed", k_new);
    }
    expect_golden("ozone-half-swapped", site.compile(k_old, k_new));
    expect_golden("ozone-half-swapped-back", site.compile(k_new, k_old, "downgrade"));
}

TEST(OzoneGolden, AllStartedAndOneOmStillPrepared) {
    Fixture site = ozone_fixture(k_old, 3);
    prepare(site);
    swap_all(site, k_new);
    start_all(site);
    site.set("om1", "writes", "accepted");
    site.set("om2", "writes", "accepted");
    expect_golden("ozone-without-flag", site.compile(k_old, k_new));
}

TEST(OzoneGolden, PreFinalized) {
    expect_golden("ozone-pre-finalized", pre_finalized().compile(k_old, k_new));
    expect_golden("ozone-pre-finalized-back", pre_finalized().compile(k_new, k_old, "downgrade"));
}

// It has written with the new release and was never prepared: it has to come up once more.
TEST(OzoneGolden, AnOmDiedPreFinalized) {
    Fixture site = pre_finalized();
    ozone_stop(site, "om1");
    expect_golden("ozone-om-died-back", site.compile(k_new, k_old, "downgrade"));
    ozone_stop(site, "scm1");  // and SCM, without which it does not come up
    expect_golden("ozone-om-and-scm-died-back", site.compile(k_new, k_old, "downgrade"));
}

TEST(OzoneGolden, FinalizedByHand) {
    Fixture site = pre_finalized();
    ozone_layouts(site, "10", "3");
    start_all(site);
    expect_golden("ozone-scm-finalized", site.compile(k_old, k_new));
    expect_golden("ozone-back-closed", site.compile(k_new, k_old, "downgrade"));
}

TEST(OzoneGolden, Restore) {
    Fixture site = ozone_fixture(k_new);
    expect_golden("ozone-restore", site.compile(k_new, k_old, "restore"));
}

// The gate and the steps behind it follow from the layouts of the two releases.
TEST(OzonePlans, FinalizeOnlyWhatRises) {
    const auto outline_of = [](const char* from, const char* to) {
        return outline(*ozone_fixture(from).compile(from, to).plan);
    };
    const std::string equal = outline_of("1.4.0", "1.4.1");
    EXPECT_THAT(equal, Not(HasSubstr("GATE")));
    EXPECT_THAT(equal, Not(HasSubstr("finalize/")));
    EXPECT_THAT(equal, HasSubstr("no return: none"));
    EXPECT_THAT(
        equal,
        HasSubstr("finalize is left out: both releases write hdds 7; both releases write om 6"));
    const std::string hdds = outline_of("2.0.0", "2.1.0");
    EXPECT_THAT(hdds, HasSubstr("finalize/scm1/hdds"));
    EXPECT_THAT(hdds, Not(HasSubstr("finalize/om1/om ")));
    EXPECT_THAT(hdds, HasSubstr("no return: finalize/scm1/hdds (on_finalize of hdds"));
    const std::string both = outline_of("1.4.1", "2.0.0");
    EXPECT_THAT(both, HasSubstr("finalize/om1/om "));
}

TEST(OzonePlans, AreRefusedWhereARiskIsPresent) {
    Fixture site = ozone_fixture("1.4.1");
    site.set("scm1", "scm_ha", false);
    EXPECT_THAT(text(site.compile("1.4.1", "2.0.0")), HasSubstr("ratis-conversion"));
    site.set("scm1", "scm_ha", true);
    EXPECT_THAT(text(site.compile("1.4.1", "2.0.0")), IsEmpty());
    site.set("scm1", "healthy_nodes", 2);
    EXPECT_THAT(text(site.compile("1.4.1", "2.1.0")), HasSubstr("datanodes-for-safe-mode"));
}

// One command, sent once, makes all of them refuse writes.
TEST(OzonePlans, PrepareConcernsEveryOm) {
    const auto compiled = ozone_fixture(k_old, 3).compile(k_old, k_new);
    std::vector<std::string> refusing;
    for (const model::Effect& effect : compiled.plan->find("prepare/om1/prepare")->effects) {
        refusing.push_back(effect.member + " " + effect.name + " " + effect.value.show());
    }
    EXPECT_THAT(refusing,
                ElementsAre("om1 writes refused", "om2 writes refused", "om3 writes refused"));
}

TEST(OzonePlans, GoOnWithoutRecon) {
    for (const auto& plan : {ozone_fixture(k_old).compile(k_old, k_new).plan,
                             pre_finalized().compile(k_old, k_new).plan,
                             pre_finalized().compile(k_new, k_old, "downgrade").plan}) {
        const auto is_last_of = [&](const char* member, const model::Action& action) {
            return action.member == member
                   && (action.verb == model::Verb::start || action.verb == model::Verb::wait);
        };
        for (const model::Action& action : plan->actions) {
            EXPECT_EQ(action.optional, is_last_of("recon1", action)) << action.id;
        }
    }
}

TEST(OzonePlans, KnowWhereAClusterStands) {
    const auto from = [](const Fixture& site) {
        return *current_version(site.pack, site.cluster, site.facts, k_new);
    };
    EXPECT_EQ(from(ozone_fixture(k_old)), k_old);
    EXPECT_EQ(from(pre_finalized()), k_old);
    EXPECT_EQ(from(ozone_fixture(k_new)), k_new);
}

}  // namespace
}  // namespace drydock::planner
