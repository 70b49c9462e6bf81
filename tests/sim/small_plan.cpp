#include "sim/small_plan.h"

#include "base/check.h"
#include "sim/simulate_seed.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace drydock::sim {

using model::ObservationStatus;
using model::StandardFact;

SmallPlan::SmallPlan(int members, bool up) {
    plan.run = "roll";
    plan.cluster = "small";
    plan.system = "small";
    plan.procedure = "upgrade";
    plan.kind = "rolling";
    plan.from_version = "1.0";
    plan.to_version = "2.0";
    plan.route = {"1.0", "2.0"};
    plan.roles = {{.name = "member", .quorum = 0, .members = {}}};
    for (int i = 1; i <= members; ++i) {
        const std::string name = fmt::format("m{}", i);
        const std::string host = fmt::format("h{}", i);
        plan.roles[0].members.push_back(name);
        plan.hosts[host].name = host;
        plan.member_hosts[name] = host;
        fact(name, "running", up ? Json("1.0") : Json(), StandardFact::running);
        fact(name, "installed", "1.0", StandardFact::installed);
        fact(name, "ready", up ? Json(true) : Json(), StandardFact::ready);
    }
}

model::FactSource& SmallPlan::fact(const std::string& member,
                                   const std::string& name,
                                   Json value,
                                   StandardFact binds) {
    const std::string key = model::fact_key(member, name);
    model::FactSource& source = plan.sources[key];
    source.key = key;
    source.member = member;
    source.name = name;
    source.type = value.is_bool() ? model::FactType::boolean : model::FactType::text;
    source.standard_fact = binds;
    source.host = member.empty() ? "h1" : plan.member_hosts.at(member);
    source.probe = Json::Object{{"kind", "command"}};
    plan.bound_facts[key] = {value.is_null() ? ObservationStatus::absent : ObservationStatus::known,
                             std::move(value),
                             "",
                             0};
    return source;
}

model::PlanStore&
SmallPlan::store(const std::string& name, bool is_shared, model::FormatTrigger raises) {
    model::PlanStore store;
    store.name = name;
    store.role = "member";
    store.opened_by = {"member"};
    store.shared = is_shared;
    store.formats = {"1", "2"};
    store.laws["1.0"] = {.reads = {"1"}, .writes = "1"};
    store.laws["2.0"] = {.reads = {"1", "2"}, .writes = "2", .trigger = raises};
    if (is_shared) {
        fact("", name + "_level", "1", StandardFact::level);
        store.levels = {name + "_level"};
    }
    plan.laws.push_back({.store = name,
                         .role = "member",
                         .levels = store.levels,
                         .trigger = raises,
                         .series = "2.0",
                         .becomes = "2"});
    plan.stores.push_back(std::move(store));
    return plan.stores.back();
}

model::Action&
SmallPlan::action(const std::string& id, model::Verb verb, const std::string& member) {
    model::Action action;
    action.id = id;
    action.phase = "roll";
    action.verb = verb;
    action.title = id;
    action.member = member;
    action.host = member.empty() ? "h1" : plan.member_hosts.at(member);
    action.repeatable = model::Repeatable::yes;
    action.attempts = 3;
    action.timeout_ms = 60'000;
    action.guard_timeout_ms = 30'000;
    action.request = Json::Object{{"kind", "command"}};
    if (!plan.actions.empty()) {
        action.predecessors = {plan.actions.size() - 1};
    }
    plan.actions.push_back(std::move(action));
    return plan.actions.back();
}

void SmallPlan::stop(const std::string& member) {
    action(member + "/stop", model::Verb::stop, member).effects = {becomes(member, "running", {}),
                                                                   becomes(member, "ready", {})};
}

void SmallPlan::start(const std::string& member, const std::string& release) {
    action(member + "/start", model::Verb::start, member).effects = {
        becomes(member, "running", release), becomes(member, "ready", true)};
}

void SmallPlan::roll(const std::string& member) {
    stop(member);
    action(member + "/install", model::Verb::install, member).effects = {
        becomes(member, "installed", "2.0")};
    start(member, "2.0");
}

model::Effect becomes(const std::string& member, const std::string& fact, Json value) {
    return {model::EffectKind::becomes, member, fact, std::move(value)};
}

model::Effect on_store(model::EffectKind kind, const std::string& store) {
    return {kind, "", store, {}};
}

std::set<std::string> broken_by_seeds(const model::Plan& plan, int seeds) {
    std::set<std::string> broken;
    for (int seed = 1; seed <= seeds; ++seed) {
        const auto run = simulate(plan, static_cast<std::uint64_t>(seed));
        EXPECT_TRUE(run) << run.error().text();
        for (const Violation& wrong : run ? run->violations : std::vector<Violation>()) {
            broken.insert(wrong.property);
        }
    }
    return broken;
}

namespace {

InitialFacts planned_facts(const model::Plan& plan) {
    InitialFacts facts;
    facts.start = plan.bound_facts;
    facts.postcondition_facts.resize(plan.actions.size());
    return facts;
}

}  // namespace

QuietSystem::QuietSystem(const model::Plan& plan)
    : plan_(plan)
    , facts_(planned_facts(plan))
    , system(plan, facts_, dice_) {
    system.direct();
}

void QuietSystem::carry_out(const std::string& id) {
    const model::Action* action = plan_.find(id);
    CHECK(action != nullptr);
    system.begin(id);
    system.take_effect(*action);
    system.verify_copies(*action);
    system.end(id);
}

std::set<std::string> QuietSystem::broken() const {
    std::set<std::string> properties;
    for (const Violation& violation : system.violations()) {
        properties.insert(violation.property);
    }
    return properties;
}

Json QuietSystem::observed(const std::string& key) const {
    const model::FactBook book = system.book();
    const auto fact = book.find(key);
    return fact != book.end() && fact->second.status == ObservationStatus::known
               ? fact->second.value
               : Json();
}

SmallPlan plan_with_leader() {
    SmallPlan small(2);
    model::PlanStore& store = small.store("data", true, model::FormatTrigger::never);
    store.leader_only = true;
    store.laws["2.0"].reads = {"2"};
    small.fact("m1", "leads", true, model::StandardFact::leads);
    small.fact("m2", "leads", false, model::StandardFact::leads);
    small.roll("m2");
    small.roll("m1");
    return small;
}

}  // namespace drydock::sim
