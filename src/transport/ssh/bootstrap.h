// The shell script that finds or takes the agent on a host, and what it says.
//
// It speaks in lines `drydock-bootstrap 1 WORD...` on its standard output: `need` asks for the
// bytes of the agent, `have` says that it becomes the agent now, `error` says why it cannot. Other
// lines before them are a banner of the host. Pure, but for the conductor's own architecture.
#pragma once

#include "transport/local/opening.h"

#include <memory>
#include <string>
#include <vector>

namespace drydock::transport {

struct AgentCopy {
    std::shared_ptr<const std::string> bytes;
    std::string digest;
};

// Returns the words for the host's shell. `become` comes before the script. The state folder and
// the words of `become` are quoted.
[[nodiscard]] std::string bootstrap_command(const std::vector<std::string>& become,
                                            const std::string& state,
                                            const AgentCopy& agent);
// Returns the command of an agent that somebody else has put there.
[[nodiscard]] std::string agent_command(const std::vector<std::string>& become,
                                        const std::string& agent,
                                        const std::string& state);

// Follows the script on the host called `name` for ssh, and gives it the agent if it needs it.
[[nodiscard]] std::unique_ptr<Opening> make_bootstrap_opening(std::string name, AgentCopy agent);
// For agent_command(): there is nothing to follow, but ends to explain.
[[nodiscard]] std::unique_ptr<Opening> make_ssh_opening(std::string name);

}  // namespace drydock::transport
