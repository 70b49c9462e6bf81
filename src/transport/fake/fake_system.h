// FakeSystem: the software on the fake hosts. It has the effects of services, commands and
// requests, and the facts that probes see.
//
// The fake hosts keep the agent's promises (an action begins at most once, fences). The system
// changes only at the simulated moment of an action's effect. Implementations model one system
// each; tests/fake_etcd is one. Times are FakeClock's monotonic milliseconds.
#pragma once

#include "agent/action.h"
#include "agent/probe.h"
#include "base/json.h"

#include <cstdint>
#include <string>

namespace drydock::transport {

class FakeSystem {
public:
    FakeSystem() = default;
    FakeSystem(const FakeSystem&) = delete;
    FakeSystem& operator=(const FakeSystem&) = delete;
    virtual ~FakeSystem() = default;

    // Makes the changes that come by themselves until `now_ms`. Called before all effects and
    // probes.
    virtual void advance(std::int64_t now_ms) = 0;

    // The effects, by the kind of the request.
    virtual agent::ActionResult start(const std::string& host, const Json& service) = 0;
    virtual agent::ActionResult stop(const std::string& host, const Json& service) = 0;
    virtual agent::ActionResult
    link(const std::string& host, const std::string& link, const std::string& target) = 0;
    virtual agent::ActionResult command(const std::string& host, const Json& request) = 0;
    virtual agent::ActionResult http(const std::string& host, const Json& request) = 0;

    // Returns how long an action takes; its effect comes in the middle of that time.
    [[nodiscard]] virtual std::int64_t takes_ms(const Json& request) = 0;

    // Returns the result of a probe. Sets `takes_ms` to its duration (a server that hangs: the
    // deadline).
    virtual agent::ProbeResult
    probe(const std::string& host, const Json& probe, std::int64_t& takes_ms) = 0;

    // Kills one process that the system can do without; returns false if there is none.
    virtual bool kill_one(std::int64_t choice) = 0;

    // Ends the host's processes, because it reboots. Returns false, and changes nothing, if the
    // system cannot do without them.
    virtual bool host_dies(const std::string& host) = 0;

    // Called when an action of a run begins on its host, and when it has ended or was cut off.
    virtual void begin(const std::string& /*action*/) {}

    virtual void end(const std::string& /*action*/) {}

    // Starts one member that is down, with what is installed; returns false if there is none.
    virtual bool restart_one(std::int64_t /*choice*/) { return false; }

    // True if a member is down that may start by itself.
    [[nodiscard]] virtual bool can_restart() const { return false; }

    // Performs an action of a run: by the kind of its request, unless a system overrides this.
    virtual agent::ActionResult
    act(const std::string& host, const std::string& action, const Json& request);
};

}  // namespace drydock::transport
