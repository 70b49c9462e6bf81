// The service type `systemd`: {unit}, a unit of the host's own systemd.
//
// A stop holds the unit down until the next start by drydock: a drop-in under /run keeps systemd,
// package scripts and dependencies from starting it behind the plan's back. A start takes the
// drop-in away first, so a conductor that was killed leaves nothing that a resume does not undo. A
// reboot takes it away, too.
//
// A unit is down only if no process of its control group is left. Where a person has started its
// program beside the unit, nobody starts or stops anything.
#include "agent/action_key.h"
#include "agent/service.h"
#include "agent/unit.h"
#include "base/text.h"
#include "os/files.h"
#include "os/process.h"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <thread>

namespace drydock::agent {
namespace {

using Phase = ServiceState::Phase;

constexpr std::int64_t k_ask_within_ms = 10'000;
constexpr std::int64_t k_begin_within_ms = 30'000;  // until a started unit has a process, or fails
constexpr auto k_poll = std::chrono::milliseconds(100);

// The assertion fails with a message that names this file; a mask would be without effect on units
// under /etc.
constexpr const char* k_hold =
    "# drydock holds this unit down until it starts it again. To give it back by hand: remove "
    "this\n"
    "# file, and then: systemctl daemon-reload\n"
    "[Unit]\n"
    "AssertPathExists=/run/held-down-by-drydock-see-90-drydock-hold.conf\n";

std::string unit_of(const Json& service) {
    const std::string& name = service["unit"].as_string();
    return name.find('.') == std::string::npos ? name + ".service" : name;
}

std::string hold_of(const Json& service) {
    return fmt::format("/run/systemd/system/{}.d/90-drydock-hold.conf", unit_of(service));
}

std::string joined(const std::vector<std::int64_t>& pids) {
    return fmt::format("{}", fmt::join(pids, ", "));
}

// What a unit that is down leaves or hides.
void look_behind(const UnitProperties& properties, ServiceState& state) {
    if (const auto left = processes_left(properties); !left.empty()) {
        state.phase = Phase::stopping;
        state.evidence.set("left", joined(left));
    }
    if (const auto beside = started_beside(properties); !beside.empty()) {
        state.phase = Phase::unknown;
        state.evidence.set("problem",
                           fmt::format("{} runs beside the unit, in process {}: somebody started "
                                       "it without systemd",
                                       program_of(properties),
                                       joined(beside)));
    }
}

ServiceState state_of(const UnitProperties& properties) {
    ServiceState state;
    state.phase = phase_of(properties);
    state.evidence = evidence_of(properties);
    state.pid = std::atoll(property(properties, "MainPID").c_str());
    if (is_down(state)) {
        look_behind(properties, state);
    } else if (const auto process = os::find_process(static_cast<pid_t>(state.pid));
               state.pid > 0 && process && *process) {
        state.exe = (*process)->exe;
    }
    return state;
}

ServiceState query(const Json& service, std::int64_t timeout_ms) {
    const auto properties = show_unit(unit_of(service), timeout_ms);
    if (!properties) {
        ServiceState state;
        state.evidence.set("problem", to_utf8(properties.error().message));
        return state;
    }
    return state_of(*properties);
}

ActionResult
systemctl(std::vector<std::string> words, std::int64_t timeout_ms, const ActionContext& context) {
    Json argv = Json::Array{};
    argv.push("systemctl");
    for (std::string& word : words) {
        argv.push(std::move(word));
    }
    Json request;
    request.set("argv", std::move(argv)).set("timeout_ms", timeout_ms);
    return run_command_action(request, context);
}

// Holds the unit down. What is held already stays so.
ActionResult hold(const Json& service, const ActionContext& context) {
    const std::string path = hold_of(service);
    std::error_code error;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
    const auto written = error ? Result<void>(fail_errno("service.hold", path, error.value()))
                               : os::write_file_durable(path, k_hold, 0644);
    return written ? systemctl({"daemon-reload"}, k_ask_within_ms, context)
                   : failed(written.error());
}

ActionResult
give_back(const Json& service, const UnitProperties& properties, const ActionContext& context) {
    std::error_code error;
    const bool was_held = std::filesystem::remove(hold_of(service), error);
    const bool is_stale = property(properties, "NeedDaemonReload") == "yes";
    return was_held || is_stale ? systemctl({"daemon-reload"}, k_ask_within_ms, context)
                                : ActionResult{Outcome::done, {}};
}

// Returns why the unit may not be started as it is; empty: it may.
std::optional<Error> obstacle_to_start(const UnitProperties& properties,
                                       const ServiceState& state) {
    if (state.phase == Phase::running) {
        return Error{"service.already_running", "the unit runs already", "stop it first", {}};
    }
    if (const std::string& problem = state.evidence["problem"].as_string(); !problem.empty()) {
        return Error{"service.cannot_tell", problem, "end it, or let systemd start it", {}};
    }
    if (const std::string& left = state.evidence["left"].as_string(); !left.empty()) {
        return Error{"service.processes_left",
                     "processes of the unit are left from before: " + left,
                     "end them",
                     {}};
    }
    if (state.phase == Phase::starting || state.phase == Phase::stopping) {
        return Error{"service.in_between",
                     fmt::format("the unit is {}", name(state.phase)),
                     "wait until it is up or down",
                     {}};
    }
    if (property(properties, "LoadState") == "masked") {
        return Error{"service.masked",
                     "the unit is masked, so systemd does not start it",
                     "run `systemctl unmask` on the host, if it may be started",
                     {}};
    }
    return std::nullopt;
}

// Waits until the unit has a process, runs, or has failed. A unit of the type notify may wait for
// other members before it says that it is up, so `activating` with a process is enough.
ActionResult wait_until_begun(const Json& service, const ActionContext& context) {
    const auto end =
        std::chrono::steady_clock::now() + std::chrono::milliseconds(k_begin_within_ms);
    for (;;) {
        const ServiceState state = query(service, k_ask_within_ms);
        if (state.phase == Phase::running || (state.phase == Phase::starting && state.pid > 0)) {
            return {Outcome::done, state.evidence};
        }
        if (is_down(state)) {
            return failed(
                {"service.failed",
                 fmt::format("the unit did not start: {}", state.evidence["result"].as_string()),
                 fmt::format("see `journalctl --unit={}` on the host", unit_of(service))},
                state.evidence);
        }
        if (std::chrono::steady_clock::now() >= end || context.cancelled()) {
            return unknown({"service.cannot_tell",
                            "nobody can tell yet whether the unit starts",
                            "see `systemctl status` on the host"},
                           state.evidence);
        }
        std::this_thread::sleep_for(k_poll);
    }
}

// A unit that has failed is reset first, with its count of starts: a person has decided to start
// it.
ActionResult start(const Json& service, const ActionContext& context) {
    const auto properties = show_unit(unit_of(service), k_ask_within_ms);
    if (!properties) {
        return failed(properties.error());
    }
    const ServiceState state = state_of(*properties);
    if (const auto obstacle = obstacle_to_start(*properties, state)) {
        return failed(*obstacle, state.evidence);
    }
    ActionResult step = give_back(service, *properties, context);
    if (step.outcome == Outcome::done && state.phase == Phase::failed) {
        step = systemctl({"reset-failed", "--", unit_of(service)}, k_ask_within_ms, context);
    }
    if (step.outcome == Outcome::done) {
        step = systemctl({"start", "--no-block", "--", unit_of(service)}, k_ask_within_ms, context);
    }
    return step.outcome == Outcome::done ? wait_until_begun(service, context) : step;
}

// Returns the result for a unit that is not down at the end of its time.
ActionResult still_there(const ServiceState& state, std::int64_t within_ms) {
    if (const std::string& problem = state.evidence["problem"].as_string(); !problem.empty()) {
        return unknown({"service.cannot_tell", problem, "look at the unit on the host"},
                       state.evidence);
    }
    const std::string& left = state.evidence["left"].as_string();
    if (!left.empty()) {
        return failed({"service.processes_left",
                       "the unit has stopped, and left processes: " + left,
                       "end them, and let the unit have `KillMode=control-group`"},
                      state.evidence);
    }
    return failed({"service.still_running",
                   fmt::format("the unit was still {} after {} ms", name(state.phase), within_ms),
                   "see why it does not end"},
                  state.evidence);
}

// systemd kills what does not end within its own limit. If that is shorter than the plan's, the
// evidence says so.
void note_shorter_limit(std::int64_t within_ms, ServiceState& state) {
    const std::int64_t limit_ms = state.evidence["stop_within_ms"].as_int(-1);
    if (limit_ms >= 0 && limit_ms < within_ms) {
        state.evidence.set("note",
                           fmt::format("systemd kills it after {} ms, sooner than the plan's {} ms",
                                       limit_ms,
                                       within_ms));
    }
}

ActionResult stop(const Json& service, std::int64_t within_ms, const ActionContext& context) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(within_ms);
    ServiceState state = query(service, k_ask_within_ms);
    note_shorter_limit(within_ms, state);
    const bool was_down = is_down(state);
    ActionResult stopped = hold(service, context);
    if (stopped.outcome == Outcome::done && !was_down) {
        stopped = systemctl({"stop", "--", unit_of(service)}, within_ms, context);
    }
    const Json note = was_down ? Json("was not running") : state.evidence["note"];
    if (stopped.outcome != Outcome::done) {
        return stopped;
    }
    state = wait_until_down(k_systemd_service, service, end, context);
    if (!is_down(state)) {
        return still_there(state, within_ms);
    }
    return {Outcome::done, note.is_null() ? state.evidence : state.evidence.set("note", note)};
}

}  // namespace

const ServiceType k_systemd_service = {"systemd", "", start, stop, query};

}  // namespace drydock::agent
