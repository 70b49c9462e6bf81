// Start here: ssh.h (the transport), bootstrap.h (the script on the host), explain.h (its ends).
//
// The transport for hosts that are reached by the operator's own `ssh` program and its settings.
//
// One process of ssh is one conversation. On the host a short script of the shell comes first: it
// looks for the agent in the state folder by its digest, takes a copy if there is none, and becomes
// it. So nothing has to be installed there, and no second connection is made. Hosts without a name
// for ssh are those of the local transport. Not thread-safe.
#pragma once

#include "transport/local/local.h"
#include "transport/transport.h"

#include <memory>
#include <string>
#include <vector>

namespace drydock::transport {

// True if `connect` is no command but a name for ssh: "ssh:" and then the name.
[[nodiscard]] bool has_ssh_name(const HostAddress& host);

class SshTransport final : public Transport {
public:
    // `agent_program` is the static agent on this machine. It is read when first needed.
    explicit SshTransport(std::string agent_program);
    [[nodiscard]] Result<std::unique_ptr<Conversation>> open(const HostAddress& host) override;
    void wait(const std::vector<Conversation*>& conversations, std::int64_t timeout_ms) override;

private:
    struct Agent {
        std::shared_ptr<const std::string> bytes;
        std::string digest;
    };

    [[nodiscard]] Status load_agent();

    std::string program_;
    Agent agent_;
    LocalTransport local_;
};

}  // namespace drydock::transport
