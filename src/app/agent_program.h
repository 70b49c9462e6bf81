// The static agent, which is copied to hosts of ssh.
#pragma once

#include <string>

namespace drydock::app {

// Returns where it should be beside the program; it may be missing.
[[nodiscard]] std::string agent_program(const std::string& program);

}  // namespace drydock::app
