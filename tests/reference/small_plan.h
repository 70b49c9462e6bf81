// Small plans, written by hand: two or three members and a chain of steps.
#pragma once

#include "reference/reference.h"

#include <string>
#include <vector>

namespace drydock::reference {

// An upgrade of n1, n2, ... from 1.0 to 2.0, one step after the other.
class SmallPlan {
public:
    explicit SmallPlan(std::size_t members) {
        plan.procedure = "upgrade";
        plan.kind = "offline";
        plan.from_version = "1.0";
        plan.to_version = "2.0";
        plan.max_skew = 1;
        plan.roles.push_back({"node", 0, {}});
        for (std::size_t i = 1; i <= members; ++i) {
            const std::string member = "n" + std::to_string(i);
            plan.roles.front().members.push_back(member);
            fact(member, "running", model::StandardFact::running, "1.0");
            fact(member, "installed", model::StandardFact::installed, "1.0");
            fact(member, "ready", model::StandardFact::ready, true);
        }
    }

    void fact(const std::string& member,
              const std::string& name,
              model::StandardFact binds,
              Json value) {
        model::FactSource source;
        source.key = model::fact_key(member, name);
        source.member = member;
        source.name = name;
        source.standard_fact = binds;
        plan.sources[source.key] = source;
        plan.bound_facts[source.key] = {value.is_null() ? model::ObservationStatus::absent
                                                        : model::ObservationStatus::known,
                                        std::move(value),
                                        "",
                                        0};
    }

    // The old release reads format 1, the new one both; it can be lowered again.
    model::PlanStore& store(model::FormatTrigger raises, bool shared) {
        model::PlanStore store;
        store.name = "data";
        store.role = "node";
        store.opened_by = {"node"};
        store.shared = shared;
        store.formats = {"1", "2"};
        store.laws["1.0"].reads = {"1"};
        store.laws["1.0"].writes = "1";
        store.laws["2.0"].reads = {"1", "2"};
        store.laws["2.0"].writes = "2";
        store.laws["2.0"].trigger = raises;
        store.laws["2.0"].lowers_on_request = true;
        plan.stores.push_back(store);
        return plan.stores.back();
    }

    model::Action& add(model::Verb verb, const std::string& member) {
        model::Action action;
        action.id = std::string(name_of(verb)) + std::to_string(plan.actions.size());
        action.verb = verb;
        action.member = member;
        action.request.set("run", action.id);
        action.repeatable = model::Repeatable::yes;
        action.remedy = "a person helps";
        if (!plan.actions.empty()) {
            action.predecessors = {plan.actions.size() - 1};
        }
        plan.actions.push_back(action);
        return plan.actions.back();
    }

    model::Action& moves(model::Verb verb, const std::string& member, const Json& running) {
        model::Action& action = add(verb, member);
        action.effects.push_back({model::EffectKind::becomes, member, "running", running});
        return action;
    }

    model::Action& becomes(const std::string& member, const std::string& fact, const Json& value) {
        model::Action& action = add(model::Verb::run, member);
        action.effects.push_back({model::EffectKind::becomes, member, fact, value});
        return action;
    }

    model::Action& acts_on_store(model::Verb verb, model::EffectKind kind) {
        model::Action& action = add(verb, "");
        action.effects.push_back({kind, "", "data", {}});
        return action;
    }

    void stop(const std::string& member) { moves(model::Verb::stop, member, {}); }

    void install(const std::string& member) { becomes(member, "installed", "2.0"); }

    model::Action& start(const std::string& member) {
        return moves(model::Verb::start, member, "2.0");
    }

    void roll(const std::string& member) {
        stop(member);
        install(member);
        start(member);
    }

    // "quorum, stuck", or "nothing".
    [[nodiscard]] std::string broken(const checker::Faults& faults = {0, 0, 0, 0, 0}) const {
        Request request;
        request.faults = faults;
        return names(explore(plan, request));
    }

    model::Plan plan;
};

// All members are stopped and have the new release installed; nobody was started yet.
[[nodiscard]] inline SmallPlan all_stopped_first(std::size_t members) {
    SmallPlan small(members);
    for (const std::string& member : small.plan.roles.front().members) {
        small.stop(member);
        small.install(member);
    }
    return small;
}

// "This member is ready."
[[nodiscard]] inline model::Condition ready_self() {
    model::Condition ready;
    ready.fact = "ready";
    ready.role = "node";
    ready.quantifier = model::Quantifier::self;
    ready.relation = model::Relation::is;
    ready.operand = true;
    ready.type = model::FactType::boolean;
    return ready;
}

}  // namespace drydock::reference
