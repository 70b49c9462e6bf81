// The roles and settings of pack.yaml. The facts follow in read_facts.cpp.
#include "pack/pack_reader.h"
#include "pack/schemas.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace drydock::pack {

namespace {

constexpr std::int64_t k_members_max = 10'000;  // a larger number is a slip of the pen

// Bounds keep a large number from overflowing an int. A word gives 0.
int number_of(const Node& node) {
    return static_cast<int>(std::min(integer_of(node), k_members_max));
}

void check_number(const Node& node, PackReader& reader) {
    if (node.kind == Node::Kind::scalar && integer_of(node) > k_members_max) {
        reader.diagnostics.error(
            "value.wrong",
            node.position,
            fmt::format("`{}` members are more than any cluster has", node.scalar),
            fmt::format("expected a number up to {}", k_members_max));
    }
}

// A group by a label has one domain of that label: no member of it may ever be down, or none
// counts.
void check_quorum(const Node& node, PackReader& reader) {
    check_number(node, reader);
    check_number(node["at_least"], reader);
    check_number(node["all_but"], reader);
    const std::string within = text_of(node["within"]);
    if (!within.empty() && within == text_of(node["domains"])) {
        reader.diagnostics.error(
            "role.quorum",
            node["domains"].position,
            fmt::format("each group by `{}` has one domain by `{}`", within, within),
            "name another label, or remove `domains`");
    }
}

// A number says how many members are ready at least; a word is the name of the kind.
model::QuorumRule read_count(const Node& node) {
    model::QuorumRule rule;
    rule.count = number_of(node);
    rule.kind = rule.count > 0
                    ? model::QuorumKind::at_least
                    : model::k_quorum_kinds.parse(text_of(node)).value_or(model::QuorumKind::none);
    return rule;
}

model::QuorumRule read_quorum(const Node& node) {
    if (node.kind != Node::Kind::map) {
        return read_count(node);
    }
    model::QuorumRule rule = read_count(node["at_least"]);
    if (node.has("all_but")) {
        rule.kind = model::QuorumKind::all_but;
        rule.count = number_of(node["all_but"]);
    }
    rule.within = text_of(node["within"]);
    rule.domains = text_of(node["domains"]);
    return rule;
}

// A role decides on the quorum, the stores and the sides of its members. `system` is reserved,
// because facts of the whole system stand under that name.
void read_roles(const Node& roles, PackReader& reader) {
    if (roles.kind == Node::Kind::map && roles.entries.empty()) {
        reader.diagnostics.error(
            "role.none", roles.position, "a pack without roles", "add one, as in `member: {}`");
    }
    for (const Entry& entry : roles.entries) {
        model::RoleSpec role;
        role.name = entry.key;
        role.position = entry.position;
        role.quorum = read_quorum(entry.value["quorum"]);
        check_quorum(entry.value["quorum"], reader);
        check_number(entry.value["ready_with"], reader);
        role.restarts = text_of(entry.value["restarts"]) != "never";
        role.ready_with = number_of(entry.value["ready_with"]);
        role.ready_with_majority = text_of(entry.value["ready_with"]) == "majority";
        role.stores = texts_of(entry.value["stores"]);
        role.sided = boolean_of(entry.value["sides"]);
        role.optional = boolean_of(entry.value["optional"]);
        if (role.name == "system") {
            reader.diagnostics.error("role.reserved",
                                     entry.position,
                                     "`system` is no name for a role",
                                     "facts of the system as a whole go under it; rename the role");
        }
        reader.step_defaults[role.name] = entry.value["steps"];
        reader.pack.roles[role.name] = std::move(role);
    }
}

// A setting with a default is optional unless `required` says otherwise.
model::SettingSpec read_setting(const Entry& entry) {
    const Node& node = entry.value;
    model::SettingSpec setting;
    setting.type = text_of(node["type"], "text");
    setting.help = text_of(node["help"]);
    setting.fallback = text_of(node["default"]);
    setting.required = boolean_of(node["required"], !node.has("default"));
    setting.shared = boolean_of(node["shared"]);
    setting.position = entry.position;
    return setting;
}

// Settings share one name space with the built-in ${names}. A setting called `member` or `to` would
// hide one of those, so it is refused.
void read_settings(const Node& settings, PackReader& reader) {
    static const std::set<std::string> reserved_names = {
        "member", "host", "release", "members", "from", "to", "backup", "run", "script"};
    for (const Entry& role : settings.entries) {
        const bool is_known =
            require_role({Node::Kind::scalar, role.key, false, role.position, {}}, reader);
        reader.are_settings_known = reader.are_settings_known && is_known;
        for (const Entry& entry : role.value.entries) {
            if (reserved_names.count(entry.key) > 0) {
                reader.diagnostics.error("setting.reserved",
                                         entry.position,
                                         fmt::format("`${{{}}}` means something else", entry.key),
                                         "give the setting another name");
            }
            reader.pack.settings[role.key][entry.key] = read_setting(entry);
        }
    }
}

}  // namespace

void read_system(const Node& document, PackReader& reader) {
    reader.pack.name = text_of(document["pack"]);
    reader.pack.title = text_of(document["title"], reader.pack.name);
    read_roles(document["roles"], reader);
    read_settings(document["settings"], reader);
    read_facts(document["facts"], reader);
}

}  // namespace drydock::pack
