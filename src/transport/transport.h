// Transport: how to get a byte stream to an agent, and nothing more.
//
// A transport is an argument vector that leads to a host, behind which `drydock agent` speaks
// framed JSON on its standard input and output (transport/frames.h). Implementations are not
// thread-safe: one loop owns a transport and its conversations.
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
    std::string state;                 // that host's action folders
};

// One agent, one byte stream, frames both ways. Destroying it ends the conversation; actions that
// run on the host go on.
class Conversation {
public:
    virtual ~Conversation() = default;
    // Never blocks; buffers what the stream does not take yet, up to a limit.
    [[nodiscard]] virtual Status send(const Json& frame) = 0;
    // What has arrived, maybe nothing. Error: the stream ended (with the tail of stderr); frames
    // that came before the end are handed out first.
    [[nodiscard]] virtual Result<std::vector<Json>> receive() = 0;
    [[nodiscard]] virtual int descriptor() const = 0;  // readable when something may have come
    [[nodiscard]] virtual bool wants_write() const = 0;
};

class Transport {
public:
    virtual ~Transport() = default;
    // Returns before the agent has answered; a host that cannot be reached shows in receive().
    [[nodiscard]] virtual Result<std::unique_ptr<Conversation>> open(const HostAddress& host) = 0;
    // Returns when one of them may have something, or at the time-out. Also writes what waits. With
    // no conversation the time just passes.
    virtual void wait(const std::vector<Conversation*>& conversations, std::int64_t timeout_ms) = 0;
};

}  // namespace drydock::transport
