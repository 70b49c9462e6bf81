// The probe and the action `kubernetes` as a plan words them, at a small API server.
#include "agent/action.h"
#include "agent/attempt.h"
#include "agent/probe.h"
#include "agent/secrets.h"
#include "agent/test_world.h"
#include "kubernetes/test_api.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace drydock::agent {
namespace {

constexpr const char* k_path = "/api/v1/namespaces/old/services/pachd";

class Kubernetes : public testing::Test, protected Scratch {
protected:
    Kubernetes() {
        std::signal(SIGPIPE, SIG_IGN);  // as the agent does
        api_.put(
            k_path,
            R"({"metadata":{"name":"pachd"},"spec":{"ports":[{"name":"api","nodePort":30650}]}})");
        write("config",
              fmt::format(R"({{"contexts":[{{"name":"old","context":{{"cluster":"c"}}}}],
                               "clusters":[{{"name":"c","cluster":{{"server":"{}"}}}}]}})",
                          api_.url()));
    }

    // A request with the server and the object; `rest` is the end of its JSON.
    [[nodiscard]] Json request(const std::string& rest, const std::string& name = "pachd") const {
        return json(fmt::format(R"({{"kind":"kubernetes","kubeconfig":"{}","context":"old",
                                    "namespace":"old","resource":"services","name":"{}",{}}})",
                                path("config"),
                                name,
                                rest));
    }

    Json ask_all(const Json& probes) {
        Prober prober([] {});
        const auto run = prober.start(probes);
        std::optional<Json> facts;
        wait_until([&] { return (facts = run->poll()).has_value(); });
        return *facts;
    }

    // Returns "known 3", "absent" or "unknown".
    std::string told(const Json& probe) {
        const Json fact = ask_all(Json(Json::Array{probe})).items().at(0);
        const auto status = fact["status"].as_string();
        return status == "known" ? status + " " + fact["value"].dump() : status;
    }

    // Ends early once so many requests of a method have come.
    ActionResult act(const Json& one, const std::string& method = "", int count = 0) {
        ActionContext context;
        context.folder = folder_;
        context.cancelled = [this, method, count] {
            return !method.empty() && api_.count(method) >= count;
        };
        context.output = [this](std::string_view text) {
            printed_ += text;
            return std::string();
        };
        return run_typed(one, context);
    }

    kubernetes::TestApi api_;
    std::string printed_;
};

TEST_F(Kubernetes, facts_of_one_object_come_from_one_reading) {
    const Json facts = ask_all(Json(Json::Array{
        request(R"("id":"a","pointer":"/spec/ports/0/nodePort","type":"integer")"),
        request(R"("id":"b","pointer":"/metadata/uid","type":"text")"),
        request(R"("id":"c","pointer":"/spec/ports/0/nodePort","type":"integer")", "gone")}));
    EXPECT_EQ(facts.items().at(0)["value"].as_int(), 30650);
    EXPECT_EQ(facts.items().at(1)["value"], facts.items().at(0)["evidence"]["uid"]);
    EXPECT_EQ(facts.items().at(2)["status"], Json("absent"));
    EXPECT_EQ(api_.count("GET"), 2);
}

// Asks to be told when the port of a Service is no longer `seen`.
Json change_of(const Json& probe, const std::string& status, const Json& value) {
    return Json()
        .set("kind", "change")
        .set("id", "c")
        .set("type", "bool")
        .set("deadline_ms", 15'000)
        .set("of", probe)
        .set("seen", Json().set("status", status).set("value", value));
}

TEST_F(Kubernetes, a_change_is_told_when_it_comes) {
    int watches = 0;
    const auto is_watched = [this, &watches] {
        const auto log = api_.log();
        return watches < std::count_if(
                   log.begin(),
                   log.end(),
                   [](const std::string& line) {
                       return line.find("watch=true") != std::string::npos;
                   });
    };
    const Json present = request(R"("pointer":"/spec/ports/0/nodePort","type":"integer")");
    const Json missing = request(R"("pointer":"/spec/ports/0/nodePort","type":"integer")", "new");
    for (const auto& [probe, seen, path] :
         {std::tuple(change_of(present, "known", 30650), "known", k_path),
          std::tuple(
              change_of(missing, "absent", {}), "absent", "/api/v1/namespaces/old/services/new")}) {
        Prober prober([] {});
        const auto run = prober.start(Json(Json::Array{probe}));
        wait_until(is_watched);
        ++watches;
        EXPECT_FALSE(run->poll()) << seen;
        api_.put(path, R"({"metadata":{"name":"x"},"spec":{"ports":[{"nodePort":30651}]}})");
        std::optional<Json> facts;
        wait_until([&] { return (facts = run->poll()).has_value(); });
        EXPECT_EQ(facts->items().at(0)["value"], Json(true)) << facts->dump();
    }
}

TEST_F(Kubernetes, a_change_that_was_not_seen_is_told_at_once) {
    const Json probe = request(R"("pointer":"/spec/ports/0/nodePort","type":"integer")");
    EXPECT_EQ(told(change_of(probe, "known", 30649)), "known true");
    EXPECT_EQ(told(change_of(probe, "absent", {})), "known true");
    EXPECT_EQ(api_.log().back().find("watch="), std::string::npos);
}

TEST_F(Kubernetes, who_cannot_tell_changes_says_so) {
    EXPECT_EQ(told(change_of(request(R"("may":["get"])"), "known", true)), "unknown");
    EXPECT_EQ(told(change_of(json(R"({"kind":"file","path":"/"})"), "absent", {})), "unknown");
    const Json probe = request(R"("pointer":"/spec/ports/0/nodePort","type":"integer")");
    EXPECT_EQ(told(change_of(probe, "known", 30650).set("deadline_ms", 1'000)), "unknown");
    api_.before = [](const kubernetes::TestRequest& one) {
        const bool is_list = one.path.ends_with("/services");
        return is_list ? std::optional(kubernetes::TestAnswer{403, {}, false}) : std::nullopt;
    };
    EXPECT_EQ(told(change_of(probe, "known", 30650)), "unknown");
}

// Readings need threads, too.
TEST_F(Kubernetes, few_changes_are_waited_for_at_a_time) {
    const Json probe = request(R"("pointer":"/spec/ports/0/nodePort","type":"integer")");
    Json probes{Json::Array{}};
    for (int i = 0; i < 12; ++i) {
        probes.push(change_of(probe, "known", 30650).set("deadline_ms", 4'000));
    }
    int refused = 0;
    for (const Json& fact : ask_all(probes).items()) {
        const std::string& problem = fact["evidence"]["problem"].as_string();
        refused += problem.find("too many changes") != std::string::npos ? 1 : 0;
    }
    EXPECT_EQ(refused, 4);
}

TEST_F(Kubernetes, a_server_that_is_away_says_nothing_of_its_objects) {
    Json probe = request(R"("pointer":"/spec/type","deadline_ms":300)");
    probe.set("kubeconfig", path("none"));
    EXPECT_EQ(told(probe), "unknown");
    probe = json(R"({"kind":"kubernetes","proxy":"http://127.0.0.1:1","namespace":"old",
                     "resource":"services","name":"pachd","pointer":"/spec/type",
                     "deadline_ms":300})");
    EXPECT_EQ(told(probe), "unknown");
}

TEST_F(Kubernetes, a_dry_run_is_a_yes_or_a_no) {
    const auto probe = [this](int port) {
        return request(fmt::format(
            R"("dry_run":{{"patch":[{{"op":"replace","path":"/spec/ports/0/nodePort","value":"{}"}}]}})",
            port));
    };
    EXPECT_EQ(told(probe(30649)), "known true");
    api_.leak(30648, true);
    EXPECT_EQ(told(probe(30648)), "known false");
    EXPECT_EQ(api_.at(k_path)["spec"]["ports"].items().at(0)["nodePort"].as_int(), 30650);
}

TEST_F(Kubernetes, an_action_is_done_refused_or_unknown) {
    const char* patch =
        R"("patch":[{"op":"replace","path":"/spec/ports/[name=api]/nodePort","value":"30649"}])";
    const auto first = act(request(patch));
    EXPECT_EQ(first.outcome, Outcome::done);
    EXPECT_TRUE(first.evidence["changed"].as_bool());
    EXPECT_FALSE(act(request(patch)).evidence["changed"].as_bool(true));
    EXPECT_EQ(act(request(patch, "gone")).outcome, Outcome::failed);
    api_.before = [](const kubernetes::TestRequest& one) -> std::optional<kubernetes::TestAnswer> {
        return one.method == "DELETE" ? std::optional(kubernetes::TestAnswer{504, {}, false})
                                      : std::nullopt;
    };
    const auto last = act(request(R"("delete":{"uid":"x"})"), "DELETE", 2);
    EXPECT_EQ(last.outcome, Outcome::unknown);
    ASSERT_TRUE(last.error);
    EXPECT_EQ(last.error->kind, ErrorClass::unknown_outcome);
}

TEST_F(Kubernetes, a_port_that_leaked_is_told_while_it_is_waited_for) {
    api_.leak(30649, true);
    const auto result =
        act(request(R"("patch":[{"op":"replace","path":"/spec/ports/0/nodePort","value":30649}])"),
            "PATCH",
            1);
    EXPECT_EQ(result.outcome, Outcome::failed);
    ASSERT_TRUE(result.error);
    EXPECT_EQ(result.error->code, "kubernetes.port_leaked");
    EXPECT_NE(printed_.find("port 30649"), std::string::npos);
    const Json wait = read_reported_progress(folder_)["waits"];
    EXPECT_NE(wait["for"].as_string().find("node port 30649"), std::string::npos) << wait.dump();
    EXPECT_GT(wait["since_ms"].as_int(), 0);
    EXPECT_GT(wait["until_ms"].as_int(), wait["since_ms"].as_int());
    EXPECT_NE(wait["remedy"].as_string().find("Delete no service"), std::string::npos);
}

// A refusal may hold the whole object. Half a secret at the cut could not be recognised.
TEST_F(Kubernetes, a_secret_in_a_refusal_is_hidden_before_the_cut) {
    api_.before = [](const kubernetes::TestRequest& one) -> std::optional<kubernetes::TestAnswer> {
        const std::string message = fmt::format("{:x>595}hunter2-hunter2", "");
        return one.method == "PATCH"
                   ? std::optional(kubernetes::TestAnswer{
                         400, Json().set("message", message).set("reason", "BadRequest"), false})
                   : std::nullopt;
    };
    const Redactor redactor(json(R"({"password":"hunter2-hunter2"})"));
    ActionContext context;
    context.hide = [&](std::string_view text) { return redactor.redact(text); };
    const auto result = run_typed(
        request(R"("patch":[{"op":"replace","path":"/spec/ports/0/nodePort","value":1}])"),
        context);
    ASSERT_TRUE(result.error);
    EXPECT_EQ(result.error->code, "kubernetes.invalid");
    EXPECT_EQ(result.error->message.find("hunt"), std::string::npos) << result.error->message;
}

TEST_F(Kubernetes, values_of_plans_are_texts) {
    api_.put("/api/v1/namespaces/old/services/scaled",
             R"({"metadata":{"name":"scaled"},"spec":{"replicas":2}})");
    EXPECT_EQ(act(request(R"("scale":"0")", "scaled")).outcome, Outcome::done);
    EXPECT_EQ(act(request(R"("scale":"many")", "scaled")).outcome, Outcome::failed);
    EXPECT_EQ(act(request(R"("unit":1)")).outcome, Outcome::failed);
}

}  // namespace
}  // namespace drydock::agent
