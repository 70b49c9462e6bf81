#include "base/hash.h"
#include "model/plan.h"

namespace drydock::model {
namespace {

Plan small_plan() {
    Plan plan;
    plan.run = "r1";
    plan.cluster = "demo";
    plan.from_version = "1.0";
    plan.to_version = "2.0";
    plan.roles = {{"member", 0, {"m1"}}};
    plan.hosts["here"] = {"here", {}, {}, "", "/s"};
    plan.member_hosts["m1"] = "here";
    FactSource running;
    running.key = "m1/running";
    running.member = "m1";
    running.name = "running";
    running.host = "here";
    running.probe = Json(Json::Object{{"kind", Json("service")}});
    plan.sources.emplace(running.key, running);
    plan.bound_facts["m1/running"] = {ObservationStatus::known, "1.0", "the plan", 0};
    Action stop;
    stop.id = "roll/m1/stop";
    stop.verb = Verb::stop;
    stop.member = "m1";
    stop.host = "here";
    stop.request = Json(Json::Object{{"kind", Json("service_stop")}});
    stop.preconditions.push_back({.fact = "running",
                                  .quantifier = Quantifier::self,
                                  .relation = Relation::is,
                                  .operand = "1.0"});
    Action start = stop;
    start.id = "roll/m1/start";
    start.verb = Verb::start;
    start.predecessors = {0};
    plan.actions = {stop, start};
    return plan;
}

// Gives changed JSON a digest that fits, so that the plan is refused for the change itself.
Json with_fitting_digest(Json json) {
    Json::Object members = json.members();
    members.erase("digest");
    Json body(std::move(members));
    const std::string digest = sha256_hex(body.dump());
    return body.set("digest", digest);
}

TEST(Plan, reads_back_as_itself) {
    const Plan plan = small_plan();
    const auto read = plan_from_json(*Json::parse(to_json(plan).dump()));
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(to_json(*read), to_json(plan));
    EXPECT_EQ(read->digest(), plan.digest());
}

// A plan without long actions has the same JSON as before the format had them.
TEST(Plan, keeps_the_limits_of_long_actions) {
    Plan plan = small_plan();
    EXPECT_FALSE(to_json(plan)["actions"].items().front().contains("stall_ms"));
    EXPECT_FALSE(to_json(plan)["actions"].items().front().contains("cancellable"));
    plan.actions[0].stall_ms = 300'000;
    plan.actions[0].cancellable = true;
    const auto read = plan_from_json(*Json::parse(to_json(plan).dump()));
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(read->actions[0].silence_ms(), 300'000);
    EXPECT_TRUE(read->actions[0].cancellable);
    EXPECT_FALSE(read->actions[1].cancellable);
}

// The digest is bound to the facts by value, not by when or how they were read.
TEST(Plan, evidence_and_times_are_not_part_of_the_digest) {
    Plan plan = small_plan();
    const std::string before = plan.digest();
    plan.bound_facts["m1/running"].evidence = "GET /version";
    plan.bound_facts["m1/running"].at_ms = 77;
    EXPECT_EQ(plan.digest(), before);
    plan.bound_facts["m1/running"].value = "1.1";
    EXPECT_NE(plan.digest(), before);
}

struct Broken {
    const char* name;
    std::function<void(Json&)> change;
    const char* code;
};

Json changed_action(const Json& plan, std::size_t index, const char* key, Json value) {
    Json::Array actions = plan["actions"].items();
    actions.at(index).set(key, std::move(value));
    return Json(std::move(actions));
}

// Every broken plan is refused with a code and a sentence; none is run, none crashes.
TEST(Plan, refuses_broken_plans) {
    const std::vector<Broken> all = {
        {"no format", [](Json& p) { p = Json(Json::Object{}); }, "plan.kind"},
        {"a list", [](Json& p) { p = Json(Json::Array{}); }, "plan.kind"},
        {"newer format", [](Json& p) { p.set("format", 99); }, "plan.format"},
        {"format as text", [](Json& p) { p.set("format", "1"); }, "plan.format"},
        {"unknown key", [](Json& p) { p.set("extra", 1); }, "plan.unknown_keys"},
        {"unknown verb",
         [](Json& p) { p.set("actions", changed_action(p, 0, "verb", "explode")); },
         "plan.action"},
        {"no id", [](Json& p) { p.set("actions", changed_action(p, 0, "id", "")); }, "plan.action"},
        {"waits for itself",
         [](Json& p) { p.set("actions", changed_action(p, 1, "after", Json(Json::Array{1}))); },
         "plan.order"},
        {"waits for what is not there",
         [](Json& p) { p.set("actions", changed_action(p, 1, "after", Json(Json::Array{7}))); },
         "plan.order"},
        {"negative index",
         [](Json& p) { p.set("actions", changed_action(p, 1, "after", Json(Json::Array{-1}))); },
         "plan.order"},
        {"unknown host",
         [](Json& p) { p.set("actions", changed_action(p, 0, "host", "mars")); },
         "plan.reference"},
        {"unknown member",
         [](Json& p) { p.set("actions", changed_action(p, 0, "member", "m9")); },
         "plan.reference"},
        {"unknown relation",
         [](Json& p) {
             p.set(
                 "actions",
                 changed_action(p,
                                0,
                                "guard",
                                Json(Json::Array{Json(Json::Object{{"fact", Json("x")},
                                                                   {"of", Json("this")},
                                                                   {"relation", Json("near")}})})));
         },
         "plan.condition"},
        {"unknown effect",
         [](Json& p) {
             p.set("actions",
                   changed_action(p,
                                  0,
                                  "effects",
                                  Json(Json::Array{Json(Json::Object{{"kind", Json("melts")}})})));
         },
         "plan.value"},
        {"unknown trigger of a rule",
         [](Json& p) {
             p.set("laws", Json(Json::Array{Json(Json::Object{{"raises", Json("at_noon")}})}));
         },
         "plan.value"},
        {"unknown way back",
         [](Json& p) {
             p.set("ways_back", Json(Json::Array{Json(Json::Object{{"kind", Json("pray")}})}));
         },
         "plan.value"},
        {"unknown state of a risk",
         [](Json& p) {
             p.set("risks", Json(Json::Array{Json(Json::Object{{"state", Json("maybe")}})}));
         },
         "plan.value"},
        {"unknown policy", [](Json& p) { p.set("on_failure", "panic"); }, "plan.value"},
        {"two actions with one id",
         [](Json& p) { p.set("actions", changed_action(p, 1, "id", "roll/m1/stop")); },
         "plan.action"},
    };
    for (const Broken& broken : all) {
        Json json = to_json(small_plan());
        broken.change(json);
        const auto read = plan_from_json(
            json.is_object() && json.contains("format") ? with_fitting_digest(json) : json);
        ASSERT_FALSE(read) << broken.name;
        EXPECT_EQ(read.error().code, broken.code) << broken.name << ": " << read.error().text();
        EXPECT_FALSE(read.error().message.empty()) << broken.name;
    }
}

// The digest shows any single changed value, also where the plan would still make sense.
TEST(Plan, refuses_an_edited_plan) {
    Json json = to_json(small_plan());
    json.set("to", "2.1");
    const auto read = plan_from_json(json);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, "plan.digest");
    EXPECT_FALSE(read.error().remedy.empty());
}

// A file that is cut at any length is refused and never crashes the reader.
TEST(Plan, refuses_every_truncation) {
    const std::string text = to_json(small_plan()).dump();
    for (std::size_t length = 0; length < text.size(); ++length) {
        const auto json = Json::parse(text.substr(0, length));
        EXPECT_FALSE(json && plan_from_json(*json)) << length;
    }
}

}  // namespace
}  // namespace drydock::model
