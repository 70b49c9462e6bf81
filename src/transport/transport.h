// Start here: transport.h (this interface), frames.h (the bytes of the protocol), local/local.h
// (real agents behind pipes) with local/child_reaper.h. Then the simulated side:
// fake/fake_transport.h (connections and time), fake/fake_host.h (a host in memory),
// fake/fake_system.h (the software on it), fake/faults.h and fake/fake_clock.h.
//
// Transport: a way to get a byte stream to an agent, and nothing more.
//
// A transport is an argument vector that leads to a host. There `drydock agent` speaks framed JSON
// on its standard input and output. Implementations are not thread-safe: one loop owns a transport
// and its conversations.
#pragma once

#include "base/json.h"
#include "base/result.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace drydock::transport {

struct HostAddress {
    std::string name;
    std::vector<std::string> connect;  // argv that leads to that host; empty: this machine
    std::vector<std::string> become;   // argv that leads to the right user there; may be empty
    std::string agent;                 // path of the drydock program there
    std::string state;                 // the state folder there
};

// One byte stream to one agent, with frames both ways. Destroying it ends the conversation; actions
// that run on the host go on.
class Conversation {
public:
    virtual ~Conversation() = default;
    // Never blocks; buffers bytes that the stream does not take yet, up to a limit.
    [[nodiscard]] virtual Status send(const Json& frame) = 0;
    // Returns the frames that have arrived, maybe none. An error means that the stream ended, and
    // has the tail of stderr; frames that came before the end are returned first.
    [[nodiscard]] virtual Result<std::vector<Json>> receive() = 0;
    [[nodiscard]] virtual int descriptor() const = 0;  // readable when something may have come
    [[nodiscard]] virtual bool wants_write() const = 0;
};

class Transport {
public:
    virtual ~Transport() = default;
    // Returns before the agent has answered; a host that cannot be reached shows in receive().
    [[nodiscard]] virtual Result<std::unique_ptr<Conversation>> open(const HostAddress& host) = 0;
    // Returns when one of the conversations may have a frame, or at the time-out. Also writes
    // buffered bytes. Without conversations it waits for the time-out.
    virtual void wait(const std::vector<Conversation*>& conversations, std::int64_t timeout_ms) = 0;
};

}  // namespace drydock::transport
