// pack.yaml: roles, settings, and how each fact is read (probe) or derived from other facts.
//
// Facts are read in three passes. The first collects all names, because a probe may use a system
// fact that stands further down. The second reads each fact and fills in `inputs`. The third checks
// the inputs and searches for cycles, so that the survey can read facts in the order of their
// inputs. docs/packs.md describes the keys, docs/design/0001-the-core.md the standard facts.
#include "base/hash.h"
#include "base/text.h"
#include "model/fact.h"
#include "pack/pack_reader.h"
#include "pack/schemas.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace drydock::pack {

using model::Derivation;
using model::FactSpec;
using model::FactType;
using model::StandardFact;

namespace {

constexpr std::int64_t k_fact_deadline_ms = 2'000;  // local probes take milliseconds

// A role decides on the quorum, the stores and the sides of its members. `system` is reserved,
// because facts of the whole system stand under that name.
void read_roles(const Node& roles, PackReader& reader) {
    if (roles.kind == Node::Kind::map && roles.entries.empty()) {
        reader.diagnostics.error(
            "role.none", roles.where, "a pack without roles", "add one, as in `member: {}`");
    }
    for (const Entry& entry : roles.entries) {
        model::RoleSpec role;
        role.name = entry.key;
        role.where = entry.where;
        role.quorum.kind = model::k_quorum_kinds.parse(text_of(entry.value["quorum"]))
                               .value_or(model::QuorumKind::none);
        role.stores = texts_of(entry.value["stores"]);
        role.sided = boolean_of(entry.value["sides"]);
        if (role.name == "system") {
            reader.diagnostics.error("role.reserved",
                                     entry.where,
                                     "`system` is no name for a role",
                                     "facts of the system as a whole go under it; rename the role");
        }
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
    setting.where = entry.where;
    return setting;
}

// Settings share one name space with the built-in ${names}. A setting called `member` or `to` would
// hide one of those, so it is refused.
void read_settings(const Node& settings, PackReader& reader) {
    static const std::set<std::string> reserved_names = {
        "member", "release", "members", "from", "to", "backup", "run", "script"};
    for (const Entry& role : settings.entries) {
        const bool is_known =
            known_role({Node::Kind::scalar, role.key, false, role.where, {}}, reader);
        reader.are_settings_known = reader.are_settings_known && is_known;
        for (const Entry& entry : role.value.entries) {
            if (reserved_names.count(entry.key) > 0) {
                reader.diagnostics.error("setting.reserved",
                                         entry.where,
                                         fmt::format("`${{{}}}` means something else", entry.key),
                                         "give the setting another name");
            }
            reader.pack.settings[role.key][entry.key] = read_setting(entry);
        }
    }
}

// Returns true if the fact is computed from a fact of all members, not from facts of one scope.
bool is_over_members(const FactSpec& fact) {
    return fact.derive == Derivation::lowest || fact.derive == Derivation::highest
           || fact.derive == Derivation::agreed;
}

class FactReader {
public:
    FactReader(const Entry& entry, const std::string& role, PackReader& reader)
        : node_(entry.value)
        , reader_(reader) {
        fact_.name = entry.key;
        fact_.role = role;
        fact_.where = entry.where;
    }

    FactSpec read() {
        fact_.type =
            model::k_fact_types.parse(text_of(node_["type"])).value_or(model::FactType::text);
        fact_.binds =
            model::k_standard_facts.parse(text_of(node_["binds"])).value_or(StandardFact::none);
        fact_.help = text_of(node_["help"]);
        fact_.moves = boolean_of(node_["moves"]);
        fact_.identity = boolean_of(node_["identity"]);
        fact_.writes = text_of(node_["effect"]) == "writes";
        check_binding();
        for (const Entry& probe : node_["probe"].entries) {
            read_probe(probe);
        }
        for (const Entry& derive : node_["derive"].entries) {
            read_derivation(derive);
        }
        read_unknown();
        return std::move(fact_);
    }

private:
    void
    error(const char* code, const Position& position, std::string summary, std::string suggestion) {
        reader_.diagnostics.error(code, position, std::move(summary), std::move(suggestion));
    }

    // A standard fact has a fixed type, and one fact of a role stands for it. The checker relies on
    // both.
    void check_binding() {
        const StandardFact binds = fact_.binds;
        const bool release = binds == StandardFact::running || binds == StandardFact::installed;
        if ((release && fact_.type != FactType::release)
            || (binds == StandardFact::ready && fact_.type != FactType::boolean)
            || (binds == StandardFact::on_disk && fact_.type != FactType::list)) {
            error("fact.binds",
                  node_["binds"].where,
                  fmt::format("`{}` is of type {}", name_of(binds), name_of(fact_.type)),
                  fmt::format("write `type: {}`",
                              release ? "release"
                                      : (binds == StandardFact::ready ? "bool" : "list")));
        }
        // `level` may be bound several times, once for each store. Every other standard fact is
        // unique in a role.
        const bool once = binds != StandardFact::none && binds != StandardFact::level;
        for (const FactSpec& earlier_fact : reader_.pack.facts) {
            if (once && earlier_fact.binds == binds && earlier_fact.role == fact_.role) {
                error("fact.binds",
                      node_["binds"].where,
                      fmt::format("`{}` is bound twice", name_of(binds)),
                      fmt::format("remove one; the first is at {}", earlier_fact.where.text()));
            }
        }
    }

    void read_probe(const Entry& probe) {
        fact_.kind = probe.key;
        fact_.probe = parameters(probe);
        const std::int64_t deadline_ms = duration_of(node_["within"], k_fact_deadline_ms);
        read_script(probe);
        fact_.probe.set("deadline_ms", duration_of(probe.value["deadline"], deadline_ms));
        check_type(probe);
        check_file(probe);
        check_member_scope(probe);
        collect_inputs(probe.value);
        check_names(probe.value, NameScope{fact_.role, false, probe.value.has("script")}, reader_);
    }

    // The script's text and digest go into the probe, so that the agent needs no file of the pack.
    void read_script(const Entry& probe) {
        const Node& script = probe.value["script"];
        if (script.kind != Node::Kind::scalar) {
            return;
        }
        const auto& scripts = reader_.pack.scripts;
        const auto match = scripts.find(script.scalar);
        if (match == scripts.end()) {
            return report_unknown_name(
                reader_.diagnostics, script.where, "script", script.scalar, keys_of(scripts));
        }
        Json script_json;
        script_json.set("name", match->first).set("content", match->second);
        fact_.probe.set("script", script_json.set("sha256", sha256_hex(match->second)));
    }

    // Returns the probe as the agent reads it. Arguments and headers are texts, even where YAML has
    // a number. The deadline is left out here: read_probe() sets it in milliseconds.
    static Json parameters(const Entry& probe) {
        // A link probe has no map of parameters: its scalar chooses one of its two answers.
        if (probe.key == "link") {
            return Json().set("link", probe.value.scalar);
        }
        if (probe.value.kind != Node::Kind::map) {
            return Json::Object();
        }
        Json json = to_json(probe.value);
        for (const char* key : {"argv"}) {
            if (probe.value.has(key)) {
                json.set(key, to_text_list(probe.value[key]));
            }
        }
        for (const char* key : {"env", "headers"}) {
            if (probe.value.has(key)) {
                json.set(key, to_text_map(probe.value[key]));
            }
        }
        Json::Object fields = json.members();
        fields.erase("deadline");
        if (probe.key == "http") {
            fields.emplace("method", "GET");
        }
        return fields;
    }

    // Some ways of picking a value out of an answer determine its type: `pointers` and `collect`
    // give lists, `equal` and `matches` give booleans.
    void check_type(const Entry& probe) {
        for (const Entry& way : probe.value.entries) {
            const bool list = way.key == "pointers" || way.key == "collect";
            const bool yes_or_no = way.key == "equal" || way.key == "matches";
            if ((list && fact_.type != FactType::list)
                || (yes_or_no && fact_.type != FactType::boolean)) {
                error("fact.type",
                      way.where,
                      fmt::format("`{}` gives a {}, but the fact is of type {}",
                                  way.key,
                                  list ? "list" : "bool",
                                  name_of(fact_.type)),
                      fmt::format("write `type: {}`", list ? "list" : "bool"));
            }
            const bool pair = way.key == "equal" && way.value.kind == Node::Kind::list;
            if (pair && way.value.entries.size() != 2) {
                error("value.wrong", way.where, "`equal` needs two pointers", "expected [/a, /b]");
            }
        }
    }

    // Some values of `as` need a key or pointer. A schema cannot say so, as the key's value
    // decides.
    void check_file(const Entry& probe) {
        const std::string format = probe.key == "file" ? text_of(probe.value["as"]) : "";
        const char* needs = format == "keyvalue" ? "key" : format == "json" ? "pointer" : nullptr;
        if (needs != nullptr && !probe.value.has(needs)) {
            error("key.missing",
                  probe.value.where,
                  fmt::format("`as: {}` without `{}`", format, needs),
                  fmt::format("add `{}`: which value of the file is meant", needs));
        }
    }

    // Probes with a scalar (`service: state`, `link: release`) look at the member itself.
    void check_member_scope(const Entry& probe) {
        if (fact_.role.empty() && probe.value.kind == Node::Kind::scalar) {
            error(
                "fact.scope",
                probe.where,
                fmt::format("`{}` looks at a member, but this is a fact of the system", probe.key),
                "put the fact under a role, and derive the system's from it");
        }
    }

    // Collects each ${fact.NAME} of a probe: a system fact that is read before this one.
    void collect_inputs(const Node& node) {
        for_each_scalar(node, [&](const Node& scalar) {
            const auto ignored = interpolate(scalar.scalar, [&](std::string_view name) {
                if (name.substr(0, 5) == "fact.") {
                    fact_.inputs.emplace_back(name.substr(5));
                }
                return Result<std::string>("");
            });
            static_cast<void>(ignored);  // check_names() reports bad templates
        });
    }

    // Two derivations take exactly two facts of one scope. The others reduce one fact over all
    // members, and give a fact of the system.
    void read_derivation(const Entry& derive) {
        fact_.derive = model::k_derivations.parse(derive.key).value_or(Derivation::none);
        fact_.inputs = texts_of(derive.value);
        const bool arithmetic = model::is_arithmetic(fact_.derive);
        if (arithmetic && derive.value.kind == Node::Kind::list && fact_.inputs.size() != 2) {
            error("value.wrong",
                  derive.where,
                  fmt::format("`{}` of {} facts", derive.key, fact_.inputs.size()),
                  "expected two facts, as in [a, b]");
        }
        if (!arithmetic && !fact_.role.empty()) {
            error("fact.scope",
                  derive.where,
                  fmt::format("`{}` is over all members, but this is a member's fact", derive.key),
                  "put the fact under `system`");
        }
    }

    // `unknown: skip` leaves out members without a value. Without it, one unknown value makes the
    // derived fact unknown: an answer about all members must not rest on some of them.
    void read_unknown() {
        const Node& unknown = node_["unknown"];
        fact_.skips_unknown = text_of(unknown) == "skip";
        if (fact_.skips_unknown && !is_over_members(fact_)) {
            error("fact.unknown",
                  unknown.where,
                  "`unknown` is about facts that are derived over all members",
                  "leave it out, or derive by `lowest`, `highest` or `agreed`");
        }
    }

    const Node& node_;
    PackReader& reader_;
    FactSpec fact_;
};

// Returns true if `fact` may refer to `candidate` by name. A derivation over members uses members'
// facts; other derivations stay in their own scope; probes use system facts.
bool is_input(const FactSpec& fact, const FactSpec& candidate) {
    if (is_over_members(fact)) {
        return !candidate.role.empty();
    }
    return candidate.role == (fact.is_derived() ? fact.role : std::string());
}

// Returns positions in pack.facts. A name may match facts of several roles.
std::vector<std::size_t> inputs_of(const model::Pack& pack, const FactSpec& fact) {
    std::vector<std::size_t> indices;
    for (std::size_t i = 0; i < pack.facts.size(); ++i) {
        const FactSpec& candidate = pack.facts[i];
        const auto& names = fact.inputs;
        if (is_input(fact, candidate)
            && std::find(names.begin(), names.end(), candidate.name) != names.end()) {
            indices.push_back(i);
        }
    }
    return indices;
}

// Runs after all facts are read, because a derivation may name a fact further down.
void check_inputs(const Node& derive, const FactSpec& fact, PackReader& reader) {
    std::vector<std::string> input_names;
    for (const FactSpec& candidate : reader.pack.facts) {
        if (is_input(fact, candidate)) {
            input_names.push_back(candidate.name);
        }
    }
    for (const Entry& way : derive.entries) {
        for (const Node* item : items_of(way.value)) {
            if (std::find(input_names.begin(), input_names.end(), text_of(*item))
                == input_names.end()) {
                report_unknown_name(
                    reader.diagnostics, item->where, "fact", text_of(*item), input_names);
            }
        }
    }
}

// Depth-first search for facts that need themselves. `path_` holds the facts under way. Each cycle
// is reported once, by the fact through which the search entered it.
class CycleSearch {
public:
    explicit CycleSearch(PackReader& reader)
        : reader_(reader)
        , is_checked_(reader.pack.facts.size(), false) {}

    void search() {
        for (std::size_t i = 0; i < is_checked_.size(); ++i) {
            visit(i);
        }
    }

private:
    void visit(std::size_t index) {
        const auto occurrence = std::find(path_.begin(), path_.end(), index);
        if (occurrence != path_.end()) {
            return report(static_cast<std::size_t>(occurrence - path_.begin()));
        }
        if (is_checked_[index]) {
            return;
        }
        path_.push_back(index);
        for (const std::size_t input : inputs_of(reader_.pack, reader_.pack.facts[index])) {
            visit(input);
        }
        path_.pop_back();
        is_checked_[index] = true;
    }

    void report(std::size_t first) {
        std::vector<std::string> names;
        for (std::size_t i = first; i < path_.size(); ++i) {
            names.push_back(reader_.pack.facts[path_[i]].name);
        }
        names.push_back(names.front());
        reader_.diagnostics.error("fact.circle",
                                  reader_.pack.facts[path_[first]].where,
                                  "a fact that needs itself: " + join(names, " -> "),
                                  "give one of them a probe");
    }

    PackReader& reader_;
    std::vector<bool> is_checked_;
    std::vector<std::size_t> path_;
};

}  // namespace

void read_system(const Node& document, PackReader& reader) {
    reader.pack.name = text_of(document["pack"]);
    reader.pack.title = text_of(document["title"], reader.pack.name);
    read_roles(document["roles"], reader);
    read_settings(document["settings"], reader);
    read_facts(document["facts"], reader);
}

// `are_settings_known` and the facts' names must be complete before the first probe is read: its
// ${names} are checked against them.
void read_facts(const Node& facts, PackReader& reader) {
    std::vector<FactSpec>& specs = reader.pack.facts;
    std::vector<const Entry*> entries;
    // All names first: a probe may name a system fact that stands further down.
    for (const Entry& scope : facts.entries) {
        const bool system = scope.key == "system";
        if (!system
            && !known_role({Node::Kind::scalar, scope.key, false, scope.where, {}}, reader)) {
            continue;
        }
        for (const Entry& entry : scope.value.entries) {
            specs.emplace_back();
            specs.back().name = entry.key;
            specs.back().role = system ? "" : scope.key;
            entries.push_back(&entry);
        }
    }
    for (std::size_t i = 0; i < entries.size(); ++i) {
        specs[i] = FactReader(*entries[i], specs[i].role, reader).read();
    }
    for (std::size_t i = 0; i < entries.size(); ++i) {
        check_inputs(entries[i]->value["derive"], specs[i], reader);
    }
    CycleSearch(reader).search();
}

}  // namespace drydock::pack
