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
    const bool first =
        once_file == nullptr || ::open(once_file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) >= 0;
    if (first) {
        ::kill(::getpid(), SIGKILL);
    }
#else
    (void)place;
#endif
}

}  // namespace drydock::agent
