// One HTTP request with one deadline for all of it. A failure says whether anything was sent.
//
// Blocks until the answer is whole or the deadline passed (looking up a name is bounded by the
// system's resolver instead). Follows no redirects. Thread-safe.
#pragma once

#include "base/json.h"

#include <tl/expected.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace drydock::agent {

struct HttpRequest {
    std::string method = "GET";  // any method may carry a body
    std::string url;
    std::vector<std::pair<std::string, std::string>> headers = {};
    std::string body = {};
    std::string ca = {};  // files for https; empty: the system's authorities, no client certificate
    std::string certificate = {};
    std::string key = {};
    std::int64_t timeout_ms = 5000;
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

[[nodiscard]] tl::expected<HttpAnswer, HttpError> send_http(const HttpRequest& request);

// Reads {method, url, headers, body (text, or any JSON), tls: {ca, cert, key}}.
[[nodiscard]] HttpRequest read_http_request(const Json& value, std::int64_t timeout_ms);

}  // namespace drydock::agent
