// Changes against a server that others write to, that loses answers, and that leaks ports.
#include "agent/test_world.h"
#include "kubernetes/change.h"
#include "kubernetes/read.h"
#include "kubernetes/test_api.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <csignal>

namespace drydock::kubernetes {
namespace {

using agent::json;

constexpr std::int64_t k_time_ms = 60'000;  // never reached
constexpr const char* k_path = "/api/v1/namespaces/old/services/pachd";
constexpr const char* k_other = "/api/v1/namespaces/new/services/rival";
constexpr const char* k_deployment = "/apis/apps/v1/namespaces/old/deployments/pachd";

std::string service(int port, const std::string& metadata = "") {
    return fmt::format(
        R"({{"metadata":{{"name":"pachd","namespace":"old"{}}},"spec":{{"ports":[{{"name":"api","nodePort":{}}}]}}}})",
        metadata,
        port);
}

class Changes : public testing::Test {
protected:
    Changes() {
        std::signal(SIGPIPE, SIG_IGN);  // as the agent does
        api_.put(k_path, service(30650));
        client_ = *Client::open({"", "", api_.url()});
    }

    // Moves the port from 30650 to 30649.
    Change move(const ChangeOptions& options = {}) {
        const Json operations = json(
            R"([{"op":"test","path":"/spec/ports/[name=api]/nodePort","value":30650},
                {"op":"replace","path":"/spec/ports/[name=api]/nodePort","value":"30649"}])");
        return patch_object(
            *client_, {{"services", "old"}, "pachd"}, operations, options, effort());
    }

    // Ends when a test says so; a busy machine needs no other limits.
    [[nodiscard]] Effort effort() {
        return Effort(
            k_time_ms,
            [this] { return is_over(); },
            [this](auto line) { told_ += line; },
            [this](const auto& wait) { waits_.push_back(wait ? wait->subject : "over"); });
    }

    [[nodiscard]] std::int64_t port() const {
        return api_.at(k_path)["spec"]["ports"].items().at(0)["nodePort"].as_int();
    }

    // Does something right before the first request of a method.
    void before_first(const std::string& method, std::function<void()> act) {
        api_.before = [this, method, act](const TestRequest& request) -> std::optional<TestAnswer> {
            if (request.method == method && api_.count(method) == 1) {
                act();
            }
            return {};
        };
    }

    // The answers of the first `count` requests of a method are lost, after their effect.
    void lose_first(const std::string& method, int count) {
        api_.after = [this, method, count](const TestRequest& request, TestAnswer& answer) {
            answer.is_lost = request.method == method && api_.count(method) <= count;
        };
    }

    static std::string code(const Change& change) { return change.error ? change.error->code : ""; }

    TestApi api_;
    std::unique_ptr<Client> client_;
    std::string told_;
    std::vector<std::string> waits_;  // as they were reported
    std::function<bool()> is_over = [] { return false; };
};

TEST_F(Changes, a_patch_is_sent_once_and_read_back) {
    const auto change = move();
    EXPECT_EQ(change.end, ChangeEnd::changed);
    EXPECT_EQ(port(), 30649);
    EXPECT_EQ(api_.count("PATCH"), 1);
    EXPECT_EQ(api_.count("GET"), 2);
    EXPECT_NE(api_.log().at(1).find("fieldValidation=Strict"), std::string::npos);
}

TEST_F(Changes, what_is_done_already_sends_nothing) {
    api_.put(k_path, service(30649));
    EXPECT_EQ(move().end, ChangeEnd::unchanged);
    EXPECT_EQ(api_.count("PATCH"), 0);
}

TEST_F(Changes, a_test_that_fails_is_named_and_nothing_is_sent) {
    api_.put(k_path, service(30640));
    const auto change = move();
    EXPECT_EQ(change.end, ChangeEnd::refused);
    EXPECT_EQ(code(change), "kubernetes.test_failed");
    EXPECT_NE(change.error->message.find("30640, not 30650"), std::string::npos);
    EXPECT_EQ(api_.count("PATCH"), 0);
}

TEST_F(Changes, an_annotation_in_between_is_kept) {
    before_first("PATCH",
                 [this] { api_.put(k_path, service(30650, R"(,"annotations":{"a":"b"})")); });
    EXPECT_EQ(move().end, ChangeEnd::changed);
    EXPECT_EQ(port(), 30649);
    EXPECT_EQ(api_.count("PATCH"), 2);
    EXPECT_EQ(api_.at(k_path)["metadata"]["annotations"]["a"], Json("b"));
}

TEST_F(Changes, an_object_that_was_made_anew_is_left_alone) {
    before_first("PATCH", [this] { api_.put(k_path, service(30650, R"(,"uid":"another")")); });
    const auto change = move();
    EXPECT_EQ(change.end, ChangeEnd::refused);
    EXPECT_EQ(code(change), "kubernetes.recreated");
    EXPECT_EQ(port(), 30650);
}

TEST_F(Changes, an_object_with_another_uid_than_planned_is_left_alone) {
    EXPECT_EQ(code(move({"planned", false})), "kubernetes.recreated");
    EXPECT_EQ(api_.count("PATCH"), 0);
}

TEST_F(Changes, an_object_that_is_gone_stays_gone) {
    before_first("PATCH", [this] { api_.erase(k_path); });
    const auto change = move();
    EXPECT_EQ(change.end, ChangeEnd::refused);
    EXPECT_EQ(code(change), "kubernetes.not_found");
    EXPECT_TRUE(api_.at(k_path).is_null());
}

TEST_F(Changes, a_lost_answer_is_settled_by_the_same_patch) {
    lose_first("PATCH", 2);
    const auto change = move();
    EXPECT_EQ(change.end, ChangeEnd::changed);
    EXPECT_EQ(port(), 30649);
    EXPECT_EQ(api_.count("PATCH"), 3);  // the later ones met a conflict, one of them unheard
}

// The request never reached the server's store, and the time is over: it may still do so.
TEST_F(Changes, an_answer_that_stays_lost_is_unknown) {
    api_.before = [](const TestRequest& request) -> std::optional<TestAnswer> {
        return request.method == "PATCH" ? std::optional(TestAnswer{504, {}, false}) : std::nullopt;
    };
    is_over = [this] { return api_.count("PATCH") >= 2; };
    const auto change = move();
    EXPECT_EQ(change.end, ChangeEnd::unknown);
    EXPECT_EQ(change.error->kind, ErrorClass::unknown_outcome);
    EXPECT_EQ(api_.count("PATCH"), 2);
}

// Somebody wrote after the lost request: it is held to a version that is gone.
TEST_F(Changes, a_lost_request_is_dead_once_another_wrote) {
    api_.before = [this](const TestRequest& request) -> std::optional<TestAnswer> {
        if (request.method == "PATCH" && api_.count("PATCH") == 1) {
            api_.put(k_path, service(30640));
            return TestAnswer{504, {}, false};
        }
        return {};
    };
    const auto change = move();
    EXPECT_EQ(change.end, ChangeEnd::refused);
    EXPECT_EQ(code(change), "kubernetes.test_failed");
}

TEST_F(Changes, the_holder_of_a_port_is_named) {
    api_.put(
        k_other,
        R"({"metadata":{"name":"rival","namespace":"new"},"spec":{"ports":[{"nodePort":30649}]}})");
    const auto change = move();
    EXPECT_EQ(change.end, ChangeEnd::refused);
    EXPECT_EQ(code(change), "kubernetes.port_taken");
    EXPECT_NE(change.error->message.find("services/rival of namespace new"), std::string::npos);
}

TEST_F(Changes, a_leaked_port_is_waited_for) {
    api_.leak(30649, true);
    api_.before = [this](const TestRequest& request) -> std::optional<TestAnswer> {
        if (request.method == "PATCH" && api_.count("PATCH") == 2) {
            api_.leak(30649, false);
        }
        return {};
    };
    EXPECT_EQ(move().end, ChangeEnd::changed);
    EXPECT_NE(told_.find("port 30649 is taken, and no service has it"), std::string::npos);
    EXPECT_EQ(waits_,
              (std::vector<std::string>{
                  "the API server to free node port 30649, which no service has", "over"}));
}

TEST_F(Changes, a_server_that_does_not_answer_is_waited_for_by_name) {
    api_.before = [this](const TestRequest& request) -> std::optional<TestAnswer> {
        return request.method == "GET" && api_.count("GET") <= 2
                   ? std::optional(TestAnswer{504, {}, false})
                   : std::nullopt;
    };
    EXPECT_EQ(move().end, ChangeEnd::changed);
    EXPECT_EQ(waits_, (std::vector<std::string>{"the API server to answer", "over"}));
}

TEST_F(Changes, a_port_that_stays_leaked_ends_with_its_name) {
    api_.leak(30649, true);
    is_over = [this] { return api_.count("PATCH") >= 1; };
    const auto change = move();
    EXPECT_EQ(change.end, ChangeEnd::refused);
    EXPECT_EQ(code(change), "kubernetes.port_leaked");
    EXPECT_EQ(change.error->kind, ErrorClass::transient);
}

TEST_F(Changes, a_dry_run_writes_nothing) {
    EXPECT_EQ(move({"", true}).end, ChangeEnd::changed);
    EXPECT_EQ(port(), 30650);
    api_.leak(30649, true);
    EXPECT_EQ(code(move({"", true})), "kubernetes.port_leaked");
}

TEST_F(Changes, replicas_are_set_and_zero_is_understood) {
    api_.put(k_deployment, R"({"metadata":{"name":"pachd"},"spec":{"replicas":1}})");
    const auto scale = [this](std::int64_t replicas) {
        return scale_object(
            *client_, {{"apps/v1/deployments", "old"}, "pachd"}, replicas, {}, effort());
    };
    EXPECT_EQ(scale(0).end, ChangeEnd::changed);
    EXPECT_EQ(api_.at(k_deployment)["spec"]["replicas"].as_int(7), 0);
    EXPECT_EQ(scale(0).end, ChangeEnd::unchanged);
    EXPECT_EQ(scale(2).end, ChangeEnd::changed);
    EXPECT_EQ(api_.at(k_deployment)["spec"]["replicas"].as_int(7), 2);
}

TEST_F(Changes, an_object_is_created_once) {
    const Json manifest =
        json(R"({"kind":"Service","metadata":{"name":"dash"},"spec":{"type":"ClusterIP"}})");
    lose_first("POST", 1);
    const auto create = [&](const Json& one) {
        return create_object(*client_, {"services", "old"}, one, {}, effort());
    };
    EXPECT_EQ(create(manifest).end, ChangeEnd::changed);
    EXPECT_EQ(create(manifest).end, ChangeEnd::unchanged);
    const auto other = create(json(R"({"metadata":{"name":"dash"},"spec":{"type":"NodePort"}})"));
    EXPECT_EQ(other.end, ChangeEnd::refused);
    EXPECT_EQ(code(other), "kubernetes.exists");
}

// A real server refuses them as taken before it says that the object is there.
TEST_F(Changes, a_service_that_is_there_may_have_the_node_ports_of_its_manifest) {
    const auto create = [&](const std::string& name, int port) {
        const Json manifest = json(
            fmt::format(R"({{"metadata":{{"name":"{}"}},"spec":{{"ports":[{{"nodePort":{}}}]}}}})",
                        name,
                        port));
        return create_object(*client_, {"services", "old"}, manifest, {}, effort());
    };
    lose_first("POST", 1);
    EXPECT_EQ(create("dash", 30080).end, ChangeEnd::changed);
    EXPECT_EQ(create("dash", 30080).end, ChangeEnd::unchanged);
    EXPECT_EQ(code(create("twin", 30650)), "kubernetes.invalid");
}

// The reason stands behind the whole object.
TEST_F(Changes, a_long_refusal_keeps_its_end) {
    const std::string refusal = "Invalid value: " + std::string(5000, 'x') + ": unknown field";
    api_.before = [&](const TestRequest& request) -> std::optional<TestAnswer> {
        if (request.method == "GET") {
            return {};
        }
        const Json cause = Json().set("field", "patch").set("message", refusal);
        return TestAnswer{422,
                          Json()
                              .set("message", refusal)
                              .set("details", Json().set("causes", Json(Json::Array{cause})))};
    };
    const auto change = move();
    EXPECT_EQ(code(change), "kubernetes.invalid");
    EXPECT_TRUE(change.error->message.ends_with(": unknown field"));
    EXPECT_LT(change.error->message.size(), 800U);
}

TEST_F(Changes, only_the_object_with_the_uid_is_deleted) {
    const std::string uid = api_.at(k_path)["metadata"]["uid"].as_string();
    const auto remove = [this](const std::string& one) {
        return delete_object(*client_, {{"services", "old"}, "pachd"}, "", {one}, effort());
    };
    EXPECT_EQ(code(remove("")), "kubernetes.uid");
    EXPECT_EQ(code(remove("another")), "kubernetes.recreated");
    lose_first("DELETE", 2);  // the first is the refusal above
    EXPECT_EQ(remove(uid).end, ChangeEnd::changed);
    EXPECT_TRUE(api_.at(k_path).is_null());
    EXPECT_EQ(remove(uid).end, ChangeEnd::unchanged);
}

TEST_F(Changes, a_server_that_is_away_refuses_nothing_for_good) {
    const Access away{"", "", "http://127.0.0.1:1"};
    client_ = *Client::open(away);
    is_over = [] { return true; };
    const auto change = move();
    EXPECT_EQ(change.end, ChangeEnd::refused);
    EXPECT_EQ(code(change), "kubernetes.not_sent");
    EXPECT_EQ(change.error->kind, ErrorClass::transient);
}

// An empty list is believed only where the namespace is there.
TEST_F(Changes, a_list_in_a_missing_namespace_is_no_answer) {
    const auto list = [this](const std::string& name_space) {
        return list_objects(*client_, {"services", name_space}, "", effort());
    };
    EXPECT_EQ(list("old")->find("/items")->items().size(), 1U);
    EXPECT_EQ(list("oldd").error().code, "kubernetes.no_namespace");
    api_.put("/api/v1/namespaces/empty", R"({"metadata":{"name":"empty"}})");
    EXPECT_TRUE(list("empty")->find("/items")->items().empty());
}

}  // namespace
}  // namespace drydock::kubernetes
