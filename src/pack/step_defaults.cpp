// Keys of steps that a role gives once for each verb, so that procedures do not repeat them.
//
//   roles:
//     server: {steps: {stop: {within: 30s, then: {fact: running, present: false}}}}
//
// A key of the step itself wins as a whole: lists are not merged, and `then: []` takes a default
// away. The request is one thing: a step with `do` or `script` inherits neither.
#include "pack/read_step.h"

#include <fmt/format.h>

namespace drydock::pack {

namespace {

std::string verb_of(const Node& step) {
    for (const Entry& entry : step.entries) {
        if (model::k_verbs.parse(entry.key)) {
            return entry.key;
        }
    }
    return "";
}

// Returns the role of the step's members, without side; empty if it is about the system.
std::string role_of(const Node& step, const model::PhaseSpec& phase, const std::string& verb) {
    const Node& selector = step["on"];
    for (const char* key : {"every", "one_of", "one_per_host"}) {
        if (selector.has(key)) {
            return text_of(selector[key]);
        }
    }
    if (text_of(selector) == "system") {
        return "";
    }
    if (phase.selection) {
        return model::without_side(phase.selection->role);
    }
    const bool names_role = verb == "stop" || verb == "start" || verb == "restart";
    return names_role ? text_of(step[verb]) : "";
}

bool is_request(const std::string& key) {
    return key == "do" || key == "script";
}

}  // namespace

Node with_defaults(const Node& step, const model::PhaseSpec& phase, PackReader& reader) {
    Node whole = step;
    const std::string verb = verb_of(step);
    const auto defaults = reader.step_defaults.find(role_of(step, phase, verb));
    if (defaults == reader.step_defaults.end()) {
        return whole;
    }
    reader.used_defaults.insert({defaults->first, verb});
    const bool has_request = step.has("do") || step.has("script");
    for (const Entry& entry : defaults->second[verb].entries) {
        if (!step.has(entry.key) && !(has_request && is_request(entry.key))) {
            whole.entries.push_back(entry);
        }
    }
    return whole;
}

// Names in them are checked where a step takes them, so that these are not checked at all.
void check_defaults(const PackReader& reader) {
    for (const auto& [role, verbs] : reader.step_defaults) {
        for (const Entry& verb : verbs.entries) {
            if (!reader.used_defaults.contains({role, verb.key})) {
                reader.diagnostics.warning(
                    "step.defaults",
                    verb.position,
                    fmt::format("no step `{}` is for members of `{}`", verb.key, role),
                    "remove it, or give the keys to the steps that are meant");
            }
        }
    }
}

}  // namespace drydock::pack
