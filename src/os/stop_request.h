// A request to this process to stop at a safe place: SIGTERM, or SIGINT from a terminal.
//
// Long work asks between two steps whether the request has come. A second signal of the same kind
// ends the process at once, so a step that hangs cannot hold it.
#pragma once

namespace drydock::os {

// Takes the first SIGTERM and the first SIGINT as requests from now on.
void accept_stop_requests();

// True if a request has come.
[[nodiscard]] bool is_stop_requested();

}  // namespace drydock::os
