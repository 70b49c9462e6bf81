// Reads a plan from its JSON, and refuses a file that could do harm.
//
// A plan may come from any disk, so it is not believed. The digest shows an edit. plan_checks.h
// says what is asked of names, words, requests and references.
//
// The last check writes the plan again and compares digests: a key that this program does not know
// would otherwise be ignored in silence, and an ignored guard is a missing guard.
#include "base/hash.h"
#include "model/plan.h"
#include "model/plan_checks.h"

#include <fmt/format.h>

namespace drydock::model {

namespace {

std::vector<std::string> strings_from(const Json& json) {
    std::vector<std::string> strings;
    for (const Json& item : json.items()) {
        strings.push_back(item.as_string());
    }
    return strings;
}

Status read_conditions(const Json& json, std::vector<Condition>& conditions) {
    for (const Json& item : json.items()) {
        DRYDOCK_TRY_ASSIGN(Condition condition, condition_from_json(item));
        conditions.push_back(std::move(condition));
    }
    return {};
}

// Reads one of the names of an enum. A plan with another name was written by another program.
template <class Enum, Enum last>
Result<Enum> enum_from(const EnumNames<Enum, last>& names, const Json& json, const char* key) {
    const std::string& name = json[key].as_string();
    if (const auto value = names.parse(name)) {
        return *value;
    }
    return fail("plan.value",
                fmt::format("the plan has an unknown `{}`: \"{}\"", key, name),
                "plan again with this drydock");
}

Result<Effect> effect_from(const Json& json) {
    DRYDOCK_TRY_ASSIGN(const EffectKind kind, enum_from(k_effect_kinds, json, "kind"));
    return Effect{kind,
                  json["member"].as_string(),
                  json["name"].as_string(),
                  json["value"],
                  json["own"].as_bool()};
}

Status read_action_conditions(const Json& json, Action& action) {
    DRYDOCK_TRY(read_conditions(json["when"], action.applies_if));
    DRYDOCK_TRY(read_conditions(json["guard"], action.preconditions));
    DRYDOCK_TRY(read_conditions(json["then"], action.postconditions));
    DRYDOCK_TRY(read_conditions(json["happened"], action.completion_check));
    return read_conditions(json["broken"], action.fail_fast_if);
}

// Reads an action. Predecessors stand before it, so the list of actions has no circle.
Result<Action> action_from(const Json& json, std::size_t index) {
    Action action;
    const auto verb = k_verbs.parse(json["verb"].as_string());
    action.id = json["id"].as_string();
    if (!verb || action.id.empty()) {
        return fail(
            "plan.action",
            fmt::format("action {} has no id or an unknown verb `{}`", index, json["verb"].show()));
    }
    for (const Json& item : json["after"].items()) {
        const auto predecessor = item.as_uint();
        if (!predecessor || *predecessor >= index) {
            return fail(
                "plan.order",
                fmt::format("action {} stands before what it needs ({})", action.id, item.show()));
        }
        action.predecessors.push_back(*predecessor);
    }
    DRYDOCK_TRY(read_action_conditions(json, action));
    action.verb = *verb;
    action.phase = json["phase"].as_string();
    action.title = json["title"].as_string();
    action.rationale = json["why"].as_string();
    action.remedy = json["remedy"].as_string();
    action.source = json["source"].as_string();
    action.member = json["member"].as_string();
    action.host = json["host"].as_string();
    action.repeatable =
        k_repeatables.parse(json["repeatable"].as_string()).value_or(Repeatable::probe);
    action.attempts = static_cast<int>(json["attempts"].as_int(1));
    action.timeout_ms = json["within_ms"].as_int();
    action.guard_timeout_ms = json["patience_ms"].as_int();
    action.expected_ms = json["takes_ms"].as_int();
    action.stall_ms = json["stall_ms"].as_int();
    action.cancellable = json["cancellable"].as_bool();
    action.standing = json["keep"].as_bool();
    action.optional = json["optional"].as_bool();
    action.request = json["request"];
    for (const Json& item : json["effects"].items()) {
        DRYDOCK_TRY_ASSIGN(Effect effect, effect_from(item));
        action.effects.push_back(std::move(effect));
    }
    for (const Json& item : json["while"].items()) {
        DRYDOCK_TRY_ASSIGN(Effect effect, effect_from(item));
        action.meanwhile.push_back(std::move(effect));
    }
    action.alone = strings_from(json["alone"]);
    action.gate = json["gate"].as_string();
    action.soak_ms = json["soak_ms"].as_int();
    action.reason = json["reason"].as_string();
    action.is_point_of_no_return = json["returns_here"].as_bool();
    return action;
}

// An address of a host: how to connect, as which user, and where its agent keeps its state.
Host host_from(const std::string& name, const Json& json) {
    return {name,
            strings_from(json["connect"]),
            strings_from(json["become"]),
            json["agent"].as_string(),
            json["state"].as_string(),
            {}};
}

// Reads how a fact is read. The probe is passed on to the agent as it is.
Result<FactSource> source_from(const std::string& key, const Json& json) {
    FactSource source;
    source.key = key;
    source.member = json["member"].as_string();
    source.name = json["name"].as_string();
    source.type = k_fact_types.parse(json["type"].as_string()).value_or(FactType::text);
    DRYDOCK_TRY_ASSIGN(source.standard_fact, enum_from(k_standard_facts, json, "binds"));
    source.is_volatile = json["moves"].as_bool();
    source.identity = json["identity"].as_bool();
    source.host = json["host"].as_string();
    source.probe = json["probe"];
    DRYDOCK_TRY_ASSIGN(source.derive, enum_from(k_derivations, json, "derive"));
    source.inputs = strings_from(json["inputs"]);
    source.skips_unknown = json["skips_unknown"].as_bool();
    DRYDOCK_TRY_ASSIGN(source.temporary, enum_from(k_temporaries, json, "temporary"));
    return source;
}

// An empty list stands for an absent value, a list of one for a known one.
Observation planned_value(const Json& value) {
    const bool is_known = !value.items().empty();
    return {is_known ? ObservationStatus::known : ObservationStatus::absent,
            is_known ? value.items().front() : Json(),
            "the plan",
            0};
}

FactBook planned_from(const Json& json) {
    FactBook book;
    for (const auto& [key, value] : json.members()) {
        book[key] = planned_value(value);
    }
    return book;
}

Result<TemporaryFact> temporary_from(const Json& json) {
    DRYDOCK_TRY_ASSIGN(const Temporary temporary, enum_from(k_temporaries, json, "temporary"));
    return TemporaryFact{json["fact"].as_string(), planned_value(json["value"]), temporary};
}

ReturnPoint return_point_from(const Json& json) {
    return {json["exists"].as_bool(),
            json["action"].as_string(),
            json["gate"].as_string(),
            json["store"].as_string(),
            json["law"].as_string(),
            json["because"].as_string(),
            json["source"].as_string(),
            strings_from(json["others"])};
}

FormatSupport store_law_from(const Json& json) {
    FormatSupport law;
    law.reads = strings_from(json["reads"]);
    law.writes = json["writes"].as_string();
    law.trigger =
        k_format_triggers.parse(json["raises"].as_string()).value_or(FormatTrigger::never);
    law.lowers_on_request = json["lowers_on_request"].as_bool();
    law.starts_on = strings_from(json["starts_on"]);
    law.alone = json["alone"].as_bool();
    return law;
}

PlanStore store_from(const Json& json) {
    PlanStore store;
    store.name = json["name"].as_string();
    store.role = json["role"].as_string();
    store.shared = json["shared"].as_bool();
    store.opened_by = strings_from(json["opened_by"]);
    store.levels = strings_from(json["levels"]);
    store.formats = strings_from(json["formats"]);
    store.leader_only = json["leader_only"].as_bool();
    store.clean_stop = strings_from(json["clean_stop"]);
    store.newest_last_stopped = json["newest"].as_string() == "last_stopped";
    store.read_by = json["read_by"].as_string();
    for (const auto& [release, law] : json["laws"].members()) {
        store.laws.emplace(release, store_law_from(law));
    }
    return store;
}

SkewRule skew_from(const Json& json) {
    return {json["role"].as_string(),
            json["with"].as_string(),
            static_cast<int>(json["series_apart"].as_int()),
            json["newer"].as_bool(),
            json["source"].as_string(),
            {}};
}

Result<FormatRule> law_from(const Json& json) {
    DRYDOCK_TRY_ASSIGN(const FormatTrigger raises, enum_from(k_format_triggers, json, "raises"));
    return FormatRule{json["store"].as_string(),
                      json["role"].as_string(),
                      strings_from(json["levels"]),
                      raises,
                      json["series"].as_string(),
                      json["becomes"].as_string(),
                      json["closes"].as_bool(),
                      json["source"].as_string()};
}

Result<RecoveryOption> way_from(const Json& json) {
    DRYDOCK_TRY_ASSIGN(const RecoveryKind kind, enum_from(k_recovery_kinds, json, "kind"));
    return RecoveryOption{
        json["phase"].as_string(), kind, json["cost"].as_string(), json["command"].as_string()};
}

Result<RiskNote> risk_from(const Json& json) {
    DRYDOCK_TRY_ASSIGN(const RiskState state, enum_from(k_risk_states, json, "state"));
    return RiskNote{
        json["id"].as_string(), json["because"].as_string(), json["source"].as_string(), state};
}

Result<QuorumGroup> group_from(const Json& json) {
    DRYDOCK_TRY_ASSIGN(const QuorumKind kind, enum_from(k_quorum_kinds, json, "kind"));
    return QuorumGroup{json["name"].as_string(),
                       kind,
                       static_cast<int>(json["count"].as_int()),
                       strings_from(json["members"]),
                       strings_from(json["domains"])};
}

Result<PlanRole> role_from(const Json& json) {
    PlanRole role;
    role.name = json["name"].as_string();
    role.quorum = static_cast<int>(json["quorum"].as_int());
    role.members = strings_from(json["members"]);
    for (const Json& item : json["groups"].items()) {
        DRYDOCK_TRY_ASSIGN(QuorumGroup group, group_from(item));
        role.groups.push_back(std::move(group));
    }
    role.restarts = json["restarts"].as_bool(true);
    role.ready_with = static_cast<int>(json["ready_with"].as_int());
    return role;
}

// Reads the keys that describe the plan as a whole.
Status read_header(const Json& json, Plan& plan) {
    plan.run = json["run"].as_string();
    plan.cluster = json["cluster"].as_string();
    plan.cluster_file = json["cluster_file"].as_string();
    plan.state_dir = json["state"].as_string();
    plan.system = json["system"].as_string();
    plan.pack_digest = json["pack_digest"].as_string();
    plan.procedure = json["procedure"].as_string();
    plan.kind = json["kind"].as_string();
    plan.title = json["title"].as_string();
    plan.from_version = json["from"].as_string();
    plan.to_version = json["to"].as_string();
    plan.route = strings_from(json["route"]);
    for (const Json& item : json["roles"].items()) {
        DRYDOCK_TRY_ASSIGN(PlanRole role, role_from(item));
        plan.roles.push_back(std::move(role));
    }
    DRYDOCK_TRY_ASSIGN(plan.on_failure, enum_from(k_failure_policies, json, "on_failure"));
    plan.reverts_run = json["returns_from"].as_string();
    plan.facts_file = json["facts_file"].as_string();
    plan.notes = strings_from(json["skipped"]);
    return {};
}

// Reads the maps: hosts, sources, members, secrets, and the facts of the survey.
Status read_maps(const Json& json, Plan& plan) {
    for (const auto& [name, host] : json["hosts"].members()) {
        plan.hosts.emplace(name, host_from(name, host));
    }
    for (const auto& [key, source] : json["sources"].members()) {
        DRYDOCK_TRY_ASSIGN(FactSource read, source_from(key, source));
        plan.sources.emplace(key, std::move(read));
    }
    for (const auto& [member, host] : json["member_hosts"].members()) {
        plan.member_hosts.emplace(member, host.as_string());
    }
    for (const auto& [name, secret] : json["secrets"].members()) {
        DRYDOCK_TRY_ASSIGN(const SecretKind kind, enum_from(k_secret_kinds, secret, "kind"));
        plan.secrets.emplace(name, SecretSource{kind, strings_from(secret["from"])});
    }
    plan.bound_facts = planned_from(json["facts"]);
    plan.survey_facts = planned_from(json["seen"]);
    for (const Json& item : json["temporaries"].items()) {
        DRYDOCK_TRY_ASSIGN(TemporaryFact fact, temporary_from(item));
        plan.temporaries.push_back(std::move(fact));
    }
    return {};
}

// Reads the rules, the stores, the point of no return, the ways back and the risks.
Status read_notes(const Json& json, Plan& plan) {
    for (const Json& law : json["laws"].items()) {
        DRYDOCK_TRY_ASSIGN(FormatRule rule, law_from(law));
        plan.laws.push_back(std::move(rule));
    }
    for (const Json& store : json["stores"].items()) {
        plan.stores.push_back(store_from(store));
    }
    for (const Json& rule : json["skew"].items()) {
        plan.skew.push_back(skew_from(rule));
    }
    plan.max_skew = static_cast<int>(json["series_apart"].as_int());
    plan.point_of_no_return = return_point_from(json["point_of_no_return"]);
    for (const Json& way : json["ways_back"].items()) {
        DRYDOCK_TRY_ASSIGN(RecoveryOption option, way_from(way));
        plan.ways_back.push_back(std::move(option));
    }
    for (const Json& risk : json["risks"].items()) {
        DRYDOCK_TRY_ASSIGN(RiskNote note, risk_from(risk));
        plan.risks.push_back(std::move(note));
    }
    return {};
}

}  // namespace

// Checks the format before the digest: the digest of another format says nothing.
Result<Plan> plan_from_json(const Json& json) {
    if (!json.is_object() || !json.contains("format") || !json.contains("actions")) {
        return fail("plan.kind",
                    "this is no drydock plan",
                    "make one: drydock plan -c CLUSTER --to VERSION -o plan.json");
    }
    if (json["format"].as_int() != k_plan_format) {
        return fail("plan.format",
                    fmt::format("the plan has format {}, this drydock reads {}",
                                json["format"].show(),
                                k_plan_format),
                    "plan again with this drydock");
    }
    Json::Object members = json.members();
    members.erase("digest");
    members.erase("check");
    if (sha256_hex(Json(std::move(members)).dump()) != json["digest"].as_string()) {
        return fail("plan.digest",
                    "the plan was edited after it was made: its digest does not match its content",
                    "plan again; a plan is reviewed and run unchanged");
    }
    Plan plan;
    DRYDOCK_TRY(read_header(json, plan));
    DRYDOCK_TRY(read_maps(json, plan));
    DRYDOCK_TRY(read_notes(json, plan));
    for (const Json& item : json["actions"].items()) {
        DRYDOCK_TRY_ASSIGN(Action action, action_from(item, plan.actions.size()));
        plan.actions.push_back(std::move(action));
    }
    DRYDOCK_TRY(check_plan(plan));
    plan.check = json["check"];
    // The digest of the file fits its text; this one shows that every key of it was read.
    if (plan.digest() != json["digest"].as_string()) {
        return fail("plan.unknown_keys",
                    "the plan holds keys that this drydock does not know",
                    "plan again with this drydock");
    }
    return plan;
}

}  // namespace drydock::model
