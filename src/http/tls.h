// TLS over a socket that does not block: the client's side of OpenSSL.
//
// The server's certificate must be signed by the authority and hold the name or address that was
// asked for. Not thread-safe.
#pragma once

#include "http/stream.h"

#include <memory>

struct ssl_ctx_st;  // OpenSSL's SSL_CTX and SSL
struct ssl_st;

namespace drydock::http {

struct Stream::Tls {
    using Context = std::unique_ptr<ssl_ctx_st, void (*)(ssl_ctx_st*)>;
    using Session = std::unique_ptr<ssl_st, void (*)(ssl_st*)>;

    Context context;
    Session session;
    int socket;

    // Makes the session and completes the handshake.
    [[nodiscard]] static tl::expected<std::unique_ptr<Tls>, std::string>
    open(const Endpoint& endpoint, int socket, SteadyTime deadline);

    [[nodiscard]] tl::expected<void, std::string> write(std::string_view bytes,
                                                        SteadyTime deadline) const;
    [[nodiscard]] tl::expected<std::string, std::string> read(SteadyTime deadline) const;
    // True if the session holds bytes that were not read yet.
    [[nodiscard]] bool has_pending() const;
};

// Waits until the socket may be read or written (POLLIN, POLLOUT); false at the deadline.
[[nodiscard]] bool wait_for(int socket, short events, SteadyTime deadline);

}  // namespace drydock::http
