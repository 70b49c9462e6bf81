// Checks over several members of a cluster file: names, sides, quorum, two members in one place.
//
// The checks find mistakes of copying an entry and forgetting to change it. Two members with one
// data folder, port or pid file would pass every check of a single member, and then destroy each
// other. Two processes that look the same are worse: a stop of the first could hit the second.
#include "pack/cluster_reader.h"
#include "pack/value_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>

namespace drydock::pack {

namespace {

using model::Member;

// Names identify members in plans, journals and messages.
void check_names(const Node& members, ClusterReader& reader) {
    std::map<std::string, Position> first_positions;
    for (const Entry& entry : members.entries) {
        const Node& name = entry.value["name"];
        const auto [first, fresh] = first_positions.emplace(text_of(name), name.position);
        if (!fresh && name.kind == Node::Kind::scalar) {
            reader.error("member.duplicate",
                         name.position,
                         fmt::format("a second member `{}`", name.scalar),
                         fmt::format("rename it; the first is at {}", first->second.text()));
        }
    }
    if (members.kind == Node::Kind::list && members.entries.empty()) {
        reader.error("member.none",
                     members.position,
                     "a cluster without members",
                     "add them, as in `- {role: member, name: m1, host: a}`");
    }
}

// Returns how many of `count` members the rule lets be down; nothing if labels or voters decide.
std::optional<int> most_down(const model::RoleSpec& role, int count, const model::Pack& pack) {
    const bool has_voters = std::any_of(pack.facts.begin(), pack.facts.end(), [&](auto& fact) {
        return fact.role == role.name && fact.standard_fact == model::StandardFact::voter;
    });
    if (role.sided || has_voters || !role.quorum.within.empty() || !role.quorum.domains.empty()) {
        return std::nullopt;
    }
    switch (role.quorum.kind) {
    case model::QuorumKind::majority:
        return (count - 1) / 2;
    case model::QuorumKind::at_least:
        return std::max(count - role.quorum.count, 0);
    case model::QuorumKind::all_but:
        return std::min(role.quorum.count, count);
    case model::QuorumKind::none:
        break;
    }
    return std::nullopt;
}

std::string too_many_down(const model::QuorumRule& rule, int max_down, int count) {
    return rule.kind == model::QuorumKind::majority
               ? fmt::format("{} of {} members would leave no majority", max_down, count)
               : fmt::format("{} of {} members would leave too few", max_down, count);
}

// Applies only where max_unavailable is written in the file. With the default, the quorum guard of
// each stop refuses by itself.
void check_quorum(const Node& max_unavailable, ClusterReader& reader) {
    for (const auto& [name, role] : reader.pack.roles) {
        const auto& members = reader.cluster.members;
        const auto count = static_cast<int>(std::count_if(
            members.begin(), members.end(), [&, &role_name = name](const Member& member) {
                return member.role == role_name;
            }));
        const auto limit = most_down(role, count, reader.pack);
        const int max_down = reader.cluster.policy.max_unavailable;
        if (limit && count > 0 && max_down > *limit && max_unavailable.kind == Node::Kind::scalar) {
            reader.error("policy.quorum",
                         max_unavailable.position,
                         too_many_down(role.quorum, max_down, count),
                         fmt::format("the most that the quorum allows is {}", *limit));
        }
    }
}

// With fewer members than that, none is ever ready.
void check_ready_with(ClusterReader& reader) {
    const auto& members = reader.cluster.members;
    for (const auto& [name, role] : reader.pack.roles) {
        const auto is_of_role = [&, &role_name = name](const Member& member) {
            return member.role == role_name;
        };
        const auto count = std::count_if(members.begin(), members.end(), is_of_role);
        if (count > 0 && role.ready_with > count) {
            reader.error(
                "member.ready_with",
                std::find_if(members.begin(), members.end(), is_of_role)->position,
                fmt::format("members of `{}` are ready only while {} run, and there {} {}",
                            name,
                            role.ready_with,
                            count == 1 ? "is" : "are",
                            count),
                fmt::format("add members, or lower `ready_with` at {}", role.position.text()));
        }
    }
}

// A member without the label could not be counted.
void check_labels(ClusterReader& reader) {
    for (const Member& member : reader.cluster.members) {
        const auto role = reader.pack.roles.find(member.role);
        if (role == reader.pack.roles.end()) {
            continue;
        }
        const model::QuorumRule& rule = role->second.quorum;
        for (const std::string& label : {rule.within, rule.domains}) {
            if (!label.empty() && !member.labels.contains(label)) {
                reader.error("member.label",
                             member.position,
                             fmt::format("{} has no label `{}`, by which the members of `{}` are "
                                         "counted",
                                         member.name,
                                         label,
                                         member.role),
                             fmt::format("add it to the member or its host, as in "
                                         "`labels: {{{}: NAME}}`",
                                         label));
            }
        }
    }
}

// Members of a role with sides name theirs. There are exactly two: the side with the load, and the
// side that it moves to.
void check_sides(ClusterReader& reader) {
    std::set<std::string> sides;
    for (const Member& member : reader.cluster.members) {
        const auto role = reader.pack.roles.find(member.role);
        const bool has_sides = role != reader.pack.roles.end() && role->second.sided;
        if (has_sides == member.side.empty()) {
            reader.error("member.side",
                         member.position,
                         has_sides
                             ? fmt::format("{} does not say on which side it is", member.name)
                             : fmt::format("{} is on a side, and its role has none", member.name),
                         has_sides ? "add it, as in `side: blue`" : "remove `side`");
        }
        if (has_sides && !member.side.empty()) {
            sides.insert(member.side);
        }
    }
    if (!sides.empty() && sides.size() != 2) {
        reader.error("member.sides",
                     reader.cluster.members.front().position,
                     fmt::format("the members are on {} side{}: {}",
                                 sides.size(),
                                 sides.size() == 1 ? "" : "s",
                                 fmt::join(sides, ", ")),
                     "there are two: where the load is, and where it goes");
    }
}

// Returns the settings and paths that no other member on the same host may have. Settings of type
// text and integer are no places; `shared: true` in the pack excludes a URL or path.
std::vector<std::pair<std::string, std::string>> places_of(const Member& member,
                                                           const model::Pack& pack) {
    std::vector<std::pair<std::string, std::string>> places;
    if (const auto role = pack.settings.find(member.role); role != pack.settings.end()) {
        for (const auto& [name, spec] : role->second) {
            const auto value = member.settings.find(name);
            const bool is_exclusive = (spec.type == "url" || spec.type == "path") && !spec.shared;
            if (is_exclusive && value != member.settings.end()) {
                places.emplace_back(name, value->second);
            }
        }
    }
    places.emplace_back("link", member.link);
    places.emplace_back("pid_file", member.service["pid_file"].as_string());
    return places;
}

void check_places(ClusterReader& reader) {
    std::map<std::tuple<std::string, std::string, std::string>, std::string> owners;
    for (const Member& member : reader.cluster.members) {
        for (const auto& [name, value] : places_of(member, reader.pack)) {
            const auto [first, fresh] =
                owners.emplace(std::tuple(member.host, name, value), member.name);
            if (!fresh && !value.empty()) {
                reader.error_on_hosts(
                    "member.place",
                    member.position,
                    fmt::format("{} has the same {} as {} on host {}: {}",
                                member.name,
                                name,
                                first->second,
                                member.host,
                                value),
                    fmt::format("give each its own, as with ${{member}} in `{}`", name));
            }
        }
    }
}

// A start may add this many arguments to those of the cluster file. The agent allows the same
// number.
constexpr std::size_t k_start_arguments_max = 2;

// Returns true if the arguments of one process, without the program, may be those of the other. A
// prefix is enough, because a start may add arguments at the end.
bool have_same_arguments(const Json& a, const Json& b) {
    const auto& few = a.items().size() <= b.items().size() ? a.items() : b.items();
    const auto& many = a.items().size() <= b.items().size() ? b.items() : a.items();
    return !few.empty() && many.size() - few.size() <= k_start_arguments_max
           && std::equal(few.begin() + 1, few.end(), many.begin() + 1);
}

// Two members that share no release directory cannot be confused: the program's path differs.
bool share_release(const Member& a, const Member& b) {
    return std::any_of(a.versions.begin(), a.versions.end(), [&](const auto& release) {
        return std::any_of(b.versions.begin(), b.versions.end(), [&](const auto& other_release) {
            return release.second == other_release.second;
        });
    });
}

// Returns true if the agent could take a process of one member for the other's. It knows a process
// by its arguments, folder and environment; the link behind the program's path is no difference.
bool are_alike(const Member& member, const Member& neighbour) {
    const Json& a = member.service;
    const Json& b = neighbour.service;
    return member.host == neighbour.host && a["type"] == Json("process")
           && b["type"] == Json("process") && a["cwd"] == b["cwd"] && a["env"] == b["env"]
           && have_same_arguments(a["argv"], b["argv"]) && share_release(member, neighbour);
}

// Each member is compared with those before it, so that a pair is reported once.
void check_alike(ClusterReader& reader) {
    const auto& members = reader.cluster.members;
    for (auto member = members.begin(); member != members.end(); ++member) {
        const auto first = std::find_if(members.begin(), member, [&](const Member& candidate) {
            return are_alike(candidate, *member);
        });
        if (first != member) {
            reader.error_on_hosts(
                "member.alike",
                member->position,
                fmt::format("the processes of {} and {} on host {} cannot be told apart",
                            first->name,
                            member->name,
                            member->host),
                "name the member in the arguments, as with ${member} in `argv`");
        }
    }
}

}  // namespace

void check_members(const Node& document, ClusterReader& reader) {
    check_sides(reader);
    check_names(document["members"], reader);
    check_labels(reader);
    check_ready_with(reader);
    // After errors these checks would report places and numbers that stand nowhere in the file.
    if (!reader.diagnostics.has_errors()) {
        check_quorum(document["policy"]["max_unavailable"], reader);
        check_places(reader);
        check_alike(reader);
    }
}

}  // namespace drydock::pack
