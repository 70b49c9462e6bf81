// The form of names with a side, what verbs do, and what a pack needs of the cluster file.
//
// A role or store of one side is written "server@source"; the part before the "@" is the pack's
// name of it.
#include "model/pack.h"

#include <algorithm>

namespace drydock::model {
namespace {

// Returns the role that a step is for; empty: the system.
std::string role_of(const StepSpec& step, const PhaseSpec& phase) {
    if (step.selection) {
        return without_side(step.selection->role);
    }
    return phase.selection ? without_side(phase.selection->role) : "";
}

template <typename Predicate>
bool any_step(const Pack& pack, std::string_view role, const Predicate& holds) {
    for (const ProcedureSpec& procedure : pack.procedures) {
        for (const PhaseSpec& phase : procedure.phases) {
            for (const StepSpec& step : phase.steps) {
                if (role_of(step, phase) == role && holds(step)) {
                    return true;
                }
            }
        }
    }
    return false;
}

template <typename Predicate>
bool any_fact(const Pack& pack, std::string_view role, const Predicate& holds) {
    return std::any_of(pack.facts.begin(), pack.facts.end(), [&](const FactSpec& fact) {
        return fact.role == role && holds(fact);
    });
}

// ${release}, ${release.from} and ${release.to} are the member's link and folders.
bool names_release(const Json& value) {
    return value.dump().find("${release") != std::string::npos;
}

}  // namespace

bool needs_service(const Pack& pack, std::string_view role) {
    return any_step(pack,
                    role,
                    [](const StepSpec& step) {
                        return step.verb == Verb::stop || step.verb == Verb::start;
                    })
           || any_fact(pack, role, [](const FactSpec& fact) {
                  return fact.kind == "service" || fact.kind == "process" || fact.kind == "exe";
              });
}

bool needs_release(const Pack& pack, std::string_view role) {
    return any_step(pack,
                    role,
                    [](const StepSpec& step) {
                        return step.verb == Verb::install
                               || step.request["kind"].as_string() == "venv"
                               || names_release(step.request);
                    })
           || any_fact(pack, role, [](const FactSpec& fact) {
                  return fact.kind == "link" || fact.kind == "exe" || names_release(fact.probe);
              });
}

std::string sided(std::string_view name, std::string_view side) {
    std::string whole(name);
    return side.empty() ? whole : whole.append("@").append(side);
}

// A name without a side is returned as it is.
std::string without_side(std::string_view name) {
    return std::string(name.substr(0, name.find('@')));
}

// These verbs change the release that a member runs, or will run.
bool changes_running_release(Verb verb) {
    return verb == Verb::stop || verb == Verb::install || verb == Verb::start
           || verb == Verb::restart;
}

}  // namespace drydock::model
