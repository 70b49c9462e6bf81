// How much a TCP connection has received. Apart from http.cpp: the kernel's header, which knows it,
// and the C library's do not go together.
#pragma once

#include <cstdint>

namespace drydock::agent {

// Bytes since the connection was made; 0 if nobody knows.
[[nodiscard]] std::uint64_t received_bytes(int socket);

}  // namespace drydock::agent
