// The parts of the pack reader. Each part decodes one kind of checked document into the pack, and
// reports problems beyond any schema: unknown names, cycles, contradictory format rules.
//
// The order matters: pack.yaml first (roles, settings, facts), then releases.yaml, then procedures.
#pragma once

#include "model/pack.h"
#include "pack/yaml.h"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace drydock::pack {

struct PackReader {
    model::Pack& pack;
    Diagnostics& diagnostics;
    bool are_settings_known = true;  // false: ${names} are not checked, all would be reported
    std::map<std::string, Node> step_defaults = {};  // by role: keys of steps, by verb
    std::set<std::pair<std::string, std::string>> used_defaults = {};  // role and verb
};

// The context of a string or condition: it decides on the ${names} and facts that may be used.
struct NameScope {
    std::string role;         // the role of the member in question; empty: the whole system
    bool in_plan = true;      // true in a procedure, false in a probe
    bool has_script = false;  // ${script} is known
    std::string side;         // side of that role: "source" or "target"; empty: no sides
};

void read_system(const Node& document, PackReader& reader);        // pack.yaml
void read_facts(const Node& facts, PackReader& reader);            // its `facts`
void read_releases(const Node& document, PackReader& reader);      // releases.yaml
void read_own_releases(const Node& releases, PackReader& reader);  // a cluster file's `releases`
void read_procedure(const Node& document, PackReader& reader);     // one document of procedures/
// Warns of keys that a role gives to steps that no procedure has.
void check_defaults(const PackReader& reader);
// Warns of conditions that ask `any` member of a role whose members are all stopped there.
void check_stopped(const model::Pack& pack, Diagnostics& diagnostics);
// Refuses `own` where no member has an instance of its own; warns of steps that each member has and
// that convert the instances of all.
void check_own_instances(const model::Pack& pack, Diagnostics& diagnostics);
// Refuses effects that go round the laws of the pack, and lists that contradict themselves.
void check_effects(const model::Pack& pack, Diagnostics& diagnostics);
// Warns of guards that count nobody of a role that the step takes down, and of restores without a
// copy.
void check_hollow_steps(const model::Pack& pack, Diagnostics& diagnostics);
// Refuses `optional` on a step that takes down, installs or brings up members of a role that the
// cluster needs.
void check_optional_steps(const model::Pack& pack, Diagnostics& diagnostics);
void read_step(const Node& node,
               const model::PhaseSpec& phase,
               model::StepSpec& step,
               PackReader& reader);

void read_order(const Node& node, model::Selection& selection);

// Returns the conditions of a list, or of a single map.
[[nodiscard]] std::vector<model::Condition>
read_conditions(const Node& node, const NameScope& scope, PackReader& reader);
[[nodiscard]] std::optional<model::Condition>
read_condition(const Node& node, const NameScope& scope, PackReader& reader);

// Returns the fact `name` for a step of `role`: the role's own, else the system's, else that of the
// only other role with one. Returns nullptr if there is none, or if several roles have it.
[[nodiscard]] const model::FactSpec*
find_fact(const model::Pack& pack, const std::string& role, const std::string& name);
// The same, for a fact of that very role only.
[[nodiscard]] const model::FactSpec*
find_own_fact(const model::Pack& pack, const std::string& role, const std::string& name);
// Returns true if a fact of the role stands for the standard fact.
[[nodiscard]] bool
is_bound(const model::Pack& pack, const std::string& role, model::StandardFact fact);
// Reports a fact that `role` ("": the system) does not have, and who has it.
void report_unknown_fact(const Node& fact, const std::string& role, PackReader& reader);

// Reports every ${name} below `node` that `scope` does not know.
void check_names(const Node& node, const NameScope& scope, PackReader& reader);
// Returns the `side` that `node` names for the role, else `usual`. Reports a missing side of a role
// with sides, and a side of a role without.
[[nodiscard]] std::string
read_side(const Node& node, const std::string& role, const std::string& usual, PackReader& reader);
// Return true if the pack has a role (a store) of that name; report the name otherwise.
bool require_role(const Node& node, PackReader& reader);
bool require_store(const Node& node, PackReader& reader);

// Return a map of texts, and a list of texts, as JSON.
[[nodiscard]] Json to_text_map(const Node& node);
[[nodiscard]] Json to_text_list(const Node& node);

}  // namespace drydock::pack
