#include "checker/law_plans.h"

namespace drydock::checker {

using model::EffectKind;
using model::StandardFact;
using model::Verb;

LawPlan::LawPlan(int members) {
    plan.run = "r1";
    plan.procedure = "upgrade";
    plan.kind = "rolling";
    plan.from_version = "1.0";
    plan.to_version = "2.0";
    plan.max_skew = 1;
    plan.roles.push_back({"db", 0, {}});
    for (int i = 1; i <= members; ++i) {
        const std::string member = "m" + std::to_string(i);
        plan.roles.front().members.push_back(member);
        plan.member_hosts[member] = "h" + std::to_string(i);
        fact(member, "running", "1.0", StandardFact::running);
        fact(member, "installed", "1.0", StandardFact::installed);
        fact(member, "ready", true, StandardFact::ready);
    }
}

model::PlanStore& LawPlan::store(bool shared, model::FormatTrigger raises) {
    model::PlanStore store;
    store.name = "data";
    store.role = "db";
    store.opened_by = {"db"};
    store.shared = shared;
    store.formats = {"1", "2"};
    store.laws["1.0"] = {.reads = {"1"}, .writes = "1"};
    store.laws["2.0"] = {.reads = {"1", "2"}, .writes = "2", .trigger = raises};
    plan.stores.push_back(store);
    return plan.stores.back();
}

void LawPlan::fact(const std::string& member,
                   const std::string& name,
                   const Json& value,
                   StandardFact binds) {
    const std::string key = model::fact_key(member, name);
    model::FactSource source;
    source.key = key;
    source.member = member;
    source.name = name;
    source.type = value.is_bool() ? model::FactType::boolean : model::FactType::text;
    source.standard_fact = binds;
    plan.sources[key] = source;
    plan.bound_facts[key] = {value.is_null() ? model::ObservationStatus::absent
                                             : model::ObservationStatus::known,
                             value,
                             "",
                             0};
}

void LawPlan::down(const std::string& member) {
    plan.bound_facts[member + "/running"] = {model::ObservationStatus::absent, {}, "", 0};
    plan.bound_facts[member + "/ready"] = {model::ObservationStatus::absent, {}, "", 0};
}

model::Action& LawPlan::act(const std::string& id, Verb verb, const std::string& member) {
    model::Action action;
    action.id = id;
    action.title = id;
    action.source = "law_plans:" + id;
    action.verb = verb;
    action.member = member;
    action.host = member.empty() ? "h1" : plan.member_hosts.at(member);
    action.repeatable = model::Repeatable::yes;
    action.attempts = 3;
    action.request = Json::Object{{"kind", "command"}};
    action.remedy = "look at it";
    if (!plan.actions.empty()) {
        action.predecessors = {plan.actions.size() - 1};
    }
    plan.actions.push_back(action);
    return plan.actions.back();
}

model::Action& LawPlan::stop(const std::string& member) {
    model::Action& action = act("stop " + member, Verb::stop, member);
    action.effects = {becomes(member, "running", {}), becomes(member, "ready", {})};
    return action;
}

model::Action& LawPlan::install(const std::string& member) {
    model::Action& action = act("install " + member, Verb::install, member);
    action.effects = {becomes(member, "installed", "2.0")};
    return action;
}

model::Action& LawPlan::start(const std::string& member) {
    model::Action& action = act("start " + member, Verb::start, member);
    action.effects = {becomes(member, "running", "2.0"), becomes(member, "ready", true)};
    return action;
}

void LawPlan::roll(const std::string& member) {
    stop(member);
    install(member);
    start(member);
}

void LawPlan::gate() {
    model::Action& action = act("gate", Verb::gate, "");
    action.host.clear();
    action.request = {};
    action.gate = "return";
    action.reason = "no way back from here";
    action.is_point_of_no_return = true;
}

void LawPlan::beside(model::Plan& plan) {
    plan.actions.back().predecessors = plan.actions[plan.actions.size() - 2].predecessors;
}

model::Effect becomes(const std::string& member, const std::string& fact, const Json& value) {
    return {EffectKind::becomes, member, fact, value};
}

model::Effect on_store(EffectKind kind, const std::string& member) {
    return {kind, member, "data", {}};
}

model::Condition is(const std::string& fact, const Json& value, bool of_member) {
    return {.fact = fact,
            .role = of_member ? "db" : "",
            .quantifier = of_member ? model::Quantifier::self : model::Quantifier::system,
            .operand = value,
            .type = value.is_bool() ? model::FactType::boolean : model::FactType::text};
}

Report check_law(const model::Plan& plan, const Faults& faults) {
    Options options;
    options.faults = faults;
    return check(plan, options);
}

}  // namespace drydock::checker
