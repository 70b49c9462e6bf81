// Signals as requests to stop. The handler only sets a flag, so work goes on to its next safe
// place.
#include "os/stop_request.h"

#include <csignal>

namespace drydock::os {

namespace {

volatile std::sig_atomic_t is_requested = 0;

}  // namespace

// SA_RESETHAND brings the default back with the first signal: the second one kills.
void accept_stop_requests() {
    struct sigaction action = {};
    action.sa_handler = [](int) { is_requested = 1; };
    action.sa_flags = static_cast<int>(SA_RESTART | SA_RESETHAND);
    ::sigaction(SIGTERM, &action, nullptr);
    ::sigaction(SIGINT, &action, nullptr);
}

bool is_stop_requested() {
    return is_requested != 0;
}

}  // namespace drydock::os
