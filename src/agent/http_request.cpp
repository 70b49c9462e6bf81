// Reads HTTP requests. A body that is no text is sent as JSON.
#include "agent/http_request.h"

#include "agent/action.h"

namespace drydock::agent {

http::HttpRequest read_http_request(const Json& value, std::int64_t timeout_ms) {
    http::HttpRequest request;
    const auto& method = value["method"].as_string();
    const auto& body = value["body"];
    request.method = method.empty() ? "GET" : method;
    request.url = value["url"].as_string();
    request.headers = read_pairs(value["headers"]);
    request.body = body.is_null() ? "" : body.is_string() ? body.as_string() : body.dump();
    request.ca = value["tls"]["ca"].as_string();
    request.certificate = value["tls"]["cert"].as_string();
    request.key = value["tls"]["key"].as_string();
    request.timeout_ms = timeout_ms;
    return request;
}

}  // namespace drydock::agent
