// Watches at a small API server: what wakes, what does not, and how they end.
#include "agent/test_world.h"
#include "kubernetes/test_api.h"
#include "kubernetes/watch.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <thread>

namespace drydock::kubernetes {
namespace {

constexpr const char* k_path = "/api/v1/namespaces/old/services/";
constexpr std::int64_t k_patience_ms = 20'000;

class Watch : public testing::Test {
protected:
    Watch() {
        put("pachd", 1);
        put("dash", 1);
        client_ = Client::open({"", "", api_.url()}).value();
    }

    void put(const std::string& name, int number) {
        api_.put(
            fmt::format("{}{}", k_path, name),
            fmt::format(R"({{"metadata":{{"name":"{}"}},"spec":{{"number":{}}}}})", name, number));
    }

    Result<std::string> version() { return version_of(*client_, watched_, Effort(k_patience_ms)); }

    // Waits from now on, or from an earlier version.
    Result<bool> wait(std::int64_t within_ms, const std::string& since = "") {
        return wait_for_event(
            *client_, watched_, since.empty() ? *version() : since, Effort(within_ms));
    }

    // Every watch gets this answer.
    void answer_watches(int status, const Json& body) {
        api_.before = [status, body](const TestRequest& one) {
            const bool is_watch = one.query.find("watch=") != std::string::npos;
            return is_watch ? std::optional(TestAnswer{status, body, false}) : std::nullopt;
        };
    }

    std::string code_of(const Result<bool>& result) {
        return result ? "none" : result.error().code;
    }

    TestApi api_;
    std::unique_ptr<Client> client_;
    Watched watched_{{"services", "old"}, "pachd", ""};
};

TEST_F(Watch, a_change_ends_it_at_once) {
    const std::string since = *version();
    const std::jthread other([&] {
        agent::wait_until(
            [&] { return api_.log().back().find("watch=true") != std::string::npos; });
        put("pachd", 2);
    });
    EXPECT_TRUE(*wait(k_patience_ms, since));
    EXPECT_NE(api_.log().back().find("allowWatchBookmarks=true"), std::string::npos);
}

TEST_F(Watch, a_change_before_it_began_is_told) {
    const std::string since = *version();
    put("pachd", 2);
    EXPECT_TRUE(*wait(k_patience_ms, since));
}

TEST_F(Watch, a_deletion_is_a_change) {
    const std::string since = *version();
    api_.erase("/api/v1/namespaces/old/services/pachd");
    EXPECT_TRUE(*wait(k_patience_ms, since));
}

TEST_F(Watch, other_objects_and_bookmarks_do_not_end_it) {
    const std::string since = *version();
    put("dash", 2);
    EXPECT_FALSE(*wait(1'500, since));
    watched_.name = "";
    EXPECT_TRUE(*wait(k_patience_ms, since));
}

TEST_F(Watch, one_that_cannot_go_on_says_so) {
    answer_watches(200,
                   Json()
                       .set("type", "ERROR")
                       .set("object", Json().set("code", 410).set("message", "too old")));
    EXPECT_EQ(code_of(wait(k_patience_ms, "1")), "kubernetes.expired");
    answer_watches(410, Json().set("reason", "Expired"));
    EXPECT_EQ(code_of(wait(k_patience_ms, "1")), "kubernetes.expired");
    answer_watches(403, Json().set("reason", "Forbidden"));
    EXPECT_EQ(code_of(wait(k_patience_ms, "1")), "kubernetes.not_allowed");
    answer_watches(200, Json().set("type", "BOOKMARK"));
    EXPECT_EQ(code_of(wait(k_patience_ms, "1")), "kubernetes.watch_ended");
}

TEST_F(Watch, a_lost_one_has_no_answer) {
    api_.after = [](const TestRequest& one, TestAnswer& answer) {
        answer.is_lost = one.query.find("watch=") != std::string::npos;
    };
    EXPECT_EQ(code_of(wait(k_patience_ms, "1")), "kubernetes.no_answer");
}

}  // namespace
}  // namespace drydock::kubernetes
