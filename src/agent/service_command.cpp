// The service type `command`: {start: [argv], stop: [argv], status: [argv]}, such as a vendor's
// script or `systemctl`.
//
// The first word of `status` decides if it is one of systemd's: activating, reloading,
// deactivating, failed. Otherwise the exit status decides, as the Linux Standard Base says: 0 is
// running, 1 to 3 are stopped, all others tell nothing.
//
// A vendor's script is never believed alone: start asks for the status first, and stop is done only
// when the status says so.
#include "agent/action_key.h"
#include "agent/command_environment.h"
#include "agent/service.h"
#include "base/text.h"
#include "os/process.h"

#include <fmt/format.h>

#include <chrono>

namespace drydock::agent {
namespace {

constexpr std::int64_t k_start_within_ms = 120'000;
constexpr std::int64_t k_status_within_ms = 10'000;
constexpr int k_exit_stopped_max = 3;  // of the Linux Standard Base: 1 to 3

using Phase = ServiceState::Phase;

struct StatusWord {
    std::string_view word;
    Phase phase;
};

constexpr std::array k_status_words = {
    StatusWord{"activating", Phase::starting},
    StatusWord{"reloading", Phase::starting},
    StatusWord{"deactivating", Phase::stopping},
    StatusWord{"failed", Phase::failed},
};

Json command_request(const Json& service, std::string_view verb, std::int64_t timeout_ms) {
    Json request;
    request.set("argv", service[verb]);
    request.set("env", service["env"]);
    request.set("cwd", service["cwd"]);
    request.set("timeout_ms", timeout_ms);
    return request;
}

Phase phase_of(const os::RunResult& run) {
    const std::string output = trim(run.output);
    const std::string first = output.substr(0, output.find_first_of(" \t\r\n"));
    for (const auto& [word, phase] : k_status_words) {
        if (first == word) {
            return phase;
        }
    }
    return run.exit.code == 0                    ? Phase::running
           : run.exit.code <= k_exit_stopped_max ? Phase::stopped
                                                 : Phase::unknown;
}

// Runs the status command. The state stays unknown if the command does not run, is too slow or
// dies.
ServiceState query(const Json& service, std::int64_t timeout_ms) {
    ServiceState state;
    const auto argv = read_texts(service["status"], "status");
    os::RunOptions options;
    options.spawn.argv = argv.value_or(std::vector<std::string>());
    options.spawn.environment = command_environment(service["env"]);
    options.spawn.folder = service["cwd"].as_string();
    options.timeout_ms = timeout_ms;
    const auto run = os::run_to_end(options);
    if (!run) {
        state.evidence.set("problem", to_utf8(run.error().message));
        return state;
    }
    state.evidence.set("exit", run->exit.text());
    state.evidence.set("output", to_utf8(run->output));
    if (!run->timed_out && run->exit.signal == 0) {
        state.phase = phase_of(*run);
        state.evidence.set("phase", name(state.phase));
    }
    return state;
}

// Refuses to start a service that runs, starts or stops: the script could start a second process.
ActionResult start(const Json& service, const ActionContext& context) {
    const auto state = query(service, k_status_within_ms);
    if (state.phase == Phase::running) {
        return failed({"service.already_running",
                       "the service runs already, by its own status command",
                       "stop it first"});
    }
    if (state.phase == Phase::starting || state.phase == Phase::stopping) {
        return failed(
            {"service.in_between",
             fmt::format("the service is {}, by its own status command", name(state.phase)),
             "wait until it is up or down"},
            state.evidence);
    }
    const Json request = command_request(service, "start", k_start_within_ms);
    return run_command(request, context, Lifetime::service);
}

// Returns the result for a stop command that ended while the service is not down.
ActionResult still_there(const ServiceState& state, std::int64_t within_ms) {
    if (state.phase == Phase::unknown) {
        return unknown({"service.cannot_tell",
                        "the status command does not tell whether the service has stopped",
                        "look at the service on the host"},
                       state.evidence);
    }
    return failed(
        {"service.still_running",
         fmt::format("the service was still {} after {} ms", name(state.phase), within_ms),
         "see why it does not end"},
        state.evidence);
}

// Runs the stop command, then polls the status until the service is down or the time is over.
ActionResult stop(const Json& service, std::int64_t within_ms, const ActionContext& context) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(within_ms);
    auto state = query(service, k_status_within_ms);
    if (is_down(state)) {
        state.evidence.set("note", "was not running");
        return {Outcome::done, state.evidence};
    }
    auto stopped = run_command_action(command_request(service, "stop", within_ms), context);
    if (stopped.outcome != Outcome::done) {
        return stopped;
    }
    state = wait_until_down(k_command_service, service, end, context);
    return is_down(state) ? stopped : still_there(state, within_ms);
}

}  // namespace

const ServiceType k_command_service = {"command", "start", start, stop, query};

}  // namespace drydock::agent
