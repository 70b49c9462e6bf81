// Dispatch of actions: the table of kinds, and the helpers that every kind uses.
//
// Each kind lives in a file of its own (action_command.cpp, action_http.cpp, action_kubernetes.cpp,
// action_link.cpp, action_venv.cpp, service.cpp). The table maps the request's "kind" to its
// function. An unknown kind is an error of the request and has had no effect.
#include "agent/action.h"

#include <fmt/format.h>

namespace drydock::agent {
namespace {

struct ActionKind {
    std::string_view name;
    ActionResult (*run)(const Json& request, const ActionContext& context);
};

constexpr std::array k_kinds = {
    ActionKind{"command", run_command_action},
    ActionKind{"http", run_http_action},
    ActionKind{"kubernetes", run_kubernetes_action},
    ActionKind{"link", run_link_action},
    ActionKind{"service_start", run_service_start},
    ActionKind{"service_stop", run_service_stop},
    ActionKind{"venv", run_venv_action},
};

}  // namespace

ActionResult failed(Error error, Json evidence) {
    return {Outcome::failed, std::move(evidence), std::move(error)};
}

// Marks the error as an unknown outcome: a conductor must not repeat such an action without a look
// at the facts.
ActionResult unknown(Error error, Json evidence) {
    error.kind = ErrorClass::unknown_outcome;
    return {Outcome::unknown, std::move(evidence), std::move(error)};
}

ActionResult run_typed(const Json& request, const ActionContext& context) {
    const std::string& kind_name = request["kind"].as_string();
    for (const auto& kind : k_kinds) {
        if (kind.name == kind_name) {
            return kind.run(request, context);
        }
    }
    return failed({"agent.bad_request",
                   fmt::format("this agent knows no action of kind `{}`", kind_name),
                   "use the same drydock on both sides"});
}

// Rejects texts with a NUL byte: execve() would cut an argument there without a word.
Result<std::vector<std::string>> read_texts(const Json& list, std::string_view key) {
    std::vector<std::string> texts;
    for (const auto& item : list.items()) {
        if (item.is_string() && item.as_string().find('\0') == std::string::npos) {
            texts.push_back(item.as_string());
        }
    }
    if (!list.is_array() || texts.size() != list.items().size()) {
        return fail("agent.bad_request", fmt::format("`{}` is no list of texts", key));
    }
    return texts;
}

std::vector<std::pair<std::string, std::string>> read_pairs(const Json& object) {
    std::vector<std::pair<std::string, std::string>> pairs;
    for (const auto& [key, value] : object.members()) {
        pairs.emplace_back(key, value.as_string());
    }
    return pairs;
}

}  // namespace drydock::agent
