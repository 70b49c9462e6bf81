// Services: how the process of a member is started, stopped and observed.
//
// The types are a table (service.cpp); `process`, `command` and `systemd` are in it. query()
// changes nothing and is safe from any thread; start and stop run in a supervisor, a program with
// one thread.
#pragma once

#include "agent/action.h"

#include <chrono>
#include <cstdint>

namespace drydock::agent {

struct ServiceState {
    enum class Phase {
        running,
        stopped,
        starting,  // not ready yet, or loading its settings again
        stopping,  // not gone yet
        failed,    // stopped, and its supervisor says that it did not end well
        unknown,
    };
    Phase phase = Phase::unknown;
    std::int64_t pid = 0;  // 0: not known, or no process
    std::string exe = {};
    Json evidence = Json(Json::Object{});
};

// Returns the word of a phase, such as "stopping".
[[nodiscard]] std::string_view name(ServiceState::Phase phase);
// True if the service has no process any more.
[[nodiscard]] bool is_down(const ServiceState& state);

struct ServiceType {
    std::string_view name;
    std::string_view command;  // the key of the command line that starts it; empty: it has none
    ActionResult (*start)(const Json& service, const ActionContext& context);
    ActionResult (*stop)(const Json& service, std::int64_t within_ms, const ActionContext& context);
    ServiceState (*query)(const Json& service, std::int64_t timeout_ms);
};

// Returns the type that service["type"] names; "service.unknown_type" lists all types.
[[nodiscard]] Result<const ServiceType*> find_service_type(const Json& service);

extern const ServiceType k_process_service;
extern const ServiceType k_command_service;
extern const ServiceType k_systemd_service;

// Asks until the service is down, the time is over or the action is cancelled. Returns the last
// answer. A question may take ten seconds.
[[nodiscard]] ServiceState wait_until_down(const ServiceType& type,
                                           const Json& service,
                                           std::chrono::steady_clock::time_point end,
                                           const ActionContext& context);

}  // namespace drydock::agent
