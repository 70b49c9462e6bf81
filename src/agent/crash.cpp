#include "agent/crash.h"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

namespace drydock::agent {

void crash_here(std::string_view place) {
#ifdef DRYDOCK_CRASH_SWITCHES
    const char* wanted = std::getenv("DRYDOCK_AGENT_CRASH");
    if (wanted == nullptr || place != wanted) {
        return;
    }
    const char* once = std::getenv("DRYDOCK_AGENT_CRASH_ONCE");
    const bool first =
        once == nullptr || ::open(once, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) >= 0;
    if (first) {
        ::kill(::getpid(), SIGKILL);
    }
#else
    (void)place;
#endif
}

}  // namespace drydock::agent
