// The number of bytes that a TCP connection has received. It stands apart from http.cpp: the
// kernel's header and the C library's cannot be included together.
#pragma once

#include <cstdint>

namespace drydock::http {

// Returns the bytes since the connection was made; 0 if that is unknown.
[[nodiscard]] std::uint64_t received_bytes(int socket);

}  // namespace drydock::http
