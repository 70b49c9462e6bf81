// The command line of ssh, and the agent that it takes along.
//
// The operator's settings decide how a host is reached. Four things are not left to them: no
// question is asked, no unknown host key is accepted, a connection has a time limit, and forwarded
// ports of other uses are not opened again.
#include "transport/ssh/ssh.h"

#include "base/hash.h"
#include "os/files.h"
#include "transport/ssh/bootstrap.h"

#include <fmt/format.h>

namespace drydock::transport {
namespace {

constexpr std::size_t k_agent_bytes_max = 64U << 20U;  // a static one has under 8 MB

std::vector<std::string> ssh_words() {
    return {"ssh",
            "-T",
            "-o",
            "BatchMode=yes",
            "-o",
            "StrictHostKeyChecking=yes",
            "-o",
            "ConnectTimeout=10",  // below the pool's limit for a greeting
            "-o",
            "ConnectionAttempts=1",
            "-o",
            "ServerAliveInterval=15",
            "-o",
            "ServerAliveCountMax=3",
            "-o",
            "ClearAllForwardings=yes",
            "-o",
            "RemoteCommand=none",
            "-o",
            "PermitLocalCommand=no"};
}

// A name that begins like an option would be one.
Status check_name(const HostAddress& host) {
    const std::string& name = host.connect.back();
    if (!name.empty() && name.front() != '-') {
        return {};
    }
    return fail("ssh.name",
                fmt::format("{}: `{}` is no name of a host", host.name, name),
                "name it as in `ssh NAME`");
}

}  // namespace

bool has_ssh_name(const HostAddress& host) {
    return host.connect.size() == 2 && host.connect.front() == "ssh:";
}

SshTransport::SshTransport(std::string agent_program) : program_(std::move(agent_program)) {
}

Status SshTransport::load_agent() {
    if (agent_.bytes) {
        return {};
    }
    auto bytes = os::read_file(program_, k_agent_bytes_max);
    if (!bytes) {
        return fail("ssh.no_agent",
                    fmt::format("there is no agent to copy to hosts: {}", bytes.error().message),
                    "install drydock-agent beside drydock, or name the agent of the hosts with "
                    "`agent:` in the cluster file");
    }
    agent_.digest = sha256_hex(*bytes);
    agent_.bytes = std::make_shared<const std::string>(std::move(*bytes));
    return {};
}

Result<std::unique_ptr<Conversation>> SshTransport::open(const HostAddress& host) {
    if (!has_ssh_name(host)) {
        return local_.open(host);
    }
    DRYDOCK_TRY(check_name(host));
    DRYDOCK_TRY(LocalTransport::check_words(host));
    const std::string& name = host.connect.back();
    std::vector<std::string> argv = ssh_words();
    argv.insert(argv.end(), {"--", name});
    if (!host.agent.empty()) {
        argv.push_back(agent_command(host.become, host.agent, host.state));
        return local_.start(host.name, std::move(argv), make_ssh_opening(name));
    }
    DRYDOCK_TRY(load_agent());
    const AgentCopy agent = {agent_.bytes, agent_.digest};
    argv.push_back(bootstrap_command(host.become, host.state, agent));
    return local_.start(host.name, std::move(argv), make_bootstrap_opening(name, agent));
}

void SshTransport::wait(const std::vector<Conversation*>& conversations, std::int64_t timeout_ms) {
    local_.wait(conversations, timeout_ms);
}

}  // namespace drydock::transport
