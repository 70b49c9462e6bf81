// Writes to the log by a socket of its own: syslog(3) blocks while the reader of the log is
// stopped. A stopped log must not stop an upgrade.
#include "os/syslog.h"

#include "os/files.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>

namespace drydock::os {
namespace {

constexpr std::size_t k_text_bytes_max = 1024;
constexpr int k_authpriv_notice = 10 * 8 + 5;  // RFC 3164

std::string socket_path() {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): no thread changes the environment
    const char* named = std::getenv("DRYDOCK_SYSLOG");
    return named == nullptr ? "/dev/log" : named;
}

// Makes one printable line of any text: a terminal that shows the log would obey escape sequences.
std::string line_of(std::string_view text) {
    std::string line;
    for (const char c : text.substr(0, k_text_bytes_max)) {
        line += c >= 0x20 && c < 0x7f ? std::string(1, c)
                                      : fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
    line.resize(std::min(line.size(), k_text_bytes_max));
    return fmt::format("<{}>drydock[{}]: {}", k_authpriv_notice, ::getpid(), line);
}

}  // namespace

bool write_syslog(std::string_view text) {
    const std::string path = socket_path();
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    if (path == "off" || path.size() >= sizeof(address.sun_path)) {
        return false;
    }
    std::memcpy(address.sun_path, path.data(), path.size());
    const Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const std::string line = line_of(text);
    const auto sent = ::sendto(socket.get(),
                               line.data(),
                               line.size(),
                               MSG_DONTWAIT | MSG_NOSIGNAL,
                               reinterpret_cast<const sockaddr*>(&address),
                               sizeof(address));
    return sent == static_cast<ssize_t>(line.size());
}

}  // namespace drydock::os
