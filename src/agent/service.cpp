// The table of service types, and the actions `service_start` and `service_stop` over it.
//
// A type is a row of functions (service.h). Start and stop find the type by name and pass the
// service on; the types themselves are in service_process.cpp, service_command.cpp and
// service_systemd.cpp.
#include "agent/service.h"

#include <fmt/format.h>

#include <thread>

namespace drydock::agent {
namespace {

constexpr std::int64_t k_stop_within_ms = 10'000;  // when neither action nor service names it

constexpr std::int64_t k_ask_within_ms = 10'000;
constexpr auto k_poll = std::chrono::milliseconds(100);

constexpr std::array k_types = {&k_process_service, &k_command_service, &k_systemd_service};

// Appends the arguments of this one start to those of the service.
Json with_arguments(Json service, const ServiceType& type, const Json& arguments) {
    Json argv = service[std::string(type.command)];
    for (const Json& argument : arguments.items()) {
        argv.push(argument);
    }
    return service.set(std::string(type.command), std::move(argv));
}

}  // namespace

std::string_view name(ServiceState::Phase phase) {
    switch (phase) {
    case ServiceState::Phase::running:
        return "running";
    case ServiceState::Phase::stopped:
        return "stopped";
    case ServiceState::Phase::starting:
        return "starting";
    case ServiceState::Phase::stopping:
        return "stopping";
    case ServiceState::Phase::failed:
        return "failed";
    case ServiceState::Phase::unknown:
        break;
    }
    return "unknown";
}

bool is_down(const ServiceState& state) {
    return state.phase == ServiceState::Phase::stopped
           || state.phase == ServiceState::Phase::failed;
}

ServiceState wait_until_down(const ServiceType& type,
                             const Json& service,
                             std::chrono::steady_clock::time_point end,
                             const ActionContext& context) {
    for (;;) {
        ServiceState state = type.query(service, k_ask_within_ms);
        if (is_down(state) || std::chrono::steady_clock::now() >= end || context.cancelled()) {
            return state;
        }
        std::this_thread::sleep_for(k_poll);
    }
}

Result<const ServiceType*> find_service_type(const Json& service) {
    std::string type_names;
    for (const auto* type : k_types) {
        if (type->name == service["type"].as_string()) {
            return type;
        }
        type_names += (type_names.empty() ? "" : ", ") + std::string(type->name);
    }
    return fail("service.unknown_type",
                fmt::format("there is no service type `{}`", service["type"].as_string()),
                "use one of: " + type_names);
}

ActionResult run_service_start(const Json& request, const ActionContext& context) {
    const auto type = find_service_type(request["service"]);
    if (!type) {
        return failed(type.error());
    }
    if ((*type)->command.empty()) {
        return request["arguments"].items().empty()
                   ? (*type)->start(request["service"], context)
                   : failed({"service.arguments",
                             fmt::format("a {} service takes no arguments for one start",
                                         (*type)->name),
                             "start it by a command, in a step of the pack"});
    }
    return (*type)->start(with_arguments(request["service"], **type, request["arguments"]),
                          context);
}

// The action's time limit wins over the service's own, which wins over the default.
ActionResult run_service_stop(const Json& request, const ActionContext& context) {
    const auto& service = request["service"];
    const auto type = find_service_type(service);
    const auto own_ms = service["stop"]["within_ms"].as_int(k_stop_within_ms);
    return type ? (*type)->stop(service, request["within_ms"].as_int(own_ms), context)
                : failed(type.error());
}

}  // namespace drydock::agent
