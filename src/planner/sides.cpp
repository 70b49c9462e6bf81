// Splits roles with sides into roles of the source and roles of the target.
//
// The split copies everything that hangs on such a role: its settings, facts, stores, rules of skew
// and rules of formats. Names get the side as a suffix ("server@source"). A source and a target
// share nothing, so a rule of skew between two sided roles is made for each side alone.
// docs/design/0006-two-sides.md has the reasons.
#include "planner/sides.h"

#include "base/text.h"
#include "planner/compile.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

namespace drydock::planner {

namespace {

using model::Cluster;
using model::Pack;
using model::sided;

constexpr std::array<const char*, 2> k_sides = {"source", "target"};

// Replaces each sided element of the map by one copy for each side.
template <class Map, class IsSided, class Rename>
void split_map(Map& map, const IsSided& is_sided, const Rename& rename) {
    Map split;
    for (auto& [name, value] : map) {
        if (!is_sided(name)) {
            split.emplace(name, value);
            continue;
        }
        for (const char* side : k_sides) {
            auto copy = value;
            rename(copy, side);
            split.emplace(sided(name, side), std::move(copy));
        }
    }
    map = std::move(split);
}

class PackSplit {
public:
    explicit PackSplit(Pack& pack) : pack_(pack) {
        for (const auto& [name, role] : pack.roles) {
            if (role.sided) {
                roles_.insert(name);
            }
        }
        for (const auto& [name, store] : pack.stores) {
            if (roles_.contains(store.role)) {
                stores_.insert(name);
            }
        }
    }

    void run() {
        const auto is_role = [&](const std::string& name) { return roles_.contains(name); };
        split_map(pack_.roles, is_role, [](model::RoleSpec& role, const char* side) {
            role.name = sided(role.name, side);
            for (std::string& store : role.stores) {
                store = sided(store, side);
            }
        });
        split_map(pack_.settings, is_role, [](auto&, const char*) {});
        split_map(
            pack_.stores,
            [&](const std::string& name) { return stores_.contains(name); },
            [](model::StoreSpec& store, const char* side) {
                store.name = sided(store.name, side);
                store.role = sided(store.role, side);
            });
        split_facts();
        split_skew();
        for (auto& [series, laws] : pack_.series) {
            add_laws(laws);
        }
        for (auto& [version, release] : pack_.releases) {
            add_laws(release.laws);
        }
        for (auto& [name, axis] : pack_.axes) {
            for (auto& [version, laws] : axis.releases) {
                add_laws(laws);
            }
        }
    }

private:
    // Gives each fact of a sided role to both sides.
    void split_facts() {
        std::vector<model::FactSpec> facts;
        for (const model::FactSpec& fact : pack_.facts) {
            if (!roles_.contains(fact.role)) {
                facts.push_back(fact);
                continue;
            }
            for (const char* side : k_sides) {
                facts.push_back(fact);
                facts.back().role = sided(fact.role, side);
            }
        }
        pack_.facts = std::move(facts);
    }

    // Splits rules of skew: two roles of one side may have to fit together; a source and a target
    // share nothing.
    void split_skew() {
        std::vector<model::SkewRule> rules;
        for (const model::SkewRule& rule : pack_.skew) {
            const bool is_role_sided = roles_.contains(rule.role);
            const bool is_peer_sided = roles_.contains(rule.peer_role);
            if (!is_role_sided && !is_peer_sided) {
                rules.push_back(rule);
                continue;
            }
            for (const char* side : k_sides) {
                rules.push_back(rule);
                rules.back().role = is_role_sided ? sided(rule.role, side) : rule.role;
                rules.back().peer_role =
                    is_peer_sided ? sided(rule.peer_role, side) : rule.peer_role;
            }
        }
        pack_.skew = std::move(rules);
    }

    // Copies a store's rules to both sides. The store's own name stays, too: `raises: data` and
    // ${to.data} mean the store of either side.
    void add_laws(std::map<std::string, model::FormatSupport>& laws) const {
        for (const std::string& store : stores_) {
            if (const auto law = laws.find(store); law != laws.end()) {
                for (const char* side : k_sides) {
                    laws[sided(store, side)] = law->second;
                }
            }
        }
    }

    Pack& pack_;
    std::set<std::string> roles_;
    std::set<std::string> stores_;
};

std::vector<std::string> sides_of(const Cluster& cluster) {
    std::set<std::string> sides;
    for (const model::Member& member : cluster.members) {
        if (!member.side.empty()) {
            sides.insert(member.side);
        }
    }
    return {sides.begin(), sides.end()};
}

// True if that fact of a member of that side is the release.
bool has_release(const Request& request,
                 const std::string& side,
                 model::StandardFact standard,
                 const std::string& release) {
    const auto& members = request.cluster.members;
    return std::any_of(members.begin(), members.end(), [&](const model::Member& member) {
        const std::string fact = bound_fact(request.pack, member.role, standard);
        const auto entry = request.facts.find(model::fact_key(member.name, fact));
        return member.side == side && entry != request.facts.end()
               && entry->second.status == model::ObservationStatus::known
               && entry->second.value == Json(release);
    });
}

// Returns the one side that runs the release, or has it installed; empty if none does, or both do.
std::string only_side(const Request& request,
                      const std::vector<std::string>& sides,
                      model::StandardFact standard,
                      const std::string& release) {
    const bool first = has_release(request, sides[0], standard, release);
    const bool second = has_release(request, sides[1], standard, release);
    return first == second ? "" : sides[first ? 0 : 1];
}

// Returns the side that the fact bound to `serving` names; empty if it names none.
std::string serving_side(const Request& request, const std::vector<std::string>& sides) {
    const auto entry =
        request.facts.find(bound_fact(request.pack, "", model::StandardFact::serving));
    const bool is_known =
        entry != request.facts.end() && entry->second.status == model::ObservationStatus::known;
    const std::string name = is_known ? entry->second.value.show() : "";
    return std::find(sides.begin(), sides.end(), name) != sides.end() ? name : "";
}

// Finds the source by the four tests that sides.h lists.
Result<std::string> source_side(const Request& request, const std::vector<std::string>& sides) {
    for (const auto standard : {model::StandardFact::running, model::StandardFact::installed}) {
        if (std::string source = only_side(request, sides, standard, request.from_version);
            !source.empty()) {
            return source;
        }
        if (const std::string target = only_side(request, sides, standard, request.to_version);
            !target.empty()) {
            return sides[target == sides[0] ? 1 : 0];
        }
    }
    if (std::string source = serving_side(request, sides); !source.empty()) {
        return source;
    }
    return fail("plan.sides",
                fmt::format("nobody can tell whether {} or {} is the side to come from: neither "
                            "the releases that run there nor the fact `serving` says so",
                            sides[0],
                            sides[1]),
                "see `drydock survey`; bring up the side that serves, then plan again");
}

}  // namespace

bool has_sides(const Pack& pack) {
    return std::any_of(
        pack.roles.begin(), pack.roles.end(), [](const auto& role) { return role.second.sided; });
}

Result<Split> split_sides(const Request& request) {
    const auto sides = sides_of(request.cluster);
    Split split = {request.pack, request.cluster};
    PackSplit(split.pack).run();
    if (sides.empty()) {  // the cluster has no members of roles with sides: their steps vanish
        return split;
    }
    if (sides.size() != 2) {
        return fail(
            "plan.sides",
            fmt::format("the cluster file has {} sides: {}", sides.size(), join(sides, ", ")),
            "give each member of the role with sides one of two, as in `side: blue`");
    }
    DRYDOCK_TRY_ASSIGN(const std::string source, source_side(request, sides));
    for (model::Member& member : split.cluster.members) {
        if (!member.side.empty()) {
            member.role = sided(member.role, member.side == source ? k_sides[0] : k_sides[1]);
        }
    }
    split.cluster.sides = {{k_sides[0], source}, {k_sides[1], sides[source == sides[0] ? 1 : 0]}};
    return split;
}

}  // namespace drydock::planner
