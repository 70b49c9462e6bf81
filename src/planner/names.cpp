#include "planner/names.h"

#include "base/text.h"
#include "model/version.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::planner {

namespace {

using model::Member;

Result<std::string> fact_value(const Scope& scope, const Member* member, std::string_view fact) {
    for (const std::string& key :
         {model::fact_key(member != nullptr ? member->name : "", fact), std::string(fact)}) {
        const auto it = scope.facts.find(key);
        if (it != scope.facts.end() && it->second.status == model::Known::known) {
            return it->second.value.show();
        }
    }
    return fail("plan.fact",
                fmt::format("the plan needs the value of {}{}{}, which the survey could not read",
                            member != nullptr ? member->name : "",
                            member != nullptr ? "/" : "",
                            fact),
                "see `drydock survey`; bring the member up, then plan again");
}

Result<std::string> release_folder(const Member* member, const std::string& version) {
    if (member != nullptr) {
        const auto it = member->versions.find(version);
        if (it != member->versions.end()) {
            return it->second;
        }
    }
    return fail("plan.release",
                fmt::format("no folder is given for release {}{}",
                            version,
                            member != nullptr ? " of " + member->name : ""),
                "add it to `release: versions:` in the cluster file");
}

Result<std::string> of_successor(const Scope& scope, const Member* member, std::string_view name) {
    const auto it = scope.successor.find(member != nullptr ? member->name : "");
    const Member* other =
        it == scope.successor.end() ? nullptr : find_member(scope.cluster, it->second);
    if (other == nullptr) {
        return fail("plan.successor",
                    fmt::format("${{successor.{}}}: there is no other member to take over", name));
    }
    const auto setting = other->settings.find(std::string(name));
    return setting != other->settings.end() ? Result<std::string>(setting->second)
                                            : fact_value(scope, other, name);
}

// ${from.STORE}, ${to.STORE}: the format that the release writes.
std::optional<std::string> format_of(const Scope& scope, std::string_view name) {
    const bool from = name.starts_with("from.");
    if (!from && !name.starts_with("to.")) {
        return std::nullopt;
    }
    const auto* law =
        law_of(scope.pack, from ? scope.from : scope.to, std::string(name.substr(from ? 5 : 3)));
    return law == nullptr ? std::nullopt : std::optional(law->writes);
}

// Names that are the same for every member.
std::optional<std::string> common_name(const Scope& scope, std::string_view name) {
    using Value = std::string (*)(const Scope&);
    static const std::map<std::string_view, Value> k_values = {
        {"from", [](const Scope& in) { return in.from; }},
        {"to", [](const Scope& in) { return in.to; }},
        {"from.series", [](const Scope& in) { return series_of(in.pack, in.from); }},
        {"to.series", [](const Scope& in) { return series_of(in.pack, in.to); }},
        {"run", [](const Scope& in) { return in.run; }},
        {"copy", [](const Scope& in) { return in.copy; }},
        {"backup",
         [](const Scope& in) {
             const auto& folder = in.cluster.policy.backup_path;
             return fmt::format("{}/{}-{}", folder, in.cluster.name, in.run);
         }},
        {"scratch",
         [](const Scope& in) {
             const auto& folder = in.cluster.policy.backup_path;
             return fmt::format("{}/{}-{}.scratch", folder, in.cluster.name, in.run);
         }},
        {"rehearsed",
         [](const Scope& in) {
             const auto& folder = in.cluster.policy.backup_path;
             return fmt::format("{}/{}-rehearsed/{}-{}", folder, in.cluster.name, in.from, in.to);
         }},
        {"cluster", [](const Scope& in) { return in.cluster.name; }},
        {"keep", [](const Scope& in) { return std::to_string(in.cluster.policy.backup_keep); }},
    };
    if (name.starts_with("side.")) {
        const auto side = scope.cluster.sides.find(std::string(name.substr(5)));
        return side == scope.cluster.sides.end() ? std::nullopt : std::optional(side->second);
    }
    const auto it = k_values.find(name);
    return it == k_values.end() ? format_of(scope, name) : std::optional(it->second(scope));
}

// The names of a role's members, for lists in operands.
Json member_list(const Scope& scope, const std::string& role) {
    const auto members = scope.members.find(role);
    std::vector<std::string> sorted =
        members == scope.members.end() ? std::vector<std::string>() : members->second;
    std::sort(sorted.begin(), sorted.end());
    return Json(Json::Array(sorted.begin(), sorted.end()));
}

bool stays(std::string_view name, bool keep_facts) {
    return name.starts_with("secret:") || name == "script"
           || (keep_facts && name.starts_with("fact."));
}

}  // namespace

std::string place(const model::Pack& pack, const Position& where) {
    std::string text = where.text();
    if (text.starts_with(pack.folder)) {
        text = "packs/" + pack.name + text.substr(pack.folder.size());
    }
    return text;
}

std::string series_of(const model::Pack& pack, const std::string& version) {
    const auto release = pack.releases.find(version);
    if (release != pack.releases.end()) {
        return release->second.series;
    }
    std::string best;
    for (const std::string& series : pack.series_order) {
        if (model::version_in_series(version, series) && series.size() > best.size()) {
            best = series;
        }
    }
    return best;
}

const model::StoreLaw*
law_of(const model::Pack& pack, const std::string& version, const std::string& store) {
    const auto release = pack.releases.find(version);
    if (release != pack.releases.end() && release->second.laws.contains(store)) {
        return &release->second.laws.at(store);
    }
    const auto series = pack.series.find(series_of(pack, version));
    if (series == pack.series.end() || !series->second.contains(store)) {
        return nullptr;
    }
    return &series->second.at(store);
}

std::size_t series_index(const model::Pack& pack, const std::string& version) {
    const auto it =
        std::find(pack.series_order.begin(), pack.series_order.end(), series_of(pack, version));
    return static_cast<std::size_t>(it - pack.series_order.begin());
}

const Member* find_member(const model::Cluster& cluster, const std::string& name) {
    const auto it = std::find_if(cluster.members.begin(),
                                 cluster.members.end(),
                                 [&](const Member& one) { return one.name == name; });
    return it == cluster.members.end() ? nullptr : &*it;
}

Result<std::string> resolve(const Scope& scope, const Member* member, std::string_view name) {
    if (auto common = common_name(scope, name)) {
        return *common;
    }
    if (name.starts_with("fact.")) {
        return fact_value(scope, member, name.substr(5));
    }
    if (name.starts_with("successor.")) {
        return of_successor(scope, member, name.substr(10));
    }
    if (name == "release.from" || name == "release.to") {
        return release_folder(member, name == "release.from" ? scope.from : scope.to);
    }
    if (member != nullptr && name == "member") {
        return member->name;
    }
    if (member != nullptr && name == "release") {
        return member->link;
    }
    if (member != nullptr) {
        const auto it = member->settings.find(std::string(name));
        if (it != member->settings.end()) {
            return it->second;
        }
    }
    return fail("plan.name",
                fmt::format("nothing is known by the name ${{{}}}{}",
                            name,
                            member != nullptr ? " for " + member->name : ""));
}

Result<std::string> fill_text(const Scope& scope, const Member* member, std::string_view text) {
    DRYDOCK_TRY_ASSIGN(const Json filled, fill(scope, member, Json(text)));
    return filled.as_string();
}

Result<Json> fill(const Scope& scope, const Member* member, const Json& value, bool keep_facts) {
    if (value.is_string()) {
        DRYDOCK_TRY_ASSIGN(
            std::string text,
            interpolate(value.as_string(), [&](std::string_view name) -> Result<std::string> {
                return stays(name, keep_facts) ? Result<std::string>(fmt::format("${{{}}}", name))
                                               : resolve(scope, member, name);
            }));
        return Json(std::move(text));
    }
    Json out = value;
    if (value.is_array()) {
        out = Json(Json::Array{});
        for (const Json& item : value.items()) {
            DRYDOCK_TRY_ASSIGN(Json one, fill(scope, member, item, keep_facts));
            out.push(std::move(one));
        }
    }
    for (const auto& [key, item] : value.members()) {
        DRYDOCK_TRY_ASSIGN(Json one, fill(scope, member, item, keep_facts));
        out.set(key, std::move(one));
    }
    return out;
}

Result<std::vector<model::Condition>> fill_conditions(
    const Scope& scope, const Member* member, const std::vector<model::Condition>& conditions) {
    std::vector<model::Condition> out = conditions;
    for (model::Condition& condition : out) {
        condition.where = {place(scope.pack, condition.where), 0, 0};
        if (condition.operand == Json("${members}")) {
            condition.operand = member_list(scope, condition.role);
        }
        DRYDOCK_TRY_ASSIGN(condition.operand, fill(scope, member, condition.operand));
        DRYDOCK_TRY_ASSIGN(condition.remedy, fill_text(scope, member, condition.remedy));
    }
    return out;
}

}  // namespace drydock::planner
