// The parts of the pack reader: each decodes one kind of checked document into the pack and reports
// what no table can say (unknown names, circles, laws that contradict each other).
//
// Order matters: pack.yaml first (roles, settings, facts), then releases.yaml, then procedures.
#pragma once

#include "model/pack.h"
#include "pack/yaml.h"

#include <string>
#include <vector>

namespace drydock::pack {

struct PackReader {
    model::Pack& pack;
    Diagnostics& diagnostics;
    bool settings_known = true;  // else ${names} are not checked: none would be right
};

// Where a string or condition stands: which ${names} it may use, whose facts it means.
struct Scope {
    std::string role;     // whose member is meant; empty: the system as a whole
    bool in_plan = true;  // a procedure's; else a probe's
    bool script = false;  // ${script} is known
    std::string side;     // of that role: "source" or "target"; empty: it has none
};

void read_system(const Node& document, PackReader& reader);        // pack.yaml
void read_facts(const Node& facts, PackReader& reader);            // its `facts`
void read_releases(const Node& document, PackReader& reader);      // releases.yaml
void read_own_releases(const Node& releases, PackReader& reader);  // a cluster file's `releases`
void read_procedure(const Node& document, PackReader& reader);     // one document of procedures/
void read_step(const Node& node,
               const model::PhaseSpec& phase,
               model::StepSpec& step,
               PackReader& reader);

void read_order(const Node& node, model::Selection& selection);

// The conditions of a list (or of one map alone).
[[nodiscard]] std::vector<model::Condition>
read_conditions(const Node& node, const Scope& scope, PackReader& reader);
[[nodiscard]] std::optional<model::Condition>
read_condition(const Node& node, const Scope& scope, PackReader& reader);

// The fact `name` as a step of `role` sees it: that role's, the system's, or that of the one role
// which has it. nullptr if there is none, or if several other roles have it.
[[nodiscard]] const model::FactSpec*
find_fact(const model::Pack& pack, const std::string& role, const std::string& name);
[[nodiscard]] std::vector<std::string> fact_names(const model::Pack& pack, const std::string& role);

// Reports every ${name} below `node` that `scope` does not know.
void check_names(const Node& node, const Scope& scope, PackReader& reader);
// What `side` at `node` says of the role, else `usual`. Reports a role with sides of which none is
// said, and a side of a role that has none.
[[nodiscard]] std::string
read_side(const Node& node, const std::string& role, const std::string& usual, PackReader& reader);
// Reports it and answers false if no role (or store) of the pack has that name.
bool known_role(const Node& node, PackReader& reader);
bool known_store(const Node& node, PackReader& reader);

// {key: text} as JSON.
[[nodiscard]] Json texts_map(const Node& node);
[[nodiscard]] Json texts_list(const Node& node);

}  // namespace drydock::pack
