// The local transport: starts `connect... become... AGENT agent --state FOLDER` and speaks to it
// through pipes. `connect` may be any command that leads to an agent (ip netns exec, sudo, sh -c).
//
// Destroying a conversation closes the pipes and returns at once; then the agent ends by itself. A
// child that does not end is killed after a grace, from within later calls of open() and wait().
// The destructor of the transport waits for all children together, for a short grace at most. Not
// thread-safe.
#pragma once

#include "transport/local/opening.h"
#include "transport/transport.h"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

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
    // Starts a command and speaks to the agent behind it, once `opening` is done (null: at once).
    [[nodiscard]] Result<std::unique_ptr<Conversation>>
    start(const std::string& host, std::vector<std::string> argv, std::unique_ptr<Opening> opening);
    void wait(const std::vector<Conversation*>& conversations, std::int64_t timeout_ms) override;

    // Refuses an agent or a state folder that a shell on the way could split or expand.
    [[nodiscard]] static Status check_words(const HostAddress& host);

private:
    std::shared_ptr<ChildReaper> reaper_;  // shared with conversations, which may live longer
};

}  // namespace drydock::transport
