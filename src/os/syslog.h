// One line to the system's log, for what somebody else should keep.
#pragma once

#include <string_view>

namespace drydock::os {

// Sends "drydock[PID]: TEXT" with facility authpriv and severity notice to the socket /dev/log, or
// to the one that $DRYDOCK_SYSLOG names ("off": to none). Never waits: where nobody listens, or the
// socket is full, the line is lost, and false says so. What is no printable ASCII
// in `text` is shown as `\x1b`; then it is cut at 1,024 bytes. Thread-safe.
bool write_syslog(std::string_view text);

}  // namespace drydock::os
