// Connections. A host may have several addresses: each is tried in turn, with a fair share of the
// time that is left. Only if all of them refuse, the server is surely not there.
#include "http/stream.h"

#include "http/tls.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace drydock::http {
namespace {

constexpr std::size_t k_chunk_bytes = 16U << 10U;

using Addresses = std::unique_ptr<addrinfo, void (*)(addrinfo*)>;

std::string text_of_errno(int error) {
    return error == ETIMEDOUT ? "no connection in time" : std::strerror(error);
}

// Connects one socket. Returns 0 or an errno; ETIMEDOUT at the deadline.
int connect_socket(int socket, const sockaddr* address, socklen_t size, SteadyTime deadline) {
    if (::connect(socket, address, size) == 0) {
        return 0;
    }
    if (errno != EINPROGRESS) {
        return errno;
    }
    if (!wait_for(socket, POLLOUT, deadline)) {
        return ETIMEDOUT;
    }
    int error = 0;
    socklen_t error_size = sizeof error;
    ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &error_size);
    return error;
}

tl::expected<os::Fd, StreamError> connect_unix(const std::string& path, SteadyTime deadline) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) {
        return tl::unexpected(StreamError{false, "the path of the socket is too long"});
    }
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    os::Fd end(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const int error = connect_socket(
        end.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address, deadline);
    if (error != 0) {
        const bool is_refused = error == ENOENT || error == ECONNREFUSED;
        return tl::unexpected(
            StreamError{is_refused, is_refused ? "connection refused" : text_of_errno(error)});
    }
    return end;
}

// Returns the moment until which one of `left` addresses may be tried.
SteadyTime share_of(SteadyTime deadline, std::size_t left) {
    const auto now = std::chrono::steady_clock::now();
    return now + (deadline - now) / static_cast<std::int64_t>(left);
}

tl::expected<os::Fd, StreamError> connect_any(const addrinfo* first, SteadyTime deadline) {
    std::size_t left = 0;
    for (const addrinfo* address = first; address != nullptr; address = address->ai_next) {
        ++left;
    }
    bool is_refused = true;
    int error = 0;
    for (const addrinfo* address = first; address != nullptr; address = address->ai_next) {
        os::Fd end(::socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        error = connect_socket(
            end.get(), address->ai_addr, address->ai_addrlen, share_of(deadline, left--));
        if (error == 0) {
            return end;
        }
        is_refused = is_refused && error == ECONNREFUSED;
    }
    return tl::unexpected(
        StreamError{is_refused, is_refused ? "connection refused" : text_of_errno(error)});
}

tl::expected<os::Fd, StreamError> connect_tcp(const Endpoint& endpoint, SteadyTime deadline) {
    addrinfo hints = {};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int problem = ::getaddrinfo(endpoint.host.c_str(), endpoint.port.c_str(), &hints, &found);
    const Addresses addresses(found, [](addrinfo* list) {
        if (list != nullptr) {
            ::freeaddrinfo(list);
        }
    });
    if (problem != 0) {
        return tl::unexpected(StreamError{false, endpoint.host + ": " + ::gai_strerror(problem)});
    }
    return connect_any(addresses.get(), deadline);
}

}  // namespace

bool wait_for(int socket, short events, SteadyTime deadline) {
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        if (left.count() <= 0) {
            return false;
        }
        pollfd entry = {socket, events, 0};
        const int ready =
            ::poll(&entry, 1, static_cast<int>(std::min<std::int64_t>(left.count(), 1'000'000)));
        if (ready > 0) {
            return true;
        }
        if (ready < 0 && errno != EINTR) {
            return false;
        }
    }
}

Stream::Stream(os::Fd socket, std::unique_ptr<Tls> tls)
    : socket_(std::move(socket))
    , tls_(std::move(tls)) {
}

Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&&) noexcept = default;
Stream::~Stream() = default;

tl::expected<Stream, StreamError> Stream::open(const Endpoint& endpoint, SteadyTime deadline) {
    auto socket = endpoint.socket.empty() ? connect_tcp(endpoint, deadline)
                                          : connect_unix(endpoint.socket, deadline);
    if (!socket) {
        return tl::unexpected(std::move(socket.error()));
    }
    std::unique_ptr<Tls> session;
    if (endpoint.uses_tls) {
        auto tls = Tls::open(endpoint, socket->get(), deadline);
        if (!tls) {
            return tl::unexpected(StreamError{false, "TLS: " + tls.error()});
        }
        session = std::move(*tls);
    }
    return Stream(std::move(*socket), std::move(session));
}

tl::expected<void, std::string> Stream::write(std::string_view bytes, SteadyTime deadline) {
    if (tls_) {
        return tls_->write(bytes, deadline);
    }
    while (!bytes.empty()) {
        const auto size = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (size >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(size));
        } else if (errno != EAGAIN && errno != EINTR) {
            return tl::unexpected(std::string(std::strerror(errno)));
        } else if (!wait_for(socket_.get(), POLLOUT, deadline)) {
            return tl::unexpected(std::string("too late"));
        }
    }
    return {};
}

tl::expected<std::string, std::string> Stream::read(SteadyTime deadline) {
    if (tls_) {
        return tls_->read(deadline);
    }
    std::string bytes(k_chunk_bytes, '\0');
    for (;;) {
        const auto size = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
        if (size >= 0) {
            bytes.resize(static_cast<std::size_t>(size));
            return bytes;
        }
        if (errno != EAGAIN && errno != EINTR) {
            return tl::unexpected(std::string(std::strerror(errno)));
        }
        if (!wait_for(socket_.get(), POLLIN, deadline)) {
            return tl::unexpected(std::string("too late"));
        }
    }
}

// TLS 1.3 servers send session tickets unasked, which are not the end. So with TLS only a closed
// socket counts, and a lost request says that it is lost.
bool Stream::is_quiet() const {
    char byte = 0;
    const auto size = ::recv(socket_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    const bool is_empty = size < 0 && (errno == EAGAIN || errno == EINTR);
    return is_empty || (tls_ && size > 0 && !tls_->has_pending());
}

}  // namespace drydock::http
