// FakeSystem: the software on the fake hosts: what services, commands and requests do there, and
// what probes see.
//
// The fake hosts keep the agent's promises (an action begins at most once, fences); what an action
// then does to the world is asked here, at the simulated moment of its effect. Implementations
// model one system each; tests/fake_etcd is one. Times are FakeClock's monotonic milliseconds.
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

    // Lets happen what happens by itself until `now_ms`. Called before everything below.
    virtual void advance(std::int64_t now_ms) = 0;

    // The effects, by the kind of the request.
    virtual agent::ActionResult start(const std::string& host, const Json& service) = 0;
    virtual agent::ActionResult stop(const std::string& host, const Json& service) = 0;
    virtual agent::ActionResult
    link(const std::string& host, const std::string& link, const std::string& target) = 0;
    virtual agent::ActionResult command(const std::string& host, const Json& request) = 0;
    virtual agent::ActionResult http(const std::string& host, const Json& request) = 0;

    // How long an action takes; its effect comes in the middle of that time.
    [[nodiscard]] virtual std::int64_t takes_ms(const Json& request) = 0;

    // What a probe finds; sets `takes_ms` to how long that takes (a server that hangs: the
    // deadline).
    virtual agent::Finding
    probe(const std::string& host, const Json& probe, std::int64_t& takes_ms) = 0;

    // Kills one process with which the system could do without; false if there is none such.
    virtual bool kill_one(std::int64_t choice) = 0;

    // The host is about to reboot: its processes end. False, and nothing happens, if the system
    // could not do without them.
    virtual bool host_dies(const std::string& host) = 0;

    // Carries out an action of a run; by the kind of its request, unless a system knows better.
    virtual agent::ActionResult
    act(const std::string& host, const std::string& action, const Json& request);
};

}  // namespace drydock::transport
