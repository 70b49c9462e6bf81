// The screens of `hosts`, and what they are for machines.
#include "cli/render_hosts.h"
#include "cli/sample.h"

#include <gtest/gtest.h>

namespace drydock::cli {
namespace {

std::vector<app::HostReport> two_hosts() {
    return {sample_host("a", true), sample_host("b", false)};
}

TEST(RenderHosts, one_row_a_host_and_each_problem_with_its_remedy) {
    expect_golden("hosts-check.txt", render_checked(two_hosts(), {}));
}

TEST(RenderHosts, a_list_asks_nobody) {
    expect_golden("hosts-list.txt", render_listed(two_hosts()));
}

TEST(RenderHosts, machines_get_the_same) {
    const Json json = json_of(two_hosts());
    const auto& hosts = json["hosts"].items();
    ASSERT_EQ(hosts.size(), 2U);
    EXPECT_EQ(hosts[0]["call_us"].as_int(), 400);
    EXPECT_TRUE(hosts[0]["backup_free_bytes"].is_null());
    EXPECT_FALSE(hosts[1]["reached"].as_bool());
    EXPECT_EQ(hosts[1]["problems"].items().front()["code"].as_string(), "ssh.host_key");
}

// Text of a host cannot make a row of its own.
TEST(RenderHosts, a_host_writes_on_its_own_line_only) {
    app::HostReport report = sample_host("a", true);
    report.problems.clear();
    const std::string text = render_checked({report}, {});
    report.user = "root\nb  0 ms";
    const std::string attacked = render_checked({report}, {});
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'),
              std::count(attacked.begin(), attacked.end(), '\n'));
}

}  // namespace
}  // namespace drydock::cli
