// The local transport: starts `connect... become... AGENT agent --state FOLDER` and speaks to it
// through pipes. `connect` may be any command that leads to an agent (ip netns exec, sudo, sh -c).
//
// Destroying a conversation closes the pipes and returns at once; then the agent ends by itself. A
// child that does not end is killed after a grace, from within later calls of open() and wait().
// The destructor of the transport waits for all children together, for a short grace at most. Not
// thread-safe.
#pragma once

#include "transport/transport.h"

#include <cstddef>
#include <memory>

namespace drydock::transport {

class ChildReaper;

class LocalTransport final : public Transport {
public:
    LocalTransport();  // ignores SIGPIPE in this program: a dead agent is an error, not a signal
    ~LocalTransport() override;
    LocalTransport(const LocalTransport&) = delete;
    LocalTransport& operator=(const LocalTransport&) = delete;
    // Makes room for conversations with so many hosts at once. Error: os.descriptors.
    [[nodiscard]] static Status reserve(std::size_t hosts);
    [[nodiscard]] Result<std::unique_ptr<Conversation>> open(const HostAddress& host) override;
    void wait(const std::vector<Conversation*>& conversations, std::int64_t timeout_ms) override;

private:
    std::shared_ptr<ChildReaper> reaper_;  // shared with conversations, which may live longer
};

}  // namespace drydock::transport
