// Reads the kernel's counter of received bytes (TCP_INFO).
//
// An older kernel returns a shorter struct without the counter, so the returned size is checked
// first.
#include "http/received_bytes.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>

namespace drydock::http {

std::uint64_t received_bytes(int socket) {
    tcp_info info = {};
    socklen_t size = sizeof info;
    constexpr std::size_t k_needed =
        offsetof(tcp_info, tcpi_bytes_received) + sizeof info.tcpi_bytes_received;
    const bool is_known =
        socket >= 0 && ::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) == 0;
    return is_known && size >= k_needed ? info.tcpi_bytes_received : 0;
}

}  // namespace drydock::http
