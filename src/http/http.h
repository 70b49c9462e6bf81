// Start here: http.h (requests), answer_reader.h (the bytes of an answer), stream.h (connections),
// tls.h. Tests of TLS use test_certificates.h.
//
// HTTP requests with one deadline for all of each. A failure says whether anything was sent.
//
// A request blocks until the answer is whole or the deadline passed (looking up a name is bounded
// by the system's resolver instead). Redirects are not followed. send_http() is thread-safe, a
// Connection is not.
#pragma once

#include <tl/expected.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace drydock::http {

struct HttpRequest {
    std::string method = "GET";  // any method may carry a body
    std::string url;
    std::vector<std::pair<std::string, std::string>> headers = {};
    std::string body = {};
    std::string ca = {};  // files for https; empty: the system's authorities, no client certificate
    std::string certificate = {};
    std::string key = {};
    // The path of a Unix socket whose server is asked in place of the URL's host; empty: none.
    std::string socket = {};
    std::int64_t timeout_ms = 5000;
    // Takes the body of a successful answer as it comes, in place of HttpAnswer::body; false ends
    // the request, which is `lost` then.
    std::function<bool(std::string_view part)> on_part = {};
};

struct HttpAnswer {
    int status = 0;
    std::string body;
};

enum class HttpFailure {
    refused,   // no server listens there; nothing was sent
    not_sent,  // no connection; nothing was sent
    lost,      // sent at least in part, and no whole answer came
};

struct HttpError {
    HttpFailure failure;
    std::string message;
};

// Sends one request over a connection of its own.
[[nodiscard]] tl::expected<HttpAnswer, HttpError> send_http(const HttpRequest& request);

// Several requests to one server. The connection stays open between them where the server lets it,
// and is made anew where it does not. A request is sent once, never again by itself.
class Connection {
public:
    Connection();
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // The server, its socket and the files for TLS must be those of the first request.
    [[nodiscard]] tl::expected<HttpAnswer, HttpError> send(const HttpRequest& request);

private:
    friend tl::expected<HttpAnswer, HttpError> send_http(const HttpRequest& request);

    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace drydock::http
