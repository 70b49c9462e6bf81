// Actions: the typed effects that a host can have, each in its own file.
//
// An action runs in a supervisor process of its own (supervisor.cpp). It returns an Outcome: done,
// failed (it certainly had no effect, or the system refused), unknown (it may have happened), or
// paused (it was asked to stop, did so at a safe place, and goes on when it is begun again). A new
// kind is one function and one line in the table of action.cpp.
#pragma once

#include "base/enum_names.h"
#include "base/json.h"
#include "base/result.h"

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::agent {

enum class Outcome { done, failed, unknown, paused };
inline constexpr EnumNames<Outcome, Outcome::paused>
    k_outcomes({"done", "failed", "unknown", "paused"});

// The exit code of a command that has stopped at a safe place because it was asked to
// (docs/formats/progress.md). It is EX_TEMPFAIL.
inline constexpr int k_exit_paused = 75;

struct ActionResult {
    Outcome outcome = Outcome::done;
    Json evidence = Json(Json::Object{});
    std::optional<Error> error = std::nullopt;
};

struct ActionContext {
    std::string folder;  // of this attempt, for its files
    // Takes output of a command; returns the part that may be shown by now, without secrets.
    std::function<std::string(std::string_view)> output;
    std::function<bool()> cancelled;
    std::vector<std::string> environment = {};  // "NAME=value", for commands of this attempt
    std::function<void(pid_t)> contain = {};    // records a child before it runs
    int outer_group = -1;  // for processes that outlive the attempt; see SpawnOptions
    std::function<void(pid_t)> release = {};   // lets a process (0: the caller) outlive the attempt
    std::function<bool()> end_contained = {};  // false: some processes did not end
    // Returns the rest of a command's output, once the command has ended.
    std::function<std::string()> output_end = [] { return std::string(); };
    // Returns the text without secrets. Must be called before any part is cut off.
    std::function<std::string(std::string_view)> hide = [](std::string_view text) {
        return std::string(text);
    };
};

// How long the processes of a command may live.
enum class Lifetime {
    attempt,  // they end with the attempt
    service,  // a service that the command starts stays
};

[[nodiscard]] ActionResult failed(Error error, Json evidence = Json(Json::Object{}));
[[nodiscard]] ActionResult unknown(Error error, Json evidence = Json(Json::Object{}));

// Runs `request` (secrets filled in) by its "kind".
[[nodiscard]] ActionResult run_typed(const Json& request, const ActionContext& context);

[[nodiscard]] ActionResult run_command_action(const Json& request, const ActionContext& context);
[[nodiscard]] ActionResult
run_command(const Json& request, const ActionContext& context, Lifetime lifetime);
[[nodiscard]] ActionResult run_http_action(const Json& request, const ActionContext& context);
[[nodiscard]] ActionResult run_kubernetes_action(const Json& request, const ActionContext& context);
[[nodiscard]] ActionResult run_link_action(const Json& request, const ActionContext& context);
[[nodiscard]] ActionResult run_venv_action(const Json& request, const ActionContext& context);
[[nodiscard]] ActionResult run_service_start(const Json& request, const ActionContext& context);
[[nodiscard]] ActionResult run_service_stop(const Json& request, const ActionContext& context);

// Returns the strings of a JSON list; "agent.bad_request" names `key` if it is no list of strings.
[[nodiscard]] Result<std::vector<std::string>> read_texts(const Json& list, std::string_view key);
[[nodiscard]] std::vector<std::pair<std::string, std::string>> read_pairs(const Json& object);

}  // namespace drydock::agent
