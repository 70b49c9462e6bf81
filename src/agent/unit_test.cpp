// What is read of `systemctl show`. Real units stand in tests/field/hosts.
#include "agent/unit.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace drydock::agent {
namespace {

using Phase = ServiceState::Phase;

UnitProperties unit(const std::string& active) {
    return parse_properties(
        "Id=etcd.service\nLoadState=loaded\nActiveState=" + active
        + "\nSubState=x\nResult=success\nNRestarts=3\nTimeoutStopUSec=1min 30s\nDropInPaths=\n"
          "ExecStart={ path=/usr/bin/etcd ; argv[]=/usr/bin/etcd --name=a ; ignore_errors=no }\n");
}

TEST(Units, HaveThePhaseThatSystemdTells) {
    EXPECT_EQ(phase_of(unit("active")), Phase::running);
    EXPECT_EQ(phase_of(unit("activating")), Phase::starting);
    EXPECT_EQ(phase_of(unit("reloading")), Phase::starting);
    EXPECT_EQ(phase_of(unit("deactivating")), Phase::stopping);
    EXPECT_EQ(phase_of(unit("inactive")), Phase::stopped);
    EXPECT_EQ(phase_of(unit("failed")), Phase::failed);
    EXPECT_EQ(phase_of(unit("maintenance")), Phase::unknown);
    EXPECT_EQ(phase_of({}), Phase::unknown);
}

TEST(Units, TellTheirProgram) {
    EXPECT_EQ(program_of(unit("active")), "/usr/bin/etcd");
    EXPECT_EQ(program_of(parse_properties("ExecStart=\n")), "");
    EXPECT_EQ(program_of({}), "");
}

TEST(Units, TellWhatAPersonWantsToSee) {
    const Json evidence = evidence_of(unit("active"));
    EXPECT_EQ(evidence["restarts"].as_string(), "3");
    EXPECT_EQ(evidence["stop_within_ms"].as_int(), 90'000);
    EXPECT_FALSE(evidence["masked"].as_bool(true));
    EXPECT_FALSE(evidence.contains("drop_ins"));
}

TEST(Units, TellTimesInTheWordsOfSystemd) {
    EXPECT_EQ(parse_span_ms("1min 30s"), 90'000);
    EXPECT_EQ(parse_span_ms("500ms"), 500);
    EXPECT_EQ(parse_span_ms("2h"), 7'200'000);
    EXPECT_EQ(parse_span_ms("infinity"), -1);
    EXPECT_EQ(parse_span_ms(""), -1);
    EXPECT_EQ(parse_span_ms("3 years"), -1);
}

// Nobody answers for a unit that is not there, wherever the test runs.
TEST(Units, ThatAreNotThereAreAnError) {
    const auto properties = show_unit("drydock-has-no-such-unit.service", 5'000);
    ASSERT_FALSE(properties);
    EXPECT_FALSE(properties.error().code.empty());
}

}  // namespace
}  // namespace drydock::agent
