// HTTP requests with a hard deadline, over streams whose every step has it.
//
// The idea is the honest failure: an error says whether anything was sent. Only what was not sent
// may be repeated without a look at the system. So a connection that stayed open is looked at
// before it is used again, and a request is never sent twice.
#include "http/http.h"

#include "http/answer_reader.h"
#include "http/stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>

namespace drydock::http {
namespace {

constexpr std::size_t k_answer_bytes_max = 4U << 20U;  // a metrics page is about 0.1 MB

struct Url {
    std::string host;
    std::string port;
    std::string path;
    std::string authority;  // host and port as they were written
    bool uses_tls = false;
};

// Splits by hand. An IPv6 address stands in brackets. Returns nothing for other schemes.
std::optional<Url> split_url(const std::string& text) {
    Url url;
    url.uses_tls = text.starts_with("https://");
    if (!url.uses_tls && !text.starts_with("http://")) {
        return std::nullopt;
    }
    const auto start = text.find("://") + 3;
    const auto path = std::min(text.find_first_of("/?", start), text.size());
    url.path = text.substr(path);
    if (!url.path.starts_with('/')) {
        url.path.insert(0, "/");
    }
    url.authority = text.substr(start, path - start);
    url.host = url.authority;
    url.port = url.uses_tls ? "443" : "80";
    if (const auto colon = url.host.rfind(':'); colon != url.host.npos && url.host.back() != ']') {
        url.port = url.host.substr(colon + 1);
        url.host.resize(colon);
    }
    if (url.host.starts_with('[') && url.host.ends_with(']')) {
        url.host = url.host.substr(1, url.host.size() - 2);
    }
    return url.host.empty() || url.port.empty() ? std::nullopt : std::optional(url);
}

bool has_control(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7f;
    });
}

// Returns why a request must not be sent; empty if it may be. A line end in a header would let a
// pack's text add headers of its own.
std::string why_refused(const HttpRequest& request) {
    const bool uses_tls =
        !request.ca.empty() || !request.certificate.empty() || !request.key.empty();
    if (uses_tls && !request.url.starts_with("https://")) {
        return "it has `tls`, and its URL is no https:// one: all would go out in clear";
    }
    const bool injects =
        std::any_of(request.headers.begin(), request.headers.end(), [](const auto& header) {
            return header.first.empty() || header.first.find_first_of(": ") != std::string::npos
                   || has_control(header.first) || has_control(header.second);
        });
    const bool odd_line = has_control(request.method) || has_control(request.url)
                          || request.method.find(' ') != std::string::npos
                          || request.url.find(' ') != std::string::npos;
    return injects || odd_line
               ? "its method, URL or a header holds a character that ends a line or a word"
               : "";
}

bool has_header(const HttpRequest& request, std::string_view name) {
    const auto is_same = [](char a, char b) { return (a | 0x20) == (b | 0x20); };
    return std::any_of(request.headers.begin(), request.headers.end(), [&](const auto& header) {
        return std::equal(
            header.first.begin(), header.first.end(), name.begin(), name.end(), is_same);
    });
}

// Returns head and body as they go over the wire.
std::string wire_text(const HttpRequest& request, const Url& url, bool keeps_open) {
    std::string text = fmt::format("{} {} HTTP/1.1\r\n", request.method, url.path);
    const auto add = [&](std::string_view name, std::string_view value) {
        if (!has_header(request, name)) {
            text += fmt::format("{}: {}\r\n", name, value);
        }
    };
    add("Host", request.socket.empty() ? std::string_view(url.authority) : "localhost");
    add("Accept", "*/*");
    add("Connection", keeps_open ? "keep-alive" : "close");
    constexpr std::array k_with_length = {"POST", "PUT", "PATCH"};
    const bool wants_length = std::find(k_with_length.begin(), k_with_length.end(), request.method)
                              != k_with_length.end();
    if (!request.body.empty() || wants_length) {
        add("Content-Length", std::to_string(request.body.size()));
    }
    if (!request.body.empty()) {
        add("Content-Type", "text/plain");
    }
    for (const auto& [name, value] : request.headers) {
        text += fmt::format("{}: {}\r\n", name, value);
    }
    return text + "\r\n" + request.body;
}

// Takes a part of the body; false: no more of it is wanted. An answer that is no success has a body
// of its own, which nobody but the caller reads.
bool take_part(const HttpRequest& request, HttpAnswer& answer, int status, std::string_view part) {
    answer.status = status;
    const bool is_success = status >= 200 && status <= 299;
    if (request.on_part && is_success) {
        return request.on_part(part);
    }
    answer.body.append(part);
    return answer.body.size() <= k_answer_bytes_max;
}

Endpoint endpoint_of(const HttpRequest& request, const Url& url) {
    Endpoint endpoint;
    endpoint.host = url.host;
    endpoint.port = url.port;
    endpoint.uses_tls = url.uses_tls;
    endpoint.socket = request.socket;
    endpoint.ca = request.ca;
    endpoint.certificate = request.certificate;
    endpoint.key = request.key;
    return endpoint;
}

}  // namespace

struct Connection::State {
    using Answered = tl::expected<HttpAnswer, HttpError>;

    bool keeps_open = true;
    std::optional<Stream> stream;

    // Opens a stream unless one is open and fit for another request.
    [[nodiscard]] tl::expected<void, HttpError>
    connect(const HttpRequest& request, const Url& url, SteadyTime deadline) {
        if (stream && stream->is_quiet()) {
            return {};
        }
        stream.reset();
        auto opened = Stream::open(endpoint_of(request, url), deadline);
        if (!opened) {
            const auto failure =
                opened.error().is_refused ? HttpFailure::refused : HttpFailure::not_sent;
            return tl::unexpected(HttpError{
                failure,
                fmt::format("{} {}: {}", request.method, request.url, opened.error().message)});
        }
        stream.emplace(std::move(*opened));
        return {};
    }

    // A failed write does not end the exchange: a server may answer and close before it has read
    // all.
    [[nodiscard]] Answered
    exchange(const HttpRequest& request, const Url& url, SteadyTime deadline) {
        HttpAnswer answer;
        const auto written = stream->write(wire_text(request, url, keeps_open), deadline);
        AnswerReader reader([this, deadline] { return stream->read(deadline); });
        const auto head =
            reader.read(request.method != "HEAD", [&](int status, std::string_view part) {
                return take_part(request, answer, status, part)
                       && std::chrono::steady_clock::now() < deadline;
            });
        if (!head || !written || !keeps_open || !head->keeps_open) {
            stream.reset();
        }
        if (!head) {
            return tl::unexpected(HttpError{
                HttpFailure::lost,
                fmt::format("{} {}: no whole answer (closed by the other side, or too late): {}",
                            request.method,
                            request.url,
                            written ? head.error() : written.error())});
        }
        answer.status = head->status;
        return answer;
    }
};

Connection::Connection() : state_(std::make_unique<State>()) {
}

Connection::~Connection() = default;

tl::expected<HttpAnswer, HttpError> Connection::send(const HttpRequest& request) {
    if (const std::string reason = why_refused(request); !reason.empty()) {
        return tl::unexpected(
            HttpError{HttpFailure::not_sent, "the request is not sent: " + reason});
    }
    const auto url = split_url(request.url);
    if (!url) {
        return tl::unexpected(HttpError{HttpFailure::not_sent, request.url + " is no usable URL"});
    }
    const auto deadline =
        std::chrono::steady_clock::now()
        + std::chrono::milliseconds(std::max<std::int64_t>(request.timeout_ms, 1));
    if (const auto connected = state_->connect(request, *url, deadline); !connected) {
        return tl::unexpected(connected.error());
    }
    return state_->exchange(request, *url, deadline);
}

tl::expected<HttpAnswer, HttpError> send_http(const HttpRequest& request) {
    Connection connection;
    connection.state_->keeps_open = false;
    return connection.send(request);
}

}  // namespace drydock::http
