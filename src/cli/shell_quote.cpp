// Formats an action's request as the shell command that a person would type.
//
// The guide prints these commands, so they must do the same as the agent: a process is started in
// its own session with a pid file, and stopped by the signal of its service. Kinds of requests
// without a command give an empty text.
#include "base/text.h"
#include "cli/render.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::cli {

namespace {

std::string command_of(const Json& argv) {
    std::vector<std::string> words;
    for (const Json& word : argv.items()) {
        words.push_back(shell_word(word.as_string()));
    }
    return join(words, " ");
}

std::string environment_of(const Json& env) {
    std::string text;
    for (const auto& [name, value] : env.members()) {
        text += name + "=" + shell_word(value.show()) + " ";
    }
    return text;
}

std::string in_folder(const Json& request) {
    const std::string& folder = request["cwd"].as_string();
    return folder.empty() ? "" : "cd " + shell_word(folder) + "\n";
}

// A service of type `process` has no start command of its own: the agent starts it, and a person
// needs setsid and the pid file in its place.
std::string service_start(const Json& service, const Json& arguments) {
    const std::string extra_words = arguments.items().empty() ? "" : " " + command_of(arguments);
    if (service["type"].as_string() == "systemd") {
        return "systemctl start " + shell_word(service["unit"].as_string());
    }
    if (service["type"].as_string() != "process") {
        return command_of(service["start"]) + extra_words;
    }
    const std::string& log = service["log"].as_string();
    const std::string output = log.empty() ? "/dev/null" : log;
    return fmt::format("{}{}setsid {}{} >> {} 2>&1 < /dev/null &\necho $! > {}",
                       in_folder(service),
                       environment_of(service["env"]),
                       command_of(service["argv"]),
                       extra_words,
                       shell_word(output),
                       shell_word(service["pid_file"].as_string()));
}

// The loop waits for the end of the process, as the agent does.
std::string service_stop(const Json& service) {
    if (service["type"].as_string() == "systemd") {
        return "systemctl stop " + shell_word(service["unit"].as_string());
    }
    if (service["type"].as_string() != "process") {
        return command_of(service["stop"]);
    }
    const Json* signal_setting = service.find("/stop/signal");
    const std::string signal = signal_setting == nullptr ? "TERM" : signal_setting->show();
    const std::string file = shell_word(service["pid_file"].as_string());
    return fmt::format("pid=$(head -n1 {} | cut -d' ' -f1)\n"
                       "kill -{} \"$pid\"; while kill -0 \"$pid\" 2>/dev/null; do sleep 0.2; done",
                       file,
                       signal);
}

std::string command(const Json& request) {
    const std::string& output = request["stdout_file"].as_string();
    return in_folder(request) + environment_of(request["env"]) + command_of(request["argv"])
           + (output.empty() ? "" : " > " + shell_word(output));
}

// `-f` makes curl fail where the server answers with an error.
std::string http(const Json& request) {
    const std::string& method = request["method"].as_string();
    std::string text = "curl -fsS -X " + (method.empty() ? std::string("GET") : method);
    for (const auto& [name, value] : request["headers"].members()) {
        text += " -H " + shell_word(name + ": " + value.show());
    }
    const Json& body = request["body"];
    if (!body.is_null()) {
        text += " -d " + shell_word(body.is_string() ? body.as_string() : body.dump());
    }
    return text + " " + shell_word(request["url"].as_string());
}

// "apps/v1/deployments" is "deployments.v1.apps" for kubectl, and "services" is itself.
std::string kubectl_kind(const std::string& resource) {
    auto words = split(resource, '/');
    std::reverse(words.begin(), words.end());
    return join(words, ".");
}

// How kubectl reaches the server, or "" where it cannot: it knows no proxy's socket.
std::string kubectl(const Json& request) {
    const std::string& proxy = request["proxy"].as_string();
    if (proxy.starts_with("unix:")) {
        return "";
    }
    std::string text = proxy.empty() ? fmt::format("kubectl --kubeconfig {} --context {}",
                                                   shell_word(request["kubeconfig"].as_string()),
                                                   shell_word(request["context"].as_string()))
                                     : "kubectl --server " + shell_word(proxy);
    if (request.contains("namespace")) {
        text += " -n " + shell_word(request["namespace"].as_string());
    }
    return text;
}

// The patch, held to the object with the uid that the request names.
std::string json_patch(const Json& request) {
    Json operations{Json::Array{}};
    if (request.contains("uid")) {
        operations.push(
            Json().set("op", "test").set("path", "/metadata/uid").set("value", request["uid"]));
    }
    for (const Json& operation : request["patch"].items()) {
        operations.push(operation);
    }
    return operations.dump();
}

// Items by their key have no words in kubectl's patches. Its deletion knows no uid: the object is
// looked at right before.
std::string kubernetes(const Json& request) {
    const std::string program = kubectl(request);
    const std::string object = shell_word(kubectl_kind(request["resource"].as_string()) + "/"
                                          + request["name"].as_string());
    const std::string patch = json_patch(request);
    if (program.empty() || patch.find("/[") != patch.npos) {
        return "";
    }
    if (request.contains("patch")) {
        return fmt::format("{} patch {} --type=json -p {}", program, object, shell_word(patch));
    }
    if (request.contains("scale")) {
        return fmt::format(
            "{} scale {} --replicas={}", program, object, shell_word(request["scale"].show()));
    }
    if (request.contains("create")) {
        return fmt::format(
            "printf %s {} | {} create -f -", shell_word(request["create"].dump()), program);
    }
    return fmt::format(
        "[ \"$({0} get {1} -o 'jsonpath={{.metadata.uid}}')\" = {2} ] && {0} delete {1}",
        program,
        object,
        shell_word(request["delete"]["uid"].as_string()));
}

}  // namespace

// Quotes a word if it needs it. `${script}` names a file that the agent writes; it stays bare, so
// that a reader sees it. `${drydock}` is the agent's own program.
std::string shell_word(std::string_view word) {
    const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0
               || std::string_view("-_./:=,@%+").find(c) != std::string_view::npos;
    });
    if (word == "${drydock}") {
        return "drydock";
    }
    if (plain || word == "${script}") {
        return std::string(word);
    }
    std::string text = "'";
    for (const char c : word) {
        text += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    return text + "'";
}

// Requests that only the agent can carry out, such as packages and environments, have no command
// here.
std::string shell_of(const Json& request) {
    const std::string& kind = request["kind"].as_string();
    if (kind == "service_start") {
        return service_start(request["service"], request["arguments"]);
    }
    if (kind == "service_stop") {
        return service_stop(request["service"]);
    }
    if (kind == "link") {
        return fmt::format("ln -sfn {} {}",
                           shell_word(request["target"].as_string()),
                           shell_word(request["link"].as_string()));
    }
    if (kind == "command") {
        return command(request);
    }
    if (kind == "kubernetes") {
        return kubernetes(request);
    }
    return kind == "http" ? http(request) : "";
}

}  // namespace drydock::cli
