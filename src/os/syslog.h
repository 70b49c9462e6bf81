// One line to the system's log, for records that another program should keep.
#pragma once

#include <string_view>

namespace drydock::os {

// Sends "drydock[PID]: TEXT" with facility authpriv and severity notice to the socket /dev/log, or
// to the socket that $DRYDOCK_SYSLOG names ("off": none). Never waits: without a reader, or with a
// full socket, the line is lost and the result is false. Bytes of `text` that are no printable
// ASCII are shown as `\x1b`; then it is cut at 1,024 bytes. Thread-safe.
bool write_syslog(std::string_view text);

}  // namespace drydock::os
