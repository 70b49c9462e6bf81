// The facts of pack.yaml: how each is read (probe) or derived from other facts.
//
// Facts are read in three passes. The first collects all names, because a probe may use a system
// fact that stands further down. The second reads each fact and fills in `inputs`. The third checks
// the inputs and searches for cycles, so that the survey can read facts in the order of their
// inputs. docs/packs.md describes the keys, docs/design/0001-the-core.md the standard facts.
#include "base/hash.h"
#include "base/text.h"
#include "model/fact.h"
#include "pack/fact_inputs.h"
#include "pack/fact_values.h"
#include "pack/pack_reader.h"
#include "pack/read_kubernetes.h"
#include "pack/schemas.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

namespace drydock::pack {

using model::Derivation;
using model::FactSpec;
using model::FactType;
using model::StandardFact;

namespace {

constexpr std::int64_t k_fact_deadline_ms = 2'000;  // local probes take milliseconds

// Returns the type that a standard fact must have; nothing if any will do.
std::optional<FactType> type_of(StandardFact fact) {
    static const std::map<StandardFact, FactType> types = {
        {StandardFact::running, FactType::release},
        {StandardFact::installed, FactType::release},
        {StandardFact::ready, FactType::boolean},
        {StandardFact::voter, FactType::boolean},
        {StandardFact::leads, FactType::boolean},
        {StandardFact::on_disk, FactType::list},
    };
    const auto entry = types.find(fact);
    return entry == types.end() ? std::nullopt : std::optional(entry->second);
}

class FactReader {
public:
    FactReader(const Entry& entry, const std::string& role, PackReader& reader)
        : node_(entry.value)
        , reader_(reader) {
        fact_.name = entry.key;
        fact_.role = role;
        fact_.position = entry.position;
    }

    FactSpec read() {
        fact_.type =
            model::k_fact_types.parse(text_of(node_["type"])).value_or(model::FactType::text);
        fact_.standard_fact =
            model::k_standard_facts.parse(text_of(node_["binds"])).value_or(StandardFact::none);
        fact_.help = text_of(node_["help"]);
        fact_.is_volatile = boolean_of(node_["moves"]);
        fact_.identity = boolean_of(node_["identity"]);
        fact_.writes = text_of(node_["effect"]) == "writes";
        check_binding();
        read_temporary();
        read_at_rest();
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
        const StandardFact binds = fact_.standard_fact;
        const FactType type = type_of(binds).value_or(fact_.type);
        if (type != fact_.type) {
            error("fact.binds",
                  node_["binds"].position,
                  fmt::format("`{}` is of type {}", name_of(binds), name_of(fact_.type)),
                  fmt::format("write `type: {}`", name_of(type)));
        }
        if (fact_.role.empty() && (binds == StandardFact::voter || binds == StandardFact::leads)) {
            error("fact.scope",
                  node_["binds"].position,
                  fmt::format("`{}` is told of members, but this is a fact of the system",
                              name_of(binds)),
                  "put the fact under a role");
        }
        const bool is_of_clients = binds == StandardFact::writes || binds == StandardFact::serving;
        if (!fact_.role.empty() && is_of_clients) {
            error("fact.scope",
                  node_["binds"].position,
                  fmt::format("`{}` is told of the whole system, but this is a fact of members",
                              name_of(binds)),
                  fmt::format("put one under `system`, as in `derive: {{agreed: {}}}`, or remove "
                              "`binds`",
                              fact_.name));
        }
        check_is_bound_once();
    }

    // `level` may be bound several times, once for each store. Every other standard fact is unique
    // in a role.
    void check_is_bound_once() {
        const StandardFact binds = fact_.standard_fact;
        const bool once = binds != StandardFact::none && binds != StandardFact::level;
        for (const FactSpec& earlier_fact : reader_.pack.facts) {
            if (once && earlier_fact.standard_fact == binds && earlier_fact.role == fact_.role) {
                error("fact.binds",
                      node_["binds"].position,
                      fmt::format("`{}` is bound twice", name_of(binds)),
                      fmt::format("remove one; the first is at {}", earlier_fact.position.text()));
            }
        }
    }

    // Starts, stops and elections move these facts. No plan leaves them as they were.
    [[nodiscard]] bool follows_members() const {
        const StandardFact binds = fact_.standard_fact;
        return binds == StandardFact::installed || binds == StandardFact::running
               || binds == StandardFact::ready || binds == StandardFact::leads
               || node_["probe"].has("service");
    }

    // The end of a plan compares the fact with the survey's value, so that it must be surveyed and
    // change by nothing but plans and people.
    void read_temporary() {
        const Node& node = node_["temporary"];
        fact_.temporary = model::k_temporaries.parse(text_of(node)).value_or(model::Temporary::no);
        if (fact_.temporary != model::Temporary::no && follows_members()) {
            error("fact.temporary",
                  node.position,
                  fmt::format("`{}` changes with every member that is stopped and started",
                              fact_.name),
                  "remove `temporary`; it is for what a plan switches and must switch back");
        }
        if (fact_.temporary != model::Temporary::no && fact_.identity) {
            error(
                "fact.temporary",
                node.position,
                fmt::format("`{}` tells who the member is, and no plan switches that", fact_.name),
                "remove `temporary` or `identity`");
        }
        if (fact_.temporary != model::Temporary::no && (fact_.is_volatile || fact_.writes)) {
            error("fact.temporary",
                  node.position,
                  fact_.is_volatile ? "a fact that changes by itself is as before by chance only"
                                    : "a fact whose probe writes is not read when a plan is made",
                  fact_.is_volatile ? "remove `temporary` or `moves`"
                                    : "remove `temporary`, or give it a probe that only reads");
        }
    }

    // A plan that finds the fact switched, because a former plan was left half-way, ends with this
    // value. No ${name} is filled in: the value is the same for all members and plans.
    void read_at_rest() {
        const Entry* entry = node_.find("at_rest");
        if (entry == nullptr) {
            return;
        }
        const Node& value = entry->value;
        const bool is_absent = value.kind == Node::Kind::nothing;
        if (fact_.temporary == model::Temporary::no) {
            error("fact.at_rest",
                  entry->position,
                  "`at_rest` of a fact that is not temporary",
                  "add `temporary: true`, or remove `at_rest`");
        } else if (!is_absent && (has_template(value) || !fits(value, fact_.type))) {
            error("value.wrong",
                  value.position,
                  fmt::format("`{}` is of type {} and cannot rest at this value",
                              fact_.name,
                              name_of(fact_.type)),
                  fmt::format("expected {}, without ${{names}}", example_of(fact_.type)));
        }
        fact_.at_rest = is_absent ? Json() : typed_value(value, fact_.type);
    }

    static bool has_template(const Node& node) {
        bool has = false;
        for_each_scalar(node, [&](const Node& scalar) {
            has = has || scalar.scalar.find("${") != std::string::npos;
        });
        return has;
    }

    void read_probe(const Entry& probe) {
        fact_.kind = probe.key;
        fact_.probe = parameters(probe);
        const std::int64_t deadline_ms = duration_of(node_["within"], k_fact_deadline_ms);
        read_script(probe);
        fact_.probe.set("deadline_ms", duration_of(probe.value["deadline"], deadline_ms));
        check_type(probe);
        check_file(probe);
        if (probe.key == "kubernetes") {
            check_kubernetes_probe(probe.value, reader_.diagnostics);
        }
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
                reader_.diagnostics, script.position, "script", script.scalar, keys_of(scripts));
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
        for (const char* key : {"argv", "may"}) {
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
            const bool yes_or_no = way.key == "equal" || way.key == "matches" || way.key == "may"
                                   || way.key == "dry_run";
            if ((list && fact_.type != FactType::list)
                || (yes_or_no && fact_.type != FactType::boolean)) {
                error("fact.type",
                      way.position,
                      fmt::format("`{}` gives a {}, but the fact is of type {}",
                                  way.key,
                                  list ? "list" : "bool",
                                  name_of(fact_.type)),
                      fmt::format("write `type: {}`", list ? "list" : "bool"));
            }
            const bool pair = way.key == "equal" && way.value.kind == Node::Kind::list;
            if (pair && way.value.entries.size() != 2) {
                error(
                    "value.wrong", way.position, "`equal` needs two pointers", "expected [/a, /b]");
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
                  probe.value.position,
                  fmt::format("`as: {}` without `{}`", format, needs),
                  fmt::format("add `{}`: which value of the file is meant", needs));
        }
    }

    // Probes with a scalar (`service: state`, `link: release`) look at the member itself.
    void check_member_scope(const Entry& probe) {
        if (fact_.role.empty() && probe.value.kind == Node::Kind::scalar) {
            error(
                "fact.scope",
                probe.position,
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
                  derive.position,
                  fmt::format("`{}` of {} facts", derive.key, fact_.inputs.size()),
                  "expected two facts, as in [a, b]");
        }
        if (!arithmetic && !fact_.role.empty()) {
            error("fact.scope",
                  derive.position,
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
                  unknown.position,
                  "`unknown` is about facts that are derived over all members",
                  "leave it out, or derive by `lowest`, `highest` or `agreed`");
        }
    }

    const Node& node_;
    PackReader& reader_;
    FactSpec fact_;
};

}  // namespace

// `are_settings_known` and the facts' names must be complete before the first probe is read: its
// ${names} are checked against them.
void read_facts(const Node& facts, PackReader& reader) {
    std::vector<FactSpec>& specs = reader.pack.facts;
    std::vector<const Entry*> entries;
    // All names first: a probe may name a system fact that stands further down.
    for (const Entry& scope : facts.entries) {
        const bool system = scope.key == "system";
        if (!system
            && !require_role({Node::Kind::scalar, scope.key, false, scope.position, {}}, reader)) {
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
    report_cycles(reader);
}

}  // namespace drydock::pack
