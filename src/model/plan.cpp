#include "model/plan.h"

#include "base/hash.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>

namespace drydock::model {

namespace {

Json strings_to_json(const std::vector<std::string>& strings) {
    Json::Array out(strings.begin(), strings.end());
    return Json(std::move(out));
}

std::vector<std::string> strings_from(const Json& json) {
    std::vector<std::string> out;
    for (const Json& item : json.items()) {
        out.push_back(item.as_string());
    }
    return out;
}

template <class T, class Write>
Json list_to_json(const std::vector<T>& list, Write write) {
    Json::Array out;
    for (const T& one : list) {
        out.push_back(write(one));
    }
    return Json(std::move(out));
}

Json conditions_to_json(const std::vector<Condition>& conditions) {
    return list_to_json(conditions, [](const Condition& one) { return to_json(one); });
}

Status read_conditions(const Json& json, std::vector<Condition>& out) {
    for (const Json& item : json.items()) {
        DRYDOCK_TRY_ASSIGN(Condition condition, condition_from_json(item));
        out.push_back(std::move(condition));
    }
    return {};
}

Json effect_to_json(const Effect& effect) {
    Json json;
    json.set("kind", effect.kind)
        .set("member", effect.member)
        .set("name", effect.name)
        .set("value", effect.value);
    return json;
}

Effect effect_from(const Json& json) {
    return {json["kind"].as_string(),
            json["member"].as_string(),
            json["name"].as_string(),
            json["value"]};
}

Json action_to_json(const Action& action) {
    Json json;
    json.set("id", action.id)
        .set("phase", action.phase)
        .set("verb", std::string(name_of(action.verb)));
    json.set("title", action.title)
        .set("why", action.why)
        .set("remedy", action.remedy)
        .set("source", action.source);
    json.set("member", action.member).set("host", action.host);
    json.set("after", list_to_json(action.after, [](std::size_t index) {
                 return Json(std::uint64_t{index});
             }));
    json.set("when", conditions_to_json(action.when))
        .set("guard", conditions_to_json(action.guard));
    json.set("then", conditions_to_json(action.then))
        .set("happened", conditions_to_json(action.happened));
    json.set("broken", conditions_to_json(action.broken));
    json.set("repeatable", std::string(name_of(action.repeatable)))
        .set("attempts", action.attempts);
    json.set("within_ms", action.within_ms)
        .set("patience_ms", action.patience_ms)
        .set("keep", action.keep);
    json.set("takes_ms", action.takes_ms);
    json.set("request", action.request)
        .set("effects", list_to_json(action.effects, effect_to_json));
    json.set("gate", action.gate).set("soak_ms", action.soak_ms).set("reason", action.reason);
    json.set("returns_here", action.returns_here);
    return json;
}

Repeatable repeatable_from(std::string_view name) {
    if (name == "yes") {
        return Repeatable::yes;
    }
    return name == "no" ? Repeatable::no : Repeatable::probe;
}

Status read_action_conditions(const Json& json, Action& action) {
    DRYDOCK_TRY(read_conditions(json["when"], action.when));
    DRYDOCK_TRY(read_conditions(json["guard"], action.guard));
    DRYDOCK_TRY(read_conditions(json["then"], action.then));
    DRYDOCK_TRY(read_conditions(json["happened"], action.happened));
    return read_conditions(json["broken"], action.broken);
}

Result<Action> action_from(const Json& json, std::size_t index) {
    Action action;
    const auto verb = verb_from(json["verb"].as_string());
    action.id = json["id"].as_string();
    if (!verb || action.id.empty()) {
        return fail(
            "plan.action",
            fmt::format("action {} has no id or an unknown verb `{}`", index, json["verb"].show()));
    }
    for (const Json& item : json["after"].items()) {
        const auto before = item.as_uint();
        if (!before || *before >= index) {
            return fail(
                "plan.order",
                fmt::format("action {} stands before what it needs ({})", action.id, item.show()));
        }
        action.after.push_back(*before);
    }
    DRYDOCK_TRY(read_action_conditions(json, action));
    action.verb = *verb;
    action.phase = json["phase"].as_string();
    action.title = json["title"].as_string();
    action.why = json["why"].as_string();
    action.remedy = json["remedy"].as_string();
    action.source = json["source"].as_string();
    action.member = json["member"].as_string();
    action.host = json["host"].as_string();
    action.repeatable = repeatable_from(json["repeatable"].as_string());
    action.attempts = static_cast<int>(json["attempts"].as_int(1));
    action.within_ms = json["within_ms"].as_int();
    action.patience_ms = json["patience_ms"].as_int();
    action.takes_ms = json["takes_ms"].as_int();
    action.keep = json["keep"].as_bool();
    action.request = json["request"];
    for (const Json& item : json["effects"].items()) {
        action.effects.push_back(effect_from(item));
    }
    action.gate = json["gate"].as_string();
    action.soak_ms = json["soak_ms"].as_int();
    action.reason = json["reason"].as_string();
    action.returns_here = json["returns_here"].as_bool();
    return action;
}

Json host_to_json(const Host& host) {
    Json json;
    json.set("connect", strings_to_json(host.connect)).set("become", strings_to_json(host.become));
    json.set("agent", host.agent).set("state", host.state);
    return json;
}

Host host_from(const std::string& name, const Json& json) {
    return {name,
            strings_from(json["connect"]),
            strings_from(json["become"]),
            json["agent"].as_string(),
            json["state"].as_string()};
}

Json source_to_json(const FactSource& source) {
    Json json;
    json.set("member", source.member)
        .set("name", source.name)
        .set("type", std::string(name_of(source.type)));
    json.set("binds", source.binds).set("moves", source.moves).set("identity", source.identity);
    json.set("host", source.host).set("probe", source.probe).set("derive", source.derive);
    json.set("inputs", strings_to_json(source.inputs));
    return json;
}

FactSource source_from(const std::string& key, const Json& json) {
    FactSource source;
    source.key = key;
    source.member = json["member"].as_string();
    source.name = json["name"].as_string();
    source.type = fact_type_from(json["type"].as_string());
    source.binds = json["binds"].as_string();
    source.moves = json["moves"].as_bool();
    source.identity = json["identity"].as_bool();
    source.host = json["host"].as_string();
    source.probe = json["probe"];
    source.derive = json["derive"].as_string();
    source.inputs = strings_from(json["inputs"]);
    return source;
}

// Only what was bound: status and value. Evidence and times would change the digest at every
// reading.
Json planned_to_json(const FactBook& planned) {
    Json json = Json::Object{};
    for (const auto& [key, observation] : planned) {
        json.set(key,
                 observation.status == Known::known ? Json(Json::Array{observation.value})
                                                    : Json(Json::Array{}));
    }
    return json;
}

FactBook planned_from(const Json& json) {
    FactBook book;
    for (const auto& [key, value] : json.members()) {
        const bool known = !value.items().empty();
        book[key] = {known ? Known::known : Known::absent,
                     known ? value.items().front() : Json(),
                     "the plan",
                     0};
    }
    return book;
}

Json secret_to_json(const SecretSource& secret) {
    Json json;
    json.set("kind", secret.kind).set("from", strings_to_json(secret.from));
    return json;
}

Json return_point_to_json(const ReturnPoint& point) {
    Json json;
    json.set("exists", point.exists)
        .set("action", point.action)
        .set("gate", point.gate)
        .set("store", point.store);
    json.set("law", point.law).set("because", point.because).set("source", point.source);
    return json;
}

ReturnPoint return_point_from(const Json& json) {
    return {json["exists"].as_bool(),
            json["action"].as_string(),
            json["gate"].as_string(),
            json["store"].as_string(),
            json["law"].as_string(),
            json["because"].as_string(),
            json["source"].as_string()};
}

template <class Map, class Write>
Json map_to_json(const Map& map, Write write) {
    Json json = Json::Object{};
    for (const auto& [key, value] : map) {
        json.set(key, write(value));
    }
    return json;
}

Json law_to_json(const Law& law) {
    Json json;
    json.set("store", law.store)
        .set("role", law.role)
        .set("levels", strings_to_json(law.levels))
        .set("raises", law.raises);
    json.set("series", law.series).set("becomes", law.becomes).set("closes", law.closes);
    json.set("source", law.source);
    return json;
}

Json store_law_to_json(const StoreLaw& law) {
    Json json;
    json.set("reads", strings_to_json(law.reads)).set("writes", law.writes);
    json.set("raises", std::string(name_of(law.raises)));
    return json.set("lowers_on_request", law.lowers_on_request);
}

StoreLaw store_law_from(const Json& json) {
    StoreLaw law;
    law.reads = strings_from(json["reads"]);
    law.writes = json["writes"].as_string();
    law.raises = raises_from(json["raises"].as_string());
    law.lowers_on_request = json["lowers_on_request"].as_bool();
    return law;
}

Json store_to_json(const PlanStore& store) {
    Json json;
    json.set("name", store.name).set("role", store.role).set("shared", store.shared);
    json.set("opened_by", strings_to_json(store.opened_by));
    json.set("formats", strings_to_json(store.formats));
    return json.set("laws", map_to_json(store.laws, store_law_to_json));
}

PlanStore store_from(const Json& json) {
    PlanStore store;
    store.name = json["name"].as_string();
    store.role = json["role"].as_string();
    store.shared = json["shared"].as_bool();
    store.opened_by = strings_from(json["opened_by"]);
    store.formats = strings_from(json["formats"]);
    for (const auto& [release, law] : json["laws"].members()) {
        store.laws.emplace(release, store_law_from(law));
    }
    return store;
}

Json skew_to_json(const SkewRule& rule) {
    Json json;
    json.set("role", rule.role).set("with", rule.with).set("series_apart", rule.series_apart);
    return json.set("newer", rule.newer).set("source", rule.source);
}

SkewRule skew_from(const Json& json) {
    return {json["role"].as_string(),
            json["with"].as_string(),
            static_cast<int>(json["series_apart"].as_int()),
            json["newer"].as_bool(),
            json["source"].as_string(),
            {}};
}

Law law_from(const Json& json) {
    return {json["store"].as_string(),
            json["role"].as_string(),
            strings_from(json["levels"]),
            json["raises"].as_string(),
            json["series"].as_string(),
            json["becomes"].as_string(),
            json["closes"].as_bool(),
            json["source"].as_string()};
}

Json way_to_json(const WayBack& way) {
    Json json;
    json.set("phase", way.phase)
        .set("kind", way.kind)
        .set("cost", way.cost)
        .set("command", way.command);
    return json;
}

Json risk_to_json(const RiskNote& risk) {
    Json json;
    json.set("id", risk.id)
        .set("because", risk.because)
        .set("source", risk.source)
        .set("state", risk.state);
    return json;
}

Json role_to_json(const PlanRole& role) {
    Json json;
    json.set("name", role.name).set("quorum", role.quorum);
    return json.set("members", strings_to_json(role.members));
}

Json header_to_json(const Plan& plan) {
    Json json;
    json.set("run", plan.run).set("roles", list_to_json(plan.roles, role_to_json));
    json.set("format", k_plan_format)
        .set("cluster", plan.cluster)
        .set("cluster_file", plan.cluster_file);
    json.set("state", plan.state).set("system", plan.system).set("pack_digest", plan.pack_digest);
    json.set("procedure", plan.procedure).set("kind", plan.kind).set("title", plan.title);
    json.set("from", plan.from).set("to", plan.to).set("route", strings_to_json(plan.route));
    json.set("on_failure", plan.on_failure).set("returns_from", plan.returns_from);
    json.set("skipped", strings_to_json(plan.skipped));
    return json;
}

// Everything that the digest covers.
Json body_to_json(const Plan& plan) {
    Json json = header_to_json(plan);
    json.set("hosts", map_to_json(plan.hosts, host_to_json));
    json.set("sources", map_to_json(plan.sources, source_to_json));
    json.set("member_hosts",
             map_to_json(plan.member_hosts, [](const std::string& host) { return Json(host); }));
    json.set("facts", planned_to_json(plan.planned)).set("facts_digest", plan.facts_digest());
    json.set("actions", list_to_json(plan.actions, action_to_json));
    json.set("laws", list_to_json(plan.laws, law_to_json));
    json.set("stores", list_to_json(plan.stores, store_to_json));
    json.set("skew", list_to_json(plan.skew, skew_to_json));
    json.set("series_apart", plan.series_apart);
    json.set("point_of_no_return", return_point_to_json(plan.point_of_no_return));
    json.set("ways_back", list_to_json(plan.ways_back, way_to_json));
    json.set("risks", list_to_json(plan.risks, risk_to_json));
    json.set("secrets", map_to_json(plan.secrets, secret_to_json));
    return json;
}

void read_header(const Json& json, Plan& plan) {
    plan.run = json["run"].as_string();
    plan.cluster = json["cluster"].as_string();
    plan.cluster_file = json["cluster_file"].as_string();
    plan.state = json["state"].as_string();
    plan.system = json["system"].as_string();
    plan.pack_digest = json["pack_digest"].as_string();
    plan.procedure = json["procedure"].as_string();
    plan.kind = json["kind"].as_string();
    plan.title = json["title"].as_string();
    plan.from = json["from"].as_string();
    plan.to = json["to"].as_string();
    plan.route = strings_from(json["route"]);
    for (const Json& role : json["roles"].items()) {
        plan.roles.push_back({role["name"].as_string(),
                              static_cast<int>(role["quorum"].as_int()),
                              strings_from(role["members"])});
    }
    plan.on_failure = json["on_failure"].as_string();
    plan.returns_from = json["returns_from"].as_string();
    plan.skipped = strings_from(json["skipped"]);
}

void read_maps(const Json& json, Plan& plan) {
    for (const auto& [name, host] : json["hosts"].members()) {
        plan.hosts.emplace(name, host_from(name, host));
    }
    for (const auto& [key, source] : json["sources"].members()) {
        plan.sources.emplace(key, source_from(key, source));
    }
    for (const auto& [member, host] : json["member_hosts"].members()) {
        plan.member_hosts.emplace(member, host.as_string());
    }
    for (const auto& [name, secret] : json["secrets"].members()) {
        plan.secrets.emplace(
            name, SecretSource{secret["kind"].as_string(), strings_from(secret["from"])});
    }
    plan.planned = planned_from(json["facts"]);
}

void read_notes(const Json& json, Plan& plan) {
    for (const Json& law : json["laws"].items()) {
        plan.laws.push_back(law_from(law));
    }
    for (const Json& store : json["stores"].items()) {
        plan.stores.push_back(store_from(store));
    }
    for (const Json& rule : json["skew"].items()) {
        plan.skew.push_back(skew_from(rule));
    }
    plan.series_apart = static_cast<int>(json["series_apart"].as_int());
    plan.point_of_no_return = return_point_from(json["point_of_no_return"]);
    for (const Json& way : json["ways_back"].items()) {
        plan.ways_back.push_back({way["phase"].as_string(),
                                  way["kind"].as_string(),
                                  way["cost"].as_string(),
                                  way["command"].as_string()});
    }
    for (const Json& risk : json["risks"].items()) {
        plan.risks.push_back({risk["id"].as_string(),
                              risk["because"].as_string(),
                              risk["source"].as_string(),
                              risk["state"].as_string()});
    }
}

// What an action refers to must exist; the runner and the checker rely on it.
Status check_references(const Plan& plan) {
    std::set<std::string_view> ids;
    for (const Action& action : plan.actions) {
        if (!ids.insert(action.id).second) {
            return fail("plan.action", fmt::format("two actions have the id {}", action.id));
        }
        const bool known_host = action.host.empty() || plan.hosts.contains(action.host);
        const bool known_member =
            action.member.empty() || plan.member_hosts.contains(action.member);
        if (!known_host || !known_member || (!action.request.is_null() && action.host.empty())) {
            return fail("plan.reference",
                        fmt::format("action {} names a host or member that the plan does not have",
                                    action.id));
        }
    }
    for (const auto& [key, source] : plan.sources) {
        if (source.derive.empty() && !plan.hosts.contains(source.host)) {
            return fail("plan.reference",
                        fmt::format("fact {} is read on a host that the plan does not have", key));
        }
    }
    return {};
}

}  // namespace

std::string Plan::facts_digest() const {
    return sha256_hex(planned_to_json(planned).dump());
}

std::string Plan::digest() const {
    return sha256_hex(body_to_json(*this).dump());
}

const Action* Plan::find(std::string_view id) const {
    const auto it = std::find_if(
        actions.begin(), actions.end(), [&](const Action& one) { return one.id == id; });
    return it == actions.end() ? nullptr : &*it;
}

std::vector<std::string> Plan::members() const {
    std::vector<std::string> all;
    for (const PlanRole& role : roles) {
        all.insert(all.end(), role.members.begin(), role.members.end());
    }
    return all;
}

Roster Plan::roster() const {
    Roster roster;
    for (const PlanRole& role : roles) {
        roster.emplace(role.name, role.members);
    }
    return roster;
}

Json to_json(const Plan& plan) {
    Json json = body_to_json(plan);
    json.set("digest", sha256_hex(json.dump()));
    return json;
}

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
    Json body = json;
    Json::Object members = body.members();
    members.erase("digest");
    if (sha256_hex(Json(std::move(members)).dump()) != json["digest"].as_string()) {
        return fail("plan.digest",
                    "the plan was edited after it was made: its digest does not match its content",
                    "plan again; a plan is reviewed and run unchanged");
    }
    Plan plan;
    read_header(json, plan);
    read_maps(json, plan);
    read_notes(json, plan);
    for (const Json& item : json["actions"].items()) {
        DRYDOCK_TRY_ASSIGN(Action action, action_from(item, plan.actions.size()));
        plan.actions.push_back(std::move(action));
    }
    DRYDOCK_TRY(check_references(plan));
    if (plan.digest() != json["digest"].as_string()) {
        return fail("plan.unknown_keys",
                    "the plan holds keys that this drydock does not know",
                    "plan again with this drydock");
    }
    return plan;
}

std::vector<std::string>
facts_of(const std::vector<Condition>& conditions, const Plan& plan, const std::string& member) {
    const Roster roster = plan.roster();
    std::vector<std::string> keys;
    for (const Condition& condition : conditions) {
        auto more = facts_of(condition, roster, member);
        std::move(more.begin(), more.end(), std::back_inserter(keys));
    }
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    return keys;
}

}  // namespace drydock::model
