// The request of the probe and of the action `http`, as JSON has it.
#pragma once

#include "base/json.h"
#include "http/http.h"

namespace drydock::agent {

// Reads {method, url, headers, body (text, or any JSON), tls: {ca, cert, key}}.
[[nodiscard]] http::HttpRequest read_http_request(const Json& value, std::int64_t timeout_ms);

}  // namespace drydock::agent
