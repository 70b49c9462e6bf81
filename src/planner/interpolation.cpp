// Resolves ${name}: the plan's names first, then facts, the successor's values, releases and
// settings.
//
// A pack has no expression language, so every value that a step needs is a name here. A name that
// cannot be resolved is an error of the plan, never an empty string: a command with a missing
// argument could do anything. Secrets stay as ${secret:NAME}; the agent fills them in on the host.
#include "planner/interpolation.h"

#include "base/text.h"
#include "model/version.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::planner {

namespace {

using model::Member;

// A member's fact stands before the system's fact of the same name.
Result<std::string>
fact_value(const TemplateContext& scope, const Member* member, std::string_view fact) {
    for (const std::string& key :
         {model::fact_key(member != nullptr ? member->name : "", fact), std::string(fact)}) {
        const auto entry = scope.facts.find(key);
        if (entry != scope.facts.end() && entry->second.status == model::ObservationStatus::known) {
            return entry->second.value.show();
        }
    }
    return fail("plan.fact",
                fmt::format("the plan needs the value of {}{}{}, which the survey could not read",
                            member != nullptr ? member->name : "",
                            member != nullptr ? "/" : "",
                            fact),
                "see `drydock survey`; bring the member up, then plan again");
}

// Returns the folder of a release on the member's host, by the cluster file.
Result<std::string> release_folder(const Member* member, const std::string& version) {
    if (member != nullptr) {
        const auto entry = member->versions.find(version);
        if (entry != member->versions.end()) {
            return entry->second;
        }
    }
    return fail("plan.release",
                fmt::format("no folder is given for release {}{}",
                            version,
                            member != nullptr ? " of " + member->name : ""),
                "add it to `release: versions:` in the cluster file");
}

// Returns a setting of the member that takes over, or a planned fact of it.
Result<std::string>
of_successor(const TemplateContext& scope, const Member* member, std::string_view name) {
    const auto entry = scope.successor.find(member != nullptr ? member->name : "");
    const Member* successor =
        entry == scope.successor.end() ? nullptr : find_member(scope.cluster, entry->second);
    if (successor == nullptr) {
        return fail("plan.successor",
                    fmt::format("${{successor.{}}}: there is no other member to take over", name));
    }
    const auto setting = successor->settings.find(std::string(name));
    return setting != successor->settings.end() ? Result<std::string>(setting->second)
                                                : fact_value(scope, successor, name);
}

// Returns the format that a release writes, for ${from.STORE} and ${to.STORE}.
std::optional<std::string> format_of(const TemplateContext& scope, std::string_view name) {
    const bool is_from = name.starts_with("from.");
    if (!is_from && !name.starts_with("to.")) {
        return std::nullopt;
    }
    const auto* law = law_of(scope.pack,
                             is_from ? scope.from_version : scope.to_version,
                             std::string(name.substr(is_from ? 5 : 3)));
    return law == nullptr ? std::nullopt : std::optional(law->writes);
}

// Returns a path of this cluster below its folder of backups.
std::string backup_path(const TemplateContext& context, const std::string& name) {
    return fmt::format("{}/{}-{}", context.cluster.policy.backup_path, context.cluster.name, name);
}

// Returns a name that is the same for every member.
std::optional<std::string> common_name(const TemplateContext& scope, std::string_view name) {
    using Value = std::string (*)(const TemplateContext&);
    static const std::map<std::string_view, Value> k_values = {
        {"from", [](const TemplateContext& context) { return context.from_version; }},
        {"to", [](const TemplateContext& context) { return context.to_version; }},
        {"from.series",
         [](const TemplateContext& context) {
             return series_of(context.pack, context.from_version);
         }},
        {"to.series",
         [](const TemplateContext& context) {
             return series_of(context.pack, context.to_version);
         }},
        {"run", [](const TemplateContext& context) { return context.run; }},
        {"copy", [](const TemplateContext& context) { return context.copy; }},
        {"backup",
         [](const TemplateContext& context) { return backup_path(context, context.run); }},
        {"scratch",
         [](const TemplateContext& context) {
             return backup_path(context, context.run + ".scratch");
         }},
        {"rehearsed",
         [](const TemplateContext& context) {
             return backup_path(context,
                                "rehearsed/" + context.from_version + "-" + context.to_version);
         }},
        {"cluster", [](const TemplateContext& context) { return context.cluster.name; }},
        {"keep",
         [](const TemplateContext& context) {
             return std::to_string(context.cluster.policy.backup_keep);
         }},
    };
    if (name.starts_with("side.")) {
        const auto side = scope.cluster.sides.find(std::string(name.substr(5)));
        return side == scope.cluster.sides.end() ? std::nullopt : std::optional(side->second);
    }
    const auto entry = k_values.find(name);
    return entry == k_values.end() ? format_of(scope, name) : std::optional(entry->second(scope));
}

// Returns the names of a role's members, for lists in operands.
Json member_list(const TemplateContext& scope, const std::string& role) {
    const auto members = scope.members.find(role);
    std::vector<std::string> sorted =
        members == scope.members.end() ? std::vector<std::string>() : members->second;
    std::sort(sorted.begin(), sorted.end());
    return Json(Json::Array(sorted.begin(), sorted.end()));
}

// True for names that are filled in later: on the host, or at each reading.
bool stays(std::string_view name, bool keep_facts) {
    return name.starts_with("secret:") || name == "script"
           || (keep_facts && name.starts_with("fact."));
}

}  // namespace

// A pack in a folder of its name is one of several. One in a folder of another name stands alone,
// as where DRYDOCK_PACKS names it.
std::string folder_in_plans(const model::Pack& pack) {
    const std::string folder = pack.folder.substr(pack.folder.rfind('/') + 1);
    const bool is_alone = !folder.empty() && folder != pack.name;
    return is_alone ? folder : "packs/" + pack.name;
}

std::string place(const model::Pack& pack, const Position& position) {
    const std::string text = position.text();
    return text.starts_with(pack.folder) ? folder_in_plans(pack) + text.substr(pack.folder.size())
                                         : text;
}

// A release that the pack does not list belongs to the longest series that is its prefix.
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

// A release's own rule stands above the rule of its series.
const model::FormatSupport*
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
    const auto position =
        std::find(pack.series_order.begin(), pack.series_order.end(), series_of(pack, version));
    return static_cast<std::size_t>(position - pack.series_order.begin());
}

const Member* find_member(const model::Cluster& cluster, const std::string& name) {
    const auto position = std::find_if(cluster.members.begin(),
                                       cluster.members.end(),
                                       [&](const Member& member) { return member.name == name; });
    return position == cluster.members.end() ? nullptr : &*position;
}

// Names without a prefix are settings of the member, so they come last.
Result<std::string>
resolve(const TemplateContext& scope, const Member* member, std::string_view name) {
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
        return release_folder(member,
                              name == "release.from" ? scope.from_version : scope.to_version);
    }
    if (member != nullptr && name == "member") {
        return member->name;
    }
    if (member != nullptr && name == "host") {
        return member->host;
    }
    if (member != nullptr && name == "release") {
        return member->link;
    }
    if (member != nullptr) {
        const auto entry = member->settings.find(std::string(name));
        if (entry != member->settings.end()) {
            return entry->second;
        }
    }
    if (name == "drydock") {  // the agent's own program; only the agent knows where it lies
        return "${drydock}";
    }
    return fail("plan.name",
                fmt::format("nothing is known by the name ${{{}}}{}",
                            name,
                            member != nullptr ? " for " + member->name : ""));
}

Result<std::string>
fill_text(const TemplateContext& scope, const Member* member, std::string_view text) {
    DRYDOCK_TRY_ASSIGN(const Json filled, fill(scope, member, Json(text)));
    return filled.as_string();
}

// Keys of objects are never interpolated: they belong to the agent's protocol.
Result<Json>
fill(const TemplateContext& scope, const Member* member, const Json& value, bool keep_facts) {
    if (value.is_string()) {
        DRYDOCK_TRY_ASSIGN(
            std::string text,
            interpolate(value.as_string(), [&](std::string_view name) -> Result<std::string> {
                return stays(name, keep_facts) ? Result<std::string>(fmt::format("${{{}}}", name))
                                               : resolve(scope, member, name);
            }));
        return Json(std::move(text));
    }
    Json result = value;
    if (value.is_array()) {
        result = Json(Json::Array{});
        for (const Json& item : value.items()) {
            DRYDOCK_TRY_ASSIGN(Json element, fill(scope, member, item, keep_facts));
            result.push(std::move(element));
        }
    }
    for (const auto& [key, item] : value.members()) {
        DRYDOCK_TRY_ASSIGN(Json element, fill(scope, member, item, keep_facts));
        result.set(key, std::move(element));
    }
    return result;
}

// Interpolates operands and remedies; `${members}` stands for the names of the condition's role.
Result<std::vector<model::Condition>>
fill_conditions(const TemplateContext& scope,
                const Member* member,
                const std::vector<model::Condition>& conditions) {
    std::vector<model::Condition> result = conditions;
    for (model::Condition& condition : result) {
        condition.position = {place(scope.pack, condition.position), 0, 0};
        if (condition.operand == Json("${members}")) {
            condition.operand = member_list(scope, condition.role);
        }
        DRYDOCK_TRY_ASSIGN(condition.operand, fill(scope, member, condition.operand));
        DRYDOCK_TRY_ASSIGN(condition.remedy, fill_text(scope, member, condition.remedy));
    }
    return result;
}

}  // namespace drydock::planner
