// Writes a plan as canonical JSON, and computes its digests.
//
// The JSON class sorts keys, so the order of the calls here has no effect. A key that was added to
// the format later is written only when it has another value than its default: plans made before
// keep their digests. The digest covers everything but itself and the checker's verdict.
#include "base/hash.h"
#include "model/plan.h"

namespace drydock::model {

namespace {

Json strings_to_json(const std::vector<std::string>& strings) {
    Json::Array array(strings.begin(), strings.end());
    return Json(std::move(array));
}

template <class T, class Write>
Json list_to_json(const std::vector<T>& list, Write write) {
    Json::Array array;
    for (const T& element : list) {
        array.push_back(write(element));
    }
    return Json(std::move(array));
}

Json conditions_to_json(const std::vector<Condition>& conditions) {
    return list_to_json(conditions, [](const Condition& condition) { return to_json(condition); });
}

Json effect_to_json(const Effect& effect) {
    Json json;
    json.set("kind", std::string(name_of(effect.kind)))
        .set("member", effect.member)
        .set("name", effect.name)
        .set("value", effect.value);
    if (effect.own) {
        json.set("own", true);
    }
    return json;
}

// Writes an action; optional keys are left out at their default value.
// Conditions, effects and requests are written in full: the run needs no pack.
Json action_to_json(const Action& action) {
    Json json;
    json.set("id", action.id)
        .set("phase", action.phase)
        .set("verb", std::string(name_of(action.verb)));
    json.set("title", action.title)
        .set("why", action.rationale)
        .set("remedy", action.remedy)
        .set("source", action.source);
    json.set("member", action.member).set("host", action.host);
    json.set("after", list_to_json(action.predecessors, [](std::size_t index) {
                 return Json(std::uint64_t{index});
             }));
    json.set("when", conditions_to_json(action.applies_if))
        .set("guard", conditions_to_json(action.preconditions));
    json.set("then", conditions_to_json(action.postconditions))
        .set("happened", conditions_to_json(action.completion_check));
    json.set("broken", conditions_to_json(action.fail_fast_if));
    json.set("repeatable", std::string(name_of(action.repeatable)))
        .set("attempts", action.attempts);
    json.set("within_ms", action.timeout_ms)
        .set("patience_ms", action.guard_timeout_ms)
        .set("keep", action.standing);
    json.set("takes_ms", action.expected_ms);
    if (action.optional) {
        json.set("optional", true);
    }
    if (action.stall_ms > 0) {
        json.set("stall_ms", action.stall_ms);
    }
    if (action.cancellable) {
        json.set("cancellable", true);
    }
    json.set("request", action.request)
        .set("effects", list_to_json(action.effects, effect_to_json));
    if (!action.meanwhile.empty()) {
        json.set("while", list_to_json(action.meanwhile, effect_to_json));
    }
    if (!action.alone.empty()) {
        json.set("alone", strings_to_json(action.alone));
    }
    json.set("gate", action.gate).set("soak_ms", action.soak_ms).set("reason", action.reason);
    json.set("returns_here", action.is_point_of_no_return);
    return json;
}

Json host_to_json(const Host& host) {
    Json json;
    json.set("connect", strings_to_json(host.connect)).set("become", strings_to_json(host.become));
    json.set("agent", host.agent).set("state", host.state_dir);
    return json;
}

// The key of a source is its key in the map, and is not repeated.
Json source_to_json(const FactSource& source) {
    Json json;
    json.set("member", source.member)
        .set("name", source.name)
        .set("type", std::string(name_of(source.type)));
    json.set("binds", std::string(name_of(source.standard_fact)))
        .set("moves", source.is_volatile)
        .set("identity", source.identity);
    json.set("host", source.host)
        .set("probe", source.probe)
        .set("derive", std::string(name_of(source.derive)));
    json.set("inputs", strings_to_json(source.inputs));
    if (source.temporary != Temporary::no) {
        json.set("temporary", std::string(name_of(source.temporary)));
    }
    if (source.skips_unknown) {
        json.set("skips_unknown", true);
    }
    return json;
}

// Writes status and value only. Evidence and times would change the digest at every reading.
Json planned_to_json(const FactBook& planned) {
    Json json = Json::Object{};
    for (const auto& [key, observation] : planned) {
        json.set(key,
                 observation.status == ObservationStatus::known
                     ? Json(Json::Array{observation.value})
                     : Json(Json::Array{}));
    }
    return json;
}

// The value is a list, as in `facts`.
Json temporary_to_json(const TemporaryFact& fact) {
    const bool is_known = fact.value.status == ObservationStatus::known;
    Json json;
    json.set("fact", fact.key).set("temporary", std::string(name_of(fact.temporary)));
    return json.set("value", Json(is_known ? Json::Array{fact.value.value} : Json::Array{}));
}

// Only the origin of a secret is written, never its value.
Json secret_to_json(const SecretSource& secret) {
    Json json;
    json.set("kind", std::string(name_of(secret.kind))).set("from", strings_to_json(secret.origin));
    return json;
}

Json return_point_to_json(const ReturnPoint& point) {
    Json json;
    json.set("exists", point.exists)
        .set("action", point.action)
        .set("gate", point.gate)
        .set("store", point.store);
    json.set("law", point.law).set("because", point.because).set("source", point.source);
    if (!point.further_actions.empty()) {
        json.set("others", strings_to_json(point.further_actions));
    }
    return json;
}

template <class Map, class Write>
Json map_to_json(const Map& map, Write write) {
    Json json = Json::Object{};
    for (const auto& [key, value] : map) {
        json.set(key, write(value));
    }
    return json;
}

// Writes a rule of the plan; store_law_to_json() writes that of a release.
Json law_to_json(const FormatRule& law) {
    Json json;
    json.set("store", law.store)
        .set("role", law.role)
        .set("levels", strings_to_json(law.levels))
        .set("raises", std::string(name_of(law.trigger)));
    json.set("series", law.series).set("becomes", law.becomes).set("closes", law.blocks_downgrade);
    json.set("source", law.source);
    return json;
}

Json store_law_to_json(const FormatSupport& law) {
    Json json;
    json.set("reads", strings_to_json(law.reads)).set("writes", law.writes);
    json.set("raises", std::string(name_of(law.trigger)));
    json.set("lowers_on_request", law.lowers_on_request);
    if (!law.starts_on.empty()) {
        json.set("starts_on", strings_to_json(law.starts_on));
    }
    return law.alone ? json.set("alone", true) : json;
}

Json store_to_json(const PlanStore& store) {
    Json json;
    json.set("name", store.name).set("role", store.role).set("shared", store.shared);
    json.set("opened_by", strings_to_json(store.opened_by));
    json.set("levels", strings_to_json(store.levels));
    json.set("formats", strings_to_json(store.formats));
    if (store.leader_only) {
        json.set("leader_only", true);
    }
    if (!store.clean_stop.empty()) {
        json.set("clean_stop", strings_to_json(store.clean_stop));
    }
    if (store.newest_last_stopped) {
        json.set("newest", "last_stopped");
    }
    if (!store.read_by.empty()) {
        json.set("read_by", store.read_by);
    }
    return json.set("laws", map_to_json(store.laws, store_law_to_json));
}

Json skew_to_json(const SkewRule& rule) {
    Json json;
    json.set("role", rule.role).set("with", rule.peer_role).set("series_apart", rule.max_skew);
    return json.set("newer", rule.newer).set("source", rule.source);
}

Json way_to_json(const RecoveryOption& way) {
    Json json;
    json.set("phase", way.phase)
        .set("kind", std::string(name_of(way.kind)))
        .set("cost", way.cost)
        .set("command", way.command);
    return json;
}

Json risk_to_json(const RiskNote& risk) {
    Json json;
    json.set("id", risk.id)
        .set("because", risk.because)
        .set("source", risk.source)
        .set("state", std::string(name_of(risk.state)));
    return json;
}

Json group_to_json(const QuorumGroup& group) {
    Json json;
    json.set("name", group.name).set("kind", std::string(name_of(group.kind)));
    json.set("count", group.count).set("members", strings_to_json(group.members));
    return json.set("domains", strings_to_json(group.domains));
}

Json role_to_json(const PlanRole& role) {
    Json json;
    json.set("name", role.name).set("quorum", role.quorum);
    if (!role.groups.empty()) {
        json.set("groups", list_to_json(role.groups, group_to_json));
    }
    if (!role.restarts) {
        json.set("restarts", false);
    }
    if (role.ready_with > 0) {
        json.set("ready_with", role.ready_with);
    }
    return json.set("members", strings_to_json(role.members));
}

// The keys that describe the plan as a whole.
Json header_to_json(const Plan& plan) {
    Json json;
    json.set("run", plan.run).set("roles", list_to_json(plan.roles, role_to_json));
    json.set("format", k_plan_format)
        .set("cluster", plan.cluster)
        .set("cluster_file", plan.cluster_file);
    json.set("state", plan.state_dir)
        .set("system", plan.system)
        .set("pack_digest", plan.pack_digest);
    json.set("procedure", plan.procedure).set("kind", plan.kind).set("title", plan.title);
    json.set("from", plan.from_version)
        .set("to", plan.to_version)
        .set("route", strings_to_json(plan.route));
    json.set("on_failure", std::string(name_of(plan.on_failure)))
        .set("returns_from", plan.reverts_run);
    if (!plan.facts_file.empty()) {
        json.set("facts_file", plan.facts_file);
    }
    return json.set("skipped", strings_to_json(plan.notes));
}

// Writes everything that the digest covers.
Json body_to_json(const Plan& plan) {
    Json json = header_to_json(plan);
    json.set("hosts", map_to_json(plan.hosts, host_to_json));
    json.set("sources", map_to_json(plan.sources, source_to_json));
    json.set("member_hosts",
             map_to_json(plan.member_hosts, [](const std::string& host) { return Json(host); }));
    json.set("facts", planned_to_json(plan.bound_facts)).set("facts_digest", plan.facts_digest());
    json.set("seen", planned_to_json(plan.survey_facts));
    if (!plan.temporaries.empty()) {
        json.set("temporaries", list_to_json(plan.temporaries, temporary_to_json));
    }
    json.set("actions", list_to_json(plan.actions, action_to_json));
    json.set("laws", list_to_json(plan.laws, law_to_json));
    json.set("stores", list_to_json(plan.stores, store_to_json));
    json.set("skew", list_to_json(plan.skew, skew_to_json));
    json.set("series_apart", plan.max_skew);
    json.set("point_of_no_return", return_point_to_json(plan.point_of_no_return));
    json.set("ways_back", list_to_json(plan.ways_back, way_to_json));
    json.set("risks", list_to_json(plan.risks, risk_to_json));
    json.set("secrets", map_to_json(plan.secrets, secret_to_json));
    return json;
}

}  // namespace

// Returns the digest of the bound facts alone, which people can compare between two plans.
std::string Plan::facts_digest() const {
    return sha256_hex(planned_to_json(bound_facts).dump());
}

std::string Plan::digest() const {
    return sha256_hex(body_to_json(*this).dump());
}

// The verdict is added last, outside the digest that it is bound to.
Json to_json(const Plan& plan) {
    Json json = body_to_json(plan);
    json.set("digest", sha256_hex(json.dump()));
    return plan.check.is_null() ? json : json.set("check", plan.check);
}

}  // namespace drydock::model
