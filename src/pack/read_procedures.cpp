// procedures/*.yaml: procedures, their phases, and the members that each phase is for.
//
// A procedure is a list of phases, and a phase is a list of steps. With `each` its steps are for
// one member or host after the other. A document with `continues` adds phases to a procedure of
// another document and has no head of its own. Names of phases are unique in a procedure, ids of
// steps in a phase. The ids of a plan's actions are made of them.
#include "pack/pack_reader.h"
#include "pack/value_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace drydock::pack {

// A schema ensures the two words and the batch; the size is bounded to fit an int.
void read_order(const Node& node, model::Selection& selection) {
    selection.order = text_of(node) == "all" ? model::Order::all : model::Order::serial;
    if (node.kind == Node::Kind::map) {
        selection.order = model::Order::batch;
        selection.batch =
            static_cast<int>(std::min<std::int64_t>(integer_of(node["batch"], 1), 10'000));
    }
}

namespace {

// With `each` the steps of the phase stay together for each member, or for each host with `by:
// host`. `order` limits the members at a time.
model::Selection read_each(const Node& node, PackReader& reader) {
    model::Selection selection;
    selection.blocks = true;
    selection.by_host = text_of(node["by"]) == "host";
    const std::string role = require_role(node["role"], reader) ? text_of(node["role"]) : "";
    const std::string side = read_side(node, role, "", reader);
    selection.role = model::sided(role, side);
    read_order(node["order"], selection);
    const NameScope scope = {role, true, false, side};
    selection.filter = read_conditions(node["where"], scope, reader);
    selection.last = read_conditions(node["last"], scope, reader);
    return selection;
}

// Gives the step an id that is unique in its phase. An id of the pack must be unique by itself; a
// missing one is the verb with a number: "stop", "stop-2", "stop-3".
void name_step(const Node& node,
               model::StepSpec& step,
               std::set<std::string>& ids,
               PackReader& reader) {
    const std::string base_id = text_of(node["id"], name_of(step.verb));
    step.id = base_id;
    if (node.has("id") && ids.contains(base_id)) {
        reader.diagnostics.error("step.duplicate",
                                 node["id"].position,
                                 fmt::format("a second step `{}` in this phase", base_id),
                                 "give it another `id`");
    }
    for (int i = 2; ids.contains(step.id); ++i) {
        step.id = fmt::format("{}-{}", base_id, i);
    }
    ids.insert(step.id);
}

model::PhaseSpec read_phase(const Node& node, PackReader& reader) {
    model::PhaseSpec phase;
    phase.name = text_of(node["phase"]);
    phase.title = text_of(node["title"], phase.name);
    phase.position = node.position;
    if (node.has("each")) {
        phase.selection = read_each(node["each"], reader);
    }
    for (const Node* store : items_of(node["raises"])) {
        if (require_store(*store, reader)) {
            phase.raises.push_back(text_of(*store));
        }
    }
    check_names(node["title"], NameScope{}, reader);
    std::set<std::string> ids;
    for (const Entry& entry : node["steps"].entries) {
        model::StepSpec step;
        read_step(entry.value, phase, step, reader);
        name_step(entry.value, step, ids, reader);
        phase.steps.push_back(std::move(step));
    }
    return phase;
}

bool is_same(const std::vector<model::Condition>& some,
             const std::vector<model::Condition>& others) {
    return std::equal(
        some.begin(), some.end(), others.begin(), others.end(), [](const auto& a, const auto& b) {
            return a.fact == b.fact && a.role == b.role && a.quantifier == b.quantifier
                   && a.relation == b.relation && a.operand == b.operand;
        });
}

// The first phase of a role puts its members in order, for all phases. Only hosts are ordered anew.
void check_last(const Node& node,
                const model::PhaseSpec& phase,
                const std::vector<model::PhaseSpec>& earlier_phases,
                PackReader& reader) {
    if (!phase.selection || phase.selection->last.empty() || phase.selection->by_host) {
        return;
    }
    const auto first =
        std::find_if(earlier_phases.begin(), earlier_phases.end(), [&](const auto& earlier) {
            return earlier.selection && earlier.selection->role == phase.selection->role;
        });
    if (first != earlier_phases.end() && !is_same(first->selection->last, phase.selection->last)) {
        reader.diagnostics.error(
            "phase.last",
            node.position,
            fmt::format(
                "`last` changes nothing: the phase `{}` has put the members of `{}` in order",
                first->name,
                phase.selection->role),
            fmt::format("write it there ({}); it then holds for all phases",
                        first->position.text()));
    }
}

// Phases of one name would give their actions the same ids.
void read_phases(const Node& phases, model::ProcedureSpec& procedure, PackReader& reader) {
    for (const Entry& entry : phases.entries) {
        model::PhaseSpec phase = read_phase(entry.value, reader);
        for (const model::PhaseSpec& earlier_phase : procedure.phases) {
            if (earlier_phase.name == phase.name && !phase.name.empty()) {
                reader.diagnostics.error(
                    "phase.duplicate",
                    entry.value["phase"].position,
                    fmt::format("a second phase `{}`", phase.name),
                    fmt::format("rename it; the first is at {}", earlier_phase.position.text()));
            }
        }
        check_last(entry.value["each"]["last"], phase, procedure.phases, reader);
        procedure.phases.push_back(std::move(phase));
    }
}

// Adds phases to a procedure of another document. load_pack.cpp reads such documents last.
void read_continuation(const Node& document, PackReader& reader) {
    auto& procedures = reader.pack.procedures;
    const std::string name = text_of(document["continues"]);
    const auto has_name = [&](const auto& procedure) { return procedure.name == name; };
    const auto match = std::find_if(procedures.begin(), procedures.end(), has_name);
    if (match == procedures.end() || std::count_if(match, procedures.end(), has_name) > 1) {
        std::vector<std::string> names;
        names.reserve(procedures.size());
        for (const auto& procedure : procedures) {
            names.push_back(procedure.name);
        }
        return report_unknown_name(
            reader.diagnostics, document["continues"].position, "procedure", name, names);
    }
    for (const char* key : {"kind", "title", "applies", "cost", "copy"}) {
        if (document.has(key)) {
            reader.diagnostics.error("key.beside",
                                     document[key].position,
                                     fmt::format("`{}` beside `continues`", key),
                                     "remove it: the procedure has its own");
        }
    }
    read_phases(document["phases"], *match, reader);
}

// The schema cannot require `kind` and `title`, because a document with `continues` has neither.
void check_head(const Node& document, PackReader& reader) {
    for (const char* key : {"kind", "title"}) {
        if (!document.has(key)) {
            reader.diagnostics.error("key.missing",
                                     document.position,
                                     fmt::format("a procedure without `{}`", key),
                                     fmt::format("add `{}: ...`", key));
        }
    }
}

}  // namespace

void read_procedure(const Node& document, PackReader& reader) {
    if (document.has("continues")) {
        return read_continuation(document, reader);
    }
    check_head(document, reader);
    model::ProcedureSpec procedure;
    procedure.name = text_of(document["procedure"]);
    procedure.kind = text_of(document["kind"]);
    procedure.title = text_of(document["title"]);
    procedure.cost = text_of(document["cost"]);
    procedure.copy = text_of(document["copy"]);
    procedure.position = document.position;
    const Node& applies = document["applies"];
    procedure.from_range = text_of(applies["from"]);
    procedure.to_range = text_of(applies["to"]);
    procedure.applies_while = read_conditions(applies["while"], NameScope{}, reader);
    check_names(document["title"], NameScope{}, reader);
    check_names(document["cost"], NameScope{}, reader);
    check_names(document["copy"], NameScope{}, reader);
    read_phases(document["phases"], procedure, reader);
    reader.pack.procedures.push_back(std::move(procedure));
}

}  // namespace drydock::pack
