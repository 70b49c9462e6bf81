// Backend.AI's plans: where the way back closes, what a leg leaves out, and that they hold with
// faults.
#include "planner/fixture.h"
#include "planner/ozone_check.h"
#include "planner/way_back_nights.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drydock::planner {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Not;

constexpr const char* k_head = R"(cluster: lab
system: backendai
state: /srv/state
hosts: {here: {connect: local}}
policy: {backups: {path: /backup}}
roles:
)";

constexpr const char* k_database = R"(db_host: 127.0.0.1, db_user: postgres, db_name: backend)";

// Role, settings beside those of the database.
std::string role_text(const std::string& role, const std::string& settings) {
    return fmt::format(R"(  {0}:
    host: here
    service:
      process: {{argv: ["${{release}}/bin/python", -m, {0}], cwd: /srv/{0}, title: "{0}: main",
                pid_file: /srv/{0}/pid, log: /srv/{0}/log}}
    release:
      link: /srv/{0}/current
      versions: {{"23.03.11": /opt/23.03.11, "23.03.12": /opt/23.03.12, "23.09.0": /opt/23.09.0,
                 "23.09.8": /opt/23.09.8, "23.09.10": /opt/23.09.10, "24.03.0": /opt/24.03.0}}
      venv: {{python: /usr/bin/python3.11, pins: {{"23.09.10": /srv/pins/23.09.10.txt}}}}
    settings: {{{1}}}
)",
                       role,
                       settings);
}

std::string cluster_text() {
    const std::string database = k_database;
    return k_head
           + role_text("storage", "url: \"http://127.0.0.1:6022\", config: /srv/storage.toml")
           + role_text(
               "manager",
               database
                   + ", url: \"http://127.0.0.1:8081\", config: /srv/manager.toml, "
                     "alembic_ini: /srv/alembic.ini, keypair: /srv/keys/manager.key_secret, "
                     "db_tools: /usr/bin, access_key: AK, secret_key: SK, "
                     "vfolder_host: \"local:volume1\"")
           + role_text("agent", database + ", agent_id: i-1")
           + role_text("web", "url: \"http://127.0.0.1:8090\", config: /srv/webserver.conf")
           + "members:\n  - {role: storage, name: s1}\n  - {role: manager, name: m1}\n"
             "  - {role: agent, name: a1}\n  - {role: web, name: w1}\n";
}

void set_all(Fixture& site, const std::string& member, const std::map<std::string, Json>& facts) {
    for (const auto& [fact, value] : facts) {
        site.set(member, fact, value);
    }
}

// All four servers run a release on its own schema.
Fixture site_of(const std::string& release, const std::string& head) {
    Fixture site;
    site.pack = load_site_pack("packs/backendai");
    site.cluster = read_site_cluster(cluster_text(), site.pack);
    for (const char* member : {"s1", "m1", "a1", "w1"}) {
        set_all(site,
                member,
                {{"service", "running"},
                 {"installed", release},
                 {"running", release},
                 {"ready", true},
                 {"answers", release},
                 {"reported", release}});
    }
    set_all(site,
            "m1",
            {{"status", "running"},
             {"revision", head},
             {"database_id", "7/backend"},
             {"same_database", true},
             {"sessions", 2},
             {"kernels", 0},
             {"users_without_key", 0},
             {"keypair_bytes", 313},
             {"python_version", "3.11.2"}});
    set_all(site, "w1", {{"settings_old", true}, {"settings_new", true}});
    set_all(site, "", {{"schema", head}, {"pythons", "3.11.2"}});
    return site;
}

std::vector<std::string> ids(const model::Plan& plan) {
    std::vector<std::string> all;
    for (const model::Action& action : plan.actions) {
        all.push_back(action.id);
    }
    return all;
}

model::Plan plan_of(const Fixture& site, const char* from, const char* to) {
    auto compiled = site.compile(from, to);
    EXPECT_TRUE(compiled.plan) << text(compiled);
    return compiled.plan ? *compiled.plan : model::Plan();
}

TEST(Backendai, WithinASeriesTheWayBackStaysOpen) {
    const auto plan = plan_of(site_of("23.09.8", "8b2ec7e3d22a"), "23.09.8", "23.09.10");
    EXPECT_FALSE(plan.point_of_no_return.exists);
    EXPECT_THAT(ids(plan), Contains("migrate/m1/schema"));
    EXPECT_THAT(ids(plan), Not(Contains(HasSubstr("settings"))));
}

TEST(Backendai, ToAnotherSeriesItClosesWithTheMigration) {
    const auto plan = plan_of(site_of("23.03.12", "ae7d4cd92aa7"), "23.03.12", "23.09.0");
    EXPECT_TRUE(plan.point_of_no_return.exists);
    EXPECT_EQ(plan.point_of_no_return.action, "migrate/m1/schema");
    EXPECT_THAT(ids(plan), Contains("migrate/w1/settings-web"));
}

TEST(Backendai, ALegWithoutSchemaWorkHasNoMigration) {
    const auto plan = plan_of(site_of("23.03.11", "ae7d4cd92aa7"), "23.03.11", "23.03.12");
    EXPECT_THAT(ids(plan), Not(Contains("migrate/m1/schema")));
}

// A plan is about a few of the sixty heads.
TEST(Backendai, APlanNamesTheFormatsThatItIsAbout) {
    const auto plan = plan_of(site_of("23.09.8", "8b2ec7e3d22a"), "23.09.8", "23.09.10");
    ASSERT_FALSE(plan.stores.empty());
    EXPECT_EQ(plan.stores.front().formats,
              (std::vector<std::string>{"8b2ec7e3d22a", "75ea2b136830"}));
}

TEST(Backendai, WhatWasNeverRunIsRefused) {
    const auto compiled = site_of("23.09.10", "75ea2b136830").compile("23.09.10", "24.03.0");
    EXPECT_FALSE(compiled.plan);
    EXPECT_THAT(text(compiled), HasSubstr("run on 23.03.11 to 23.09.10 only"));
}

// Its environment is made beside the old one; all else names the scratch folder.
TEST(Backendai, ARehearsalKeepsToTheCopy) {
    Fixture site = site_of("23.03.12", "ae7d4cd92aa7");
    for (const char* fact : {"rehearsed_forward", "rehearsed_back", "rehearsed_ms"}) {
        site.set("m1", fact, nullptr);  // what it finds is no part of the modelled cluster
    }
    const auto compiled = site.compile("23.03.12", "23.09.0", "rehearsal");
    ASSERT_TRUE(compiled.plan) << text(compiled);
    EXPECT_THAT(ids(*compiled.plan),
                IsSupersetOf({"preflight/m1/environment", "walk/m1/forward", "walk/m1/back"}));
    EXPECT_FALSE(compiled.plan->point_of_no_return.exists);
    EXPECT_EQ(checked_as("rehearsal", site, "23.03.12", "23.09.0", {1, 1, 1, 0, 0}), "holds");
    EXPECT_EQ(checked_as("rehearsal", site, "23.03.12", "23.09.0", {1, 1, 1, 1, 0}), "holds");
}

TEST(Backendai, APlanShowsWhatARehearsalFound) {
    Fixture site = site_of("23.03.12", "ae7d4cd92aa7");
    set_all(site,
            "m1",
            {{"rehearsed_forward", true}, {"rehearsed_back", "closed"}, {"rehearsed_ms", 2100}});
    EXPECT_THAT(plan_of(site, "23.03.12", "23.09.0").notes,
                Contains(HasSubstr("2.1 s forward, way back behind the last step: closed")));
    site.set("m1", "rehearsed_forward", false);
    EXPECT_THAT(plan_of(site, "23.03.12", "23.09.0").notes,
                Contains("rehearsed on a copy: the new release failed"));
}

// The walk of the schema stands between the stop of the manager and its start. A manager that has
// not been stopped yet runs the release to which the way back leads.
TEST(Backendai, AManagerThatTheWayBackStopsIsStartedAgain) {
    Fixture site = site_of("23.09.8", "8b2ec7e3d22a");
    site.set("m1", "status", "frozen");
    const auto back = site.compile("23.09.10", "23.09.8", "downgrade");
    ASSERT_TRUE(back.plan) << text(back);
    EXPECT_THAT(ids(*back.plan), IsSupersetOf({"stop/m1/stop-manager", "start/m1/start-manager"}));
    EXPECT_THAT(ids(*back.plan), Not(Contains("start/m1/start-manager-confirmed")));
    EXPECT_THAT(ids(*back.plan), Contains("start/a1/start-agent-confirmed"));
}

TEST(Backendai, LegsHoldThoughStepsFailAndTheConductorDies) {
    const checker::Faults faults = {1, 1, 1, 0, 0};
    EXPECT_EQ(checked(site_of("23.03.11", "ae7d4cd92aa7"), "23.03.11", "23.03.12", faults),
              "holds");
    EXPECT_EQ(checked(site_of("23.09.8", "8b2ec7e3d22a"), "23.09.8", "23.09.10", faults), "holds");
}

TEST(Backendai, LegsHoldThoughAMemberDies) {
    const checker::Faults faults = {0, 0, 0, 1, 1};
    EXPECT_EQ(checked(site_of("23.09.8", "8b2ec7e3d22a"), "23.09.8", "23.09.10", faults), "holds");
}

// The dump was made of a frozen manager, and so are etcd's keys that it brings back.
TEST(Backendai, TheDumpIsPutBackAndTheManagerIsNotLeftFrozen) {
    const Fixture site = site_of("23.09.8", "8b2ec7e3d22a");
    EXPECT_EQ(checked_as("restore", site, "23.09.8", "23.03.12", {1, 1, 1, 0, 0}), "holds");
    const auto restored = site.compile("23.09.8", "23.03.12", "restore");
    ASSERT_TRUE(restored.plan) << text(restored);
    const auto* put_back = restored.plan->find("put-back/m1/database");
    ASSERT_NE(put_back, nullptr);
    ASSERT_EQ(put_back->meanwhile.size(), 1U);
    EXPECT_EQ(put_back->meanwhile.front().kind, model::EffectKind::destroys);
    EXPECT_EQ(put_back->alone, std::vector<std::string>{"database"});
}

// An earlier plan was aborted while the manager was frozen.
TEST(Backendai, AManagerThatIsFoundFrozenDoesNotStaySo) {
    Fixture site = site_of("23.09.8", "8b2ec7e3d22a");
    site.set("m1", "status", "frozen");
    const auto plan = plan_of(site, "23.09.8", "23.09.10");
    ASSERT_EQ(plan.temporaries.size(), 1U);
    EXPECT_EQ(plan.temporaries.front().value.value, Json("running"));
    EXPECT_EQ(checked(site, "23.09.8", "23.09.10", {1, 0, 0, 0, 0}), "holds");
    site.pack = changed_pack("packs/backendai",
                             "procedures/upgrade.yaml",
                             {{"when: [{fact: status, of: any, role: manager, is_not: running}]",
                               "when: [{fact: status, of: any, role: manager, is: gone}]"}});
    EXPECT_THAT(checked(site, "23.09.8", "23.09.10", {0, 0, 0, 0, 0}), HasSubstr("left-behind"));
}

// Nights of ways back, from where the upgrade may have come to.
TEST(Backendai, WaysBackGoWellAtNight) {
    const Nights nights =
        simulate_ways_back(site_of("23.09.8", "8b2ec7e3d22a"), "23.09.8", "23.09.10");
    EXPECT_EQ(nights.wrong, "");
    EXPECT_GE(nights.plans, 3);
}

}  // namespace
}  // namespace drydock::planner
