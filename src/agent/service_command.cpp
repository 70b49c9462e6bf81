// The service type `command`: {start: [argv], stop: [argv], status: [argv]}, such as a vendor's
// script. status: exit 0 is running.
#include "agent/key.h"
#include "agent/service.h"
#include "os/process.h"

#include <fmt/format.h>

#include <chrono>
#include <thread>

namespace drydock::agent {
namespace {

constexpr std::int64_t k_start_within_ms = 120'000;
constexpr std::int64_t k_status_within_ms = 10'000;
constexpr auto k_poll = std::chrono::milliseconds(100);
constexpr int k_exit_not_runnable = 126;  // and 127: the shell's "cannot run" and "not found"

Json command_request(const Json& service, std::string_view verb, std::int64_t timeout_ms) {
    Json request;
    request.set("argv", service[verb]);
    request.set("env", service["env"]);
    request.set("cwd", service["cwd"]);
    request.set("timeout_ms", timeout_ms);
    return request;
}

ServiceState look(const Json& service, std::int64_t timeout_ms) {
    ServiceState state;
    const auto argv = read_texts(service["status"], "status");
    os::RunOptions options;
    options.spawn.argv = argv.value_or(std::vector<std::string>());
    options.spawn.environment = os::clean_environment(read_pairs(service["env"]));
    options.spawn.folder = service["cwd"].as_string();
    options.timeout_ms = timeout_ms;
    const auto run = os::run_to_end(options);
    if (!run) {
        state.evidence.set("problem", to_utf8(run.error().message));
        return state;
    }
    state.evidence.set("exit", run->exit.text());
    state.evidence.set("output", to_utf8(run->output));
    if (!run->timed_out && run->exit.code < k_exit_not_runnable) {
        state.phase =
            run->exit.code == 0 ? ServiceState::Phase::running : ServiceState::Phase::stopped;
    }
    return state;
}

ActionResult start(const Json& service, const ActionContext& context) {
    if (look(service, k_status_within_ms).phase == ServiceState::Phase::running) {
        return failed({"service.already_running",
                       "the service runs already, by its own status command",
                       "stop it first"});
    }
    return run_command_action(command_request(service, "start", k_start_within_ms), context);
}

ActionResult stop(const Json& service, std::int64_t within_ms, const ActionContext& context) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(within_ms);
    auto state = look(service, k_status_within_ms);
    if (state.phase == ServiceState::Phase::stopped) {
        state.evidence.set("note", "was not running");
        return {Outcome::done, state.evidence};
    }
    auto stopped = run_command_action(command_request(service, "stop", within_ms), context);
    while (stopped.outcome == Outcome::done) {
        state = look(service, k_status_within_ms);
        if (state.phase == ServiceState::Phase::stopped) {
            return stopped;
        }
        if (std::chrono::steady_clock::now() >= end || context.cancelled()) {
            return failed({"service.still_running",
                           fmt::format("the service was still there after {} ms", within_ms),
                           "see why it does not end"},
                          state.evidence);
        }
        std::this_thread::sleep_for(k_poll);
    }
    return stopped;
}

}  // namespace

const ServiceType k_command_service = {"command", "start", start, stop, look};

}  // namespace drydock::agent
