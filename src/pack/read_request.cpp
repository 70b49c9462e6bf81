// The request of a step to its host: a command, an HTTP request, a change to an object of
// Kubernetes, a virtual environment, or a script of the pack.
#include "pack/read_copy.h"
#include "pack/read_kubernetes.h"
#include "pack/read_step.h"

#include <fmt/format.h>

namespace drydock::pack {

namespace {

using model::Verb;

// The cluster file says how a member is started, stopped and installed, so that these verbs need no
// `do`.
bool has_own_request(Verb verb) {
    const bool service = verb == Verb::stop || verb == Verb::start;
    return service || verb == Verb::install;
}

// Both kinds of request are the agent's own form. Missing keys get their default here, so that a
// plan describes a command completely.
Json command_request(const Node& node) {
    Json request;
    request.set("kind", "command");
    request.set("argv", to_text_list(node["argv"]));
    request.set("env", to_text_map(node["env"]));
    for (const char* key : {"cwd", "stdout_file"}) {
        if (node.has(key)) {
            request.set(key, text_of(node[key]));
        }
    }
    return request.set("exit_done",
                       node.has("exit_done") ? to_json(node["exit_done"])
                                             : Json(Json::Array{Json(0)}));
}

Json http_request(const Node& node) {
    Json request;
    request.set("kind", "http");
    request.set("url", text_of(node["url"]));
    request.set("method", text_of(node["method"], "POST"));
    request.set("headers", to_text_map(node["headers"]));
    if (node.has("body")) {
        request.set("body", to_json(node["body"]));
    }
    return request.set("expect",
                       node.has("expect") ? to_json(node["expect"]) : Json(Json::Array{Json(200)}));
}

class RequestReader {
public:
    RequestReader(const Node& node, NameScope& scope, model::StepSpec& step, PackReader& reader)
        : node_(node)
        , scope_(scope)
        , step_(step)
        , reader_(reader) {}

    // A step has at most one request: a command, an HTTP request, a change to an object of
    // Kubernetes, a copy or its proof, a virtual environment, or a script alone. A script may also
    // stand beside a command: then its arguments contain ${script}.
    void read() {
        step_.script = text_of(node_["script"]);
        for (const Node* argument : items_of(node_["arguments"])) {
            step_.arguments.push_back(text_of(*argument));
        }
        if (!step_.arguments.empty() && step_.verb != Verb::start) {
            error(
                "step.arguments",
                node_["arguments"].position,
                fmt::format("`arguments` in a step `{}`", verb_name()),
                "they are for start: the service's own command line is longer by them, this once");
        }
        const Node& command = node_["do"]["command"];
        const Node& http = node_["do"]["http"];
        if (command.kind == Node::Kind::map) {
            step_.request = command_request(command);
        } else if (http.kind == Node::Kind::map) {
            step_.request = http_request(http);
        } else if (const Node& change = node_["do"]["kubernetes"]; change.kind == Node::Kind::map) {
            step_.request = kubernetes_request_of(change);
            check_kubernetes_request(change, reader_.diagnostics);
        } else if (node_["do"].has("copy")) {
            step_.request = mover_request("copy");
        } else if (node_["do"].has("verify")) {
            step_.request = mover_request("verify");
        } else if (node_["do"].has("venv")) {
            read_venv(node_["do"]["venv"]);
        } else if (!step_.script.empty()) {
            step_.request = command_request({});
            step_.request.set("argv", Json(Json::Array{Json("${script}")}));
        }
        check_request();
        check_script();
    }

private:
    // drydock's movers are commands of drydock itself: progress, limits and pauses are the same.
    [[nodiscard]] Json mover_request(const std::string& word) const {
        return command_request({}).set("argv", mover_arguments(word, node_["do"][word]));
    }

    void
    error(const char* code, const Position& position, std::string summary, std::string suggestion) {
        reader_.diagnostics.error(code, position, std::move(summary), std::move(suggestion));
    }

    [[nodiscard]] std::string_view verb_name() const { return name_of(step_.verb); }

    // Adds only the kind. Interpreter, pins and wheels are in the cluster file; the planner adds
    // them.
    void read_venv(const Node& node) {
        step_.request.set("kind", "venv");
        if (scope_.role.empty()) {
            error("fact.scope",
                  node.position,
                  "`venv: make` where no member is meant",
                  "write it in a step on members");
        }
    }

    void check_request() {
        const bool has_request = node_.has("do") || node_.has("script");
        if (has_request && is_read_only(step_.verb)) {
            error("step.do",
                  node_.position,
                  fmt::format("`{}` only looks, it does nothing on a host", verb_name()),
                  "use the verb `run`");
        }
        if (!has_request && !is_read_only(step_.verb) && !has_own_request(step_.verb)) {
            error("step.do",
                  node_.position,
                  fmt::format("`{}` does not say what is done", verb_name()),
                  "add `do: {command: {argv: [...]}}`, `do: {http: {url: ...}}`, "
                  "`do: {kubernetes: {...}}` or `script`");
        }
    }

    // Without a command that uses it, the script is the program itself.
    void check_script() {
        const Node& script = node_["script"];
        scope_.has_script = !step_.script.empty();
        if (scope_.has_script && !reader_.pack.scripts.contains(step_.script)) {
            report_unknown_name(reader_.diagnostics,
                                script.position,
                                "script",
                                step_.script,
                                keys_of(reader_.pack.scripts));
        }
        const bool has_other = !node_["do"].entries.empty() && !node_["do"].has("command");
        if (scope_.has_script && has_other) {
            error("step.script", script.position, "a script beside another request", "remove one");
        }
    }

    const Node& node_;
    NameScope& scope_;
    model::StepSpec& step_;
    PackReader& reader_;
};

}  // namespace

void read_request(const Node& node, NameScope& scope, model::StepSpec& step, PackReader& reader) {
    RequestReader(node, scope, step, reader).read();
}

}  // namespace drydock::pack
