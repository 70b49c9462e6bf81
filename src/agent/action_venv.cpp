// The action `venv`: {target, python?, pins?, wheels?, check?, env?, timeout_ms}. Makes a Python
// environment beside the running ones, and tests it with a command.
//
// An environment cannot be renamed, because its scripts name its interpreter. So it is made in
// place. The file drydock-venv.json in it says `making` from the first moment on, and `made` with
// the digest of the pins at the end. An environment that says `making` is made anew. An
// environment without that file is foreign: it is checked and never touched. pip's
// exit code proves little, so `check` runs each time.
#include "agent/action.h"
#include "agent/digest.h"
#include "os/files.h"
#include "os/output_file.h"

#include <fmt/format.h>

#include <filesystem>

namespace drydock::agent {
namespace {

constexpr std::size_t k_mark_bytes_max = 4096;

std::string mark_of(const std::string& target) {
    return target + "/drydock-venv.json";
}

Status write_mark(const std::string& target, const char* state, const std::string& pins) {
    Json mark;
    mark.set("state", state).set("pins", pins);
    return os::write_output_durable(mark_of(target), mark.dump() + "\n", 0644);
}

// Returns the mark; null if the folder has none.
Json read_mark(const std::string& target) {
    const auto text = os::read_file(mark_of(target), k_mark_bytes_max);
    return text ? Json::parse(*text).value_or(Json()) : Json();
}

ActionResult run_one(const Json& request, Json argv, const ActionContext& context) {
    Json command;
    command.set("argv", std::move(argv)).set("env", request["env"]);
    command.set("timeout_ms", request["timeout_ms"]);
    return run_command_action(command, context);
}

Json install_argv(const Json& request, const std::string& target) {
    Json::Array argv = {target + "/bin/python",
                        "-m",
                        "pip",
                        "install",
                        "--no-input",
                        "--no-deps",
                        "-r",
                        request["pins"]};
    if (request["wheels"].is_string()) {
        argv.insert(argv.end(), {"--no-index", "--find-links", request["wheels"]});
    }
    return argv;
}

// Returns the uppermost folder of the path that does not exist; its parent does.
std::string first_missing(std::string path) {
    for (std::string parent = os::folder_of(path); parent != path && !os::exists(parent);
         parent = os::folder_of(path)) {
        path = parent;
    }
    return path;
}

// Makes the environment from nothing. The mark `making` is durable before the first file, so an
// interrupted attempt is recognised and begins again.
ActionResult make(const Json& request, const std::string& pins, const ActionContext& context) {
    const std::string& target = request["target"].as_string();
    if (const auto folder = os::OutputFolder::of(first_missing(target)); !folder) {
        return failed(folder.error());  // another user could choose where it lands
    }
    std::error_code problem;
    std::filesystem::remove_all(target, problem);
    std::filesystem::create_directories(target, problem);
    if (auto marked = write_mark(target, "making", pins); !marked) {
        return failed(marked.error());
    }
    auto result = run_one(request, Json::Array{request["python"], "-m", "venv", target}, context);
    if (result.outcome == Outcome::done) {
        result = run_one(request, install_argv(request, target), context);
    }
    if (result.outcome != Outcome::done) {
        return result;
    }
    const auto marked = write_mark(target, "made", pins);
    return marked ? result : failed(marked.error(), std::move(result.evidence));
}

ActionResult check(const Json& request, const ActionContext& context) {
    const std::string& target = request["target"].as_string();
    Json::Array argv = request["check"].items();
    if (argv.empty()) {
        argv = {"bin/python", "-c", "pass"};
    }
    const std::string& program = argv.front().as_string();
    argv.front() = program.starts_with("/") ? program : target + "/" + program;
    return run_one(request, std::move(argv), context);
}

enum class Presence {
    none,     // nothing, or an environment that was not finished
    made,     // an environment that this action made
    own,      // an environment of another maker
    strange,  // a folder that is no environment
};

Presence presence_of(const std::string& target) {
    const std::string state = read_mark(target)["state"].as_string();
    std::error_code problem;
    if (!state.empty()) {
        return state == "made" ? Presence::made : Presence::none;
    }
    if (std::filesystem::exists(target + "/pyvenv.cfg", problem)) {
        return Presence::own;
    }
    const bool is_free =
        !std::filesystem::exists(target, problem) || std::filesystem::is_empty(target, problem);
    return is_free ? Presence::none : Presence::strange;
}

Error strange(const std::string& target) {
    return {"venv.strange",
            fmt::format("{} is not empty and no environment: it is left as it is", target),
            "correct the path, or move that folder away"};
}

Error other_pins(const std::string& target) {
    return {"venv.other_pins",
            fmt::format("{} was made from other pins", target),
            "give the release a folder of its own, or remove that one"};
}

Error missing(const std::string& target) {
    return {"venv.missing",
            fmt::format("there is no environment in {}, and the cluster file has no pins for it",
                        target),
            "make it, or add `release: {venv: {pins: ...}}`"};
}

}  // namespace

// Decides by the state of the folder first: a foreign environment needs no pins, and all others are
// useless without them.
ActionResult run_venv_action(const Json& request, const ActionContext& context) {
    const std::string& target = request["target"].as_string();
    const Presence presence = presence_of(target);
    if (presence == Presence::own) {
        return check(request, context);
    }
    if (!request["pins"].is_string()) {
        return failed(missing(target));
    }
    const auto pins = digest_file_cached(request["pins"].as_string());
    if (!pins) {
        return failed(pins.error());
    }
    if (presence == Presence::strange) {
        return failed(strange(target));
    }
    if (presence == Presence::made && read_mark(target)["pins"].as_string() != *pins) {
        return failed(other_pins(target));
    }
    if (presence == Presence::none) {
        auto result = make(request, *pins, context);
        if (result.outcome != Outcome::done) {
            return result;
        }
    }
    return check(request, context);
}

}  // namespace drydock::agent
