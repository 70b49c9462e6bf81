// Stream: one connection to a server, with or without TLS, whose every step has a deadline.
//
// The socket never blocks; poll() waits for it until the deadline. Only the lookup of a name is
// bounded by the system's resolver instead. Not thread-safe.
#pragma once

#include "os/files.h"

#include <tl/expected.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace drydock::http {

using SteadyTime = std::chrono::steady_clock::time_point;

struct Endpoint {
    std::string host;
    std::string port;
    bool uses_tls = false;
    std::string socket = {};  // the path of a Unix socket in place of host and port; may be empty
    std::string ca = {};      // files; an empty `ca` means the system's authorities
    std::string certificate = {};
    std::string key = {};
};

struct StreamError {
    bool is_refused = false;  // every address refused: no server listens there
    std::string message;
};

class Stream {
public:
    // Connects and agrees upon TLS. Nothing of a request has been sent when it fails.
    [[nodiscard]] static tl::expected<Stream, StreamError> open(const Endpoint& endpoint,
                                                                SteadyTime deadline);
    Stream(Stream&&) noexcept;
    Stream& operator=(Stream&&) noexcept;
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    ~Stream();

    // Writes all bytes. The error is a text for people.
    [[nodiscard]] tl::expected<void, std::string> write(std::string_view bytes,
                                                        SteadyTime deadline);
    // Returns some bytes; none at the end of the stream.
    [[nodiscard]] tl::expected<std::string, std::string> read(SteadyTime deadline);
    // True if nothing has come and the other side has not closed: another request may follow.
    [[nodiscard]] bool is_quiet() const;

private:
    struct Tls;

    Stream(os::Fd socket, std::unique_ptr<Tls> tls);

    os::Fd socket_;
    std::unique_ptr<Tls> tls_;  // null: plain
};

}  // namespace drydock::http
