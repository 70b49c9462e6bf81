// The local transport: starts `connect... become... AGENT agent --state FOLDER` and speaks to it
// through pipes. `connect` may be any command that leads to an agent (ip netns exec, sudo, sh -c).
//
// Destroying a conversation closes the pipes, upon which the agent ends, and reaps the child; a
// child that does not end is killed after a short grace. Not thread-safe.
#pragma once

#include "transport/transport.h"

namespace drydock::transport {

class LocalTransport final : public Transport {
public:
    LocalTransport();  // ignores SIGPIPE in this program: a dead agent is an error, not a signal
    [[nodiscard]] Result<std::unique_ptr<Conversation>> open(const HostAddress& host) override;
    void wait(const std::vector<Conversation*>& on, std::int64_t timeout_ms) override;
};

}  // namespace drydock::transport
