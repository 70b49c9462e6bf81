// Test switches, compiled out of releases (see CMakeLists.txt): a named place kills the process.
//
// The environment variable reaches the fork server and its supervisors, since they are children of
// the agent. The file of DRYDOCK_AGENT_CRASH_ONCE is made with O_EXCL, so that exactly one of
// several processes dies.
#include "agent/crash.h"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

namespace drydock::agent {

void crash_here(std::string_view place) {
#ifdef DRYDOCK_CRASH_SWITCHES
    const char* crash_place = std::getenv("DRYDOCK_AGENT_CRASH");
    if (crash_place == nullptr || place != crash_place) {
        return;
    }
    const char* once_file = std::getenv("DRYDOCK_AGENT_CRASH_ONCE");
    const bool first = once_file == nullptr
                       || ::open(once_file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) >= 0;
    if (first) {
        ::kill(::getpid(), SIGKILL);
    }
#else
    (void)place;
#endif
}

}  // namespace drydock::agent
