// The ${names} that strings of a pack may use.
#include "base/text.h"
#include "pack/reader.h"
#include "pack/shape.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::pack {

namespace {

using Names = std::vector<std::string>;

void add_prefixed(Names& names, const std::string& prefix, const Names& suffixes) {
    for (const std::string& suffix : suffixes) {
        names.push_back(prefix + suffix);
    }
}

Names settings_of(const model::Pack& pack, const std::string& role) {
    const auto entry = pack.settings.find(role);
    return entry == pack.settings.end() ? Names() : keys_of(entry->second);
}

Names facts_of_scope(const model::Pack& pack, const std::string& role) {
    Names names;
    for (const model::FactSpec& fact : pack.facts) {
        if (fact.role == role) {
            names.push_back(fact.name);
        }
    }
    return names;
}

Names names_in(const Scope& scope, const model::Pack& pack) {
    Names names;
    if (!scope.role.empty()) {
        names = settings_of(pack, scope.role);
        names.insert(names.end(), {"member", "release"});
    }
    // Probes may use a plan's names, too: a survey leaves such facts out.
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
    for (const auto& [store, unused] : pack.stores) {
        names.insert(names.end(), {"from." + store, "to." + store});
    }
    if (!scope.role.empty()) {
        names.insert(names.end(), {"release.from", "release.to"});
    }
    if (scope.in_plan) {
        names.emplace_back("members");
    }
    if (scope.in_plan && !scope.role.empty()) {
        add_prefixed(names, "fact.", facts_of_scope(pack, scope.role));
        add_prefixed(names, "successor.", facts_of_scope(pack, scope.role));
        add_prefixed(names, "successor.", settings_of(pack, scope.role));
        names.insert(names.end(), {"successor.member", "successor.release"});
    }
    if (scope.script) {
        names.emplace_back("script");
    }
    add_prefixed(names, "fact.", facts_of_scope(pack, ""));
    return names;
}

}  // namespace

void check_names(const Node& node, const Scope& scope, PackReader& reader) {
    if (!reader.settings_known) {
        return;
    }
    const Names allowed_names = names_in(scope, reader.pack);
    for_each_scalar(node, [&](const Node& scalar) {
        const auto result = interpolate(scalar.scalar, [&](std::string_view name) {
            if (std::find(allowed_names.begin(), allowed_names.end(), name)
                == allowed_names.end()) {
                reader.diagnostics.error("name.unknown",
                                         scalar.where,
                                         fmt::format("`${{{}}}` is not known here", name),
                                         meant(std::string(name), allowed_names));
            }
            return Result<std::string>("");
        });
        if (!result) {
            reader.diagnostics.error(
                "name.open", scalar.where, result.error().message, result.error().remedy);
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
                                 node.where,
                                 fmt::format("role `{}` has two sides, and none is said", role),
                                 "write `side: source` or `side: target`");
    } else if (!has_sides && !side.empty()) {
        reader.diagnostics.error("side.none",
                                 node["side"].where,
                                 fmt::format("role `{}` has no sides", role),
                                 "remove it, or write `sides: true` at the role in pack.yaml");
    }
    return side;
}

bool known_role(const Node& node, PackReader& reader) {
    const bool is_known = reader.pack.roles.count(text_of(node)) > 0;
    // Without any role that is told already.
    if (!is_known && node.kind == Node::Kind::scalar && !reader.pack.roles.empty()) {
        unknown_name(
            reader.diagnostics, node.where, "role", node.scalar, keys_of(reader.pack.roles));
    }
    return is_known;
}

bool known_store(const Node& node, PackReader& reader) {
    const bool is_known = reader.pack.stores.count(text_of(node)) > 0;
    if (!is_known && node.kind == Node::Kind::scalar) {
        unknown_name(
            reader.diagnostics, node.where, "store", node.scalar, keys_of(reader.pack.stores));
    }
    return is_known;
}

Json texts_map(const Node& node) {
    Json::Object object;
    for (const Entry& entry : node.entries) {
        object.insert_or_assign(entry.key, text_of(entry.value));
    }
    return object;
}

Json texts_list(const Node& node) {
    Json::Array items;
    for (const Entry& entry : node.entries) {
        items.emplace_back(text_of(entry.value));
    }
    return items;
}

}  // namespace drydock::pack
