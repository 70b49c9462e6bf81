// The ${names} that strings of a pack may use, and the checks of roles, stores and sides by name.
//
// Templates have no logic: a ${name} stands for a setting, a fact, a release or a path of the run.
// The allowed names depend on the place (NameScope). A string about a member may use the settings
// of its role, and a step of a procedure the facts of the survey. The planner and read_member.cpp
// replace the names. This file only decides whether a name exists, so that a misspelt one is found
// before any run.
#include "base/text.h"
#include "pack/pack_reader.h"
#include "pack/value_schema.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::pack {

namespace {

using Names = std::vector<std::string>;

// Prefixes keep facts apart from settings: both may be called `version`.
void add_prefixed(Names& names, const std::string& prefix, const Names& suffixes) {
    for (const std::string& suffix : suffixes) {
        names.push_back(prefix + suffix);
    }
}

Names settings_of(const model::Pack& pack, const std::string& role) {
    const auto entry = pack.settings.find(role);
    return entry == pack.settings.end() ? Names() : keys_of(entry->second);
}

// An empty role stands for the facts of the system.
Names facts_of_scope(const model::Pack& pack, const std::string& role) {
    Names names;
    for (const model::FactSpec& fact : pack.facts) {
        if (fact.role == role) {
            names.push_back(fact.name);
        }
    }
    return names;
}

// Returns all names of a place. The planner must know each of them: a name that is allowed here and
// unknown there would end the planning of a valid pack.
Names names_in(const NameScope& scope, const model::Pack& pack) {
    Names names;
    if (!scope.role.empty()) {
        names = settings_of(pack, scope.role);
        names.insert(names.end(), {"member", "host", "release"});
    }
    // Probes may use the names of a plan too. A survey without a plan leaves such facts out.
    names.insert(names.end(),
                 {"from",
                  "to",
                  "from.series",
                  "to.series",
                  "backup",
                  "run",
                  "copy",
                  "cluster",
                  "keep",
                  "scratch",
                  "rehearsed"});
    if (std::any_of(pack.roles.begin(), pack.roles.end(), [](const auto& role) {
            return role.second.sided;
        })) {
        names.insert(names.end(), {"side.source", "side.target"});
    }
    for (const auto& [name, store] : pack.stores) {
        if (store.read_by.empty()) {  // a release has no format of a store that an axis reads
            names.insert(names.end(), {"from." + name, "to." + name});
        }
    }
    if (!scope.role.empty()) {
        names.insert(names.end(), {"release.from", "release.to"});
    }
    if (scope.in_plan) {
        names.insert(names.end(), {"members", "drydock"});
    }
    // `successor.` refers to the next member in order: a step may name the member that takes over.
    if (scope.in_plan && !scope.role.empty()) {
        add_prefixed(names, "fact.", facts_of_scope(pack, scope.role));
        add_prefixed(names, "successor.", facts_of_scope(pack, scope.role));
        add_prefixed(names, "successor.", settings_of(pack, scope.role));
        names.insert(names.end(), {"successor.member", "successor.release"});
    }
    if (scope.has_script) {
        names.emplace_back("script");
    }
    add_prefixed(names, "fact.", facts_of_scope(pack, ""));
    return names;
}

}  // namespace

// Reports nothing if the settings are unknown, because then every setting would be reported.
void check_names(const Node& node, const NameScope& scope, PackReader& reader) {
    if (!reader.are_settings_known) {
        return;
    }
    const Names allowed_names = names_in(scope, reader.pack);
    for_each_scalar(node, [&](const Node& scalar) {
        const auto result = interpolate(scalar.scalar, [&](std::string_view name) {
            if (std::find(allowed_names.begin(), allowed_names.end(), name)
                == allowed_names.end()) {
                reader.diagnostics.error("name.unknown",
                                         scalar.position,
                                         fmt::format("`${{{}}}` is not known here", name),
                                         suggest(std::string(name), allowed_names));
            }
            return Result<std::string>("");
        });
        if (!result) {
            reader.diagnostics.error(
                "name.open", scalar.position, result.error().message, result.error().remedy);
        }
    });
}

std::string
read_side(const Node& node, const std::string& role, const std::string& usual, PackReader& reader) {
    const auto role_entry = reader.pack.roles.find(role);
    const bool has_sides = role_entry != reader.pack.roles.end() && role_entry->second.sided;
    const std::string side = text_of(node["side"], has_sides ? usual : "");
    if (has_sides && side.empty()) {
        reader.diagnostics.error("side.missing",
                                 node.position,
                                 fmt::format("role `{}` has two sides, and none is said", role),
                                 "write `side: source` or `side: target`");
    } else if (!has_sides && !side.empty()) {
        reader.diagnostics.error("side.none",
                                 node["side"].position,
                                 fmt::format("role `{}` has no sides", role),
                                 "remove it, or write `sides: true` at the role in pack.yaml");
    }
    return side;
}

bool require_role(const Node& node, PackReader& reader) {
    const bool is_known = reader.pack.roles.count(text_of(node)) > 0;
    // A pack without any role has one problem already: each use of a role would repeat it.
    if (!is_known && node.kind == Node::Kind::scalar && !reader.pack.roles.empty()) {
        report_unknown_name(
            reader.diagnostics, node.position, "role", node.scalar, keys_of(reader.pack.roles));
    }
    return is_known;
}

bool require_store(const Node& node, PackReader& reader) {
    const bool is_known = reader.pack.stores.count(text_of(node)) > 0;
    if (!is_known && node.kind == Node::Kind::scalar) {
        report_unknown_name(
            reader.diagnostics, node.position, "store", node.scalar, keys_of(reader.pack.stores));
    }
    return is_known;
}

// A scalar is taken as text, whatever its spelling: environment variables and headers have no
// types.
Json to_text_map(const Node& node) {
    Json::Object object;
    for (const Entry& entry : node.entries) {
        object.insert_or_assign(entry.key, text_of(entry.value));
    }
    return object;
}

Json to_text_list(const Node& node) {
    Json::Array items;
    for (const Entry& entry : node.entries) {
        items.emplace_back(text_of(entry.value));
    }
    return items;
}

}  // namespace drydock::pack
