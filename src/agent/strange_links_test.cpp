// A folder of another user, whose links lead where the agent may write and that user may not.
#include "agent/test_agent.h"

#include <fmt/format.h>
#include <unistd.h>

namespace drydock::agent {
namespace {

constexpr uid_t k_nobody = 65534;

class StrangeLinks : public testing::Test, protected AgentFixture {
protected:
    void SetUp() override {
        if (::geteuid() != 0) {
            GTEST_SKIP() << "needs a second user";
        }
        std::filesystem::create_directory(path("victim"));
        std::filesystem::create_directory(path("release"));
        std::filesystem::create_directory_symlink("victim", path("strange"));
        ASSERT_EQ(::lchown(path("strange").c_str(), k_nobody, k_nobody), 0);
        // As `drydock agent --state FOLDER --folder FOLDER`.
        const std::string folder = folder_;
        conversation_ = transport_
                            ->open({"here",
                                    {"sh", "-c", "exec \"$@\" --folder " + folder, "sh"},
                                    {},
                                    test_agent_program(),
                                    path("state")})
                            .value();
    }

    [[nodiscard]] bool is_untouched() const { return std::filesystem::is_empty(path("victim")); }

    std::string error_of(const std::string& action, Json request) {
        const Json answer = call(exec(action, std::move(request)));
        return answer["result"]["error"]["code"].as_string();
    }
};

TEST_F(StrangeLinks, lead_no_put) {
    auto put = json(R"({"do":"put","epoch":1,"offset":0,"data":"aGVs"})");
    EXPECT_EQ(call(put.set("path", path("strange/f")))["error"]["code"].as_string(),
              "os.strange_link");
    EXPECT_TRUE(is_untouched());
}

// The part lies there already, as a second name of a file of the agent's.
TEST_F(StrangeLinks, have_no_second_name_of_a_part) {
    write("precious", "hel");
    std::filesystem::create_hard_link(path("precious"), path("f.drydock-part"));
    auto put = json(R"({"do":"put","epoch":1,"offset":3,"data":"bG8="})").set("path", path("f"));
    EXPECT_EQ(call(put)["error"]["code"].as_string(), "os.strange_file");
    EXPECT_EQ(read("precious"), "hel");
}

TEST_F(StrangeLinks, lead_no_pid_file) {
    Json service = json(R"({"type":"process","argv":["/bin/sleep","30"]})");
    service.set("pid_file", path("strange/pid"));
    Json request = json(R"({"kind":"service_start"})");
    EXPECT_EQ(error_of("a", request.set("service", service)), "os.strange_link");
    request.set("kind", "service_stop").set("within_ms", 100);
    EXPECT_EQ(error_of("b", request), "os.strange_link");
    EXPECT_TRUE(is_untouched());
}

TEST_F(StrangeLinks, lead_no_link) {
    Json request = json(R"({"kind":"link"})");
    request.set("link", path("strange/current")).set("target", path("release"));
    EXPECT_EQ(error_of("a", request), "os.strange_link");
    EXPECT_TRUE(is_untouched());
}

TEST_F(StrangeLinks, lead_no_owner_file) {
    Json owner = json(R"({"cluster":"prod","journal":"a","who":"anna@one"})");
    owner.set("claims", Json::Array{Json("pid_file " + path("strange/pid"))});
    Json fence = json(R"({"do":"fence","epoch":1})");
    EXPECT_EQ(call(fence.set("owner", owner))["error"]["code"].as_string(), "os.strange_link");
    EXPECT_TRUE(is_untouched());
}

}  // namespace
}  // namespace drydock::agent
