// Places where a test can make the agent, its fork server or a supervisor die, as by `kill -9`.
//
// DRYDOCK_AGENT_CRASH names the place: after_mkdir, after_fork, before_effect, after_effect,
// before_result. With DRYDOCK_AGENT_CRASH_ONCE=FILE, a process dies only while FILE is missing, and
// makes FILE first.
#pragma once

#include <string_view>

namespace drydock::agent {

void crash_here(std::string_view place);

}  // namespace drydock::agent
