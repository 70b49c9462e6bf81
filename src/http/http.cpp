// HTTP requests with a hard deadline, over cpp-httplib.
//
// The library has time-outs for each read, and reads headers without end. A server that sends a
// byte now and then would hold a thread for ever. So a watchdog thread looks at every running
// request and shuts its socket down at the deadline, or when too much has come. The library then
// fails as if the server had closed.
//
// A second idea is the honest failure: explain() says whether anything was sent. Only "not sent"
// may be repeated without a look at the system.
#include "http/http.h"

#include "http/received_bytes.h"
#include "os/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <httplib.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

namespace drydock::http {
namespace {

constexpr std::size_t k_answer_bytes_max = 4U << 20U;  // a metrics page is about 0.1 MB
// What a server may send for one answer: its body, its headers, and the TLS around them.
constexpr std::uint64_t k_received_bytes_max = k_answer_bytes_max + (1U << 20U);
constexpr auto k_look_again = std::chrono::milliseconds(10);  // between two looks at a request
constexpr int k_refused_wait_ms = 100;                        // a refusal comes at once

using SteadyTime = std::chrono::steady_clock::time_point;

// The socket that the library made last, by a descriptor of our own. The library's stop() is no
// use: it waits for a lock that the library holds while it connects and while TLS is agreed upon.
class HeldSocket {
public:
    void hold(int descriptor) {
        const std::lock_guard lock(mutex_);
        socket_ = os::Fd(::fcntl(descriptor, F_DUPFD_CLOEXEC, 0));
    }

    [[nodiscard]] std::uint64_t received() const {
        const std::lock_guard lock(mutex_);
        return received_bytes(socket_.get());
    }

    // Makes every read, write and connect on the socket end.
    void shut_down() const {
        const std::lock_guard lock(mutex_);
        ::shutdown(socket_.get(), SHUT_RDWR);
    }

private:
    mutable std::mutex mutex_;
    os::Fd socket_;
};

// Ends requests at their deadlines, whatever they are doing, and once a server has sent too much.
// There is one thread for all requests of the process, which never ends.
class Watchdog {
public:
    // Watches the request that uses the socket, as long as this object lives.
    class Watch {
    public:
        Watch(const HeldSocket& socket, SteadyTime deadline)
            : socket_(socket)
            , deadline_(deadline)
            , received_before_(socket.received()) {
            watchdog().add(*this);
        }

        ~Watch() { watchdog().remove(*this); }

        Watch(const Watch&) = delete;
        Watch& operator=(const Watch&) = delete;

        // Looks again after a shutdown: the library may try another address with a new socket.
        void look(SteadyTime now) const {
            const std::uint64_t received = socket_.received();
            // A connection that was made anew counts from nothing again.
            const auto before = std::min(received_before_, received);
            if (now >= deadline_ || received - before > k_received_bytes_max) {
                socket_.shut_down();
            }
        }

    private:
        const HeldSocket& socket_;
        SteadyTime deadline_;
        std::uint64_t received_before_;  // by earlier requests on the same connection
    };

private:
    static Watchdog& watchdog() {
        static Watchdog& instance = *new Watchdog;  // its thread outlives static objects
        return instance;
    }

    void add(const Watch& watch) {
        const std::lock_guard lock(mutex_);
        watches_.insert(&watch);
        if (!is_started_) {
            std::thread([this] { run(); }).detach();
            is_started_ = true;
        }
        if (watches_.size() == 1) {
            changed_.notify_one();
        }
    }

    void remove(const Watch& watch) {
        const std::lock_guard lock(mutex_);
        watches_.erase(&watch);
    }

    [[noreturn]] void run() {
        std::unique_lock lock(mutex_);
        while (true) {
            changed_.wait(lock, [this] { return !watches_.empty(); });
            changed_.wait_for(lock, k_look_again);
            const auto now = std::chrono::steady_clock::now();
            for (const Watch* watch : watches_) {
                watch->look(now);
            }
        }
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::set<const Watch*> watches_;
    bool is_started_ = false;
};

struct Url {
    std::string server;  // scheme, host, port
    std::string path;
    std::string host;
    std::string port;
};

// Splits by hand: the library wants scheme, host and port in one text, and is_refused() wants them
// apart. An IPv6 address stands in brackets.
Url split_url(const std::string& text) {
    Url url;
    const auto scheme = text.find("://");
    const auto start = scheme == text.npos ? 0 : scheme + 3;
    const auto path = std::min(text.find('/', start), text.size());
    url.server = text.substr(0, path);
    url.path = path == text.size() ? "/" : text.substr(path);
    url.host = text.substr(start, path - start);
    url.port = text.starts_with("https") ? "443" : "80";
    if (const auto colon = url.host.rfind(':'); colon != url.host.npos && url.host.back() != ']') {
        url.port = url.host.substr(colon + 1);
        url.host.resize(colon);
    }
    if (url.host.starts_with('[') && url.host.ends_with(']')) {
        url.host = url.host.substr(1, url.host.size() - 2);
    }
    return url;
}

// Takes a part of the body; false: no more of it is wanted. An answer that is no success has a body
// of its own, which nobody but the caller reads.
bool take_part(const HttpRequest& request, HttpAnswer& answer, std::string_view part) {
    const bool is_success = answer.status >= 200 && answer.status <= 299;
    if (request.on_part && is_success) {
        return request.on_part(part);
    }
    answer.body.append(part);
    return answer.body.size() <= k_answer_bytes_max;
}

// The receiver looks at the deadline too: a Unix socket may not be held by the watchdog.
httplib::Request
to_library(const HttpRequest& request, std::string path, SteadyTime deadline, HttpAnswer& answer) {
    httplib::Request result;
    result.method = request.method;
    result.path = std::move(path);
    result.body = request.body;
    for (const auto& [name, value] : request.headers) {
        result.headers.emplace(name, value);
    }
    result.response_handler = [&answer](const httplib::Response& head) {
        answer.status = head.status;
        return true;
    };
    result.content_receiver = [&request, &answer, deadline](const char* data,
                                                            std::size_t size,
                                                            std::uint64_t,
                                                            std::uint64_t) {
        return take_part(request, answer, {data, size})
               && std::chrono::steady_clock::now() < deadline;
    };
    if (!request.socket.empty() && !result.has_header("Host")) {
        result.set_header("Host", "localhost");  // the library would write the path
    }
    return result;
}

void set_up(httplib::Client& client, const HttpRequest& request) {
    const auto timeout = std::chrono::milliseconds(std::max<std::int64_t>(request.timeout_ms, 1));
    client.set_connection_timeout(timeout);
    client.set_read_timeout(timeout);
    client.set_write_timeout(timeout);
    // The library sends head and body apart. Without this the body waits for the server's delayed
    // acknowledgement of the head: 40 ms for each request that has one.
    client.set_tcp_nodelay(true);
    client.set_url_encode(false);  // the caller gave a URL, not a path to be encoded
    if (!request.ca.empty()) {
        client.set_ca_cert_path(request.ca);
    }
}

// True if nobody listens at a Unix socket.
bool is_socket_refused(const std::string& path) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    const os::Fd end(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    return ::connect(end.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0
           && (errno == ENOENT || errno == ECONNREFUSED);
}

// True if every address of the host refuses a connection. The library does not tell refused from
// unreachable, so one more try does. If a server listens by now, the answer is false.
bool is_refused(const Url& url) {
    addrinfo hints = {};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* addresses = nullptr;
    if (::getaddrinfo(url.host.c_str(), url.port.c_str(), &hints, &addresses) != 0) {
        return false;
    }
    bool refused = true;
    for (const addrinfo* address = addresses; address != nullptr; address = address->ai_next) {
        const os::Fd end(
            ::socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        errno = 0;
        int error = ::connect(end.get(), address->ai_addr, address->ai_addrlen) == 0 ? 0 : errno;
        if (error == EINPROGRESS) {
            pollfd poll_entry = {end.get(), POLLOUT, 0};
            socklen_t size = sizeof error;
            ::poll(&poll_entry, 1, k_refused_wait_ms);
            ::getsockopt(end.get(), SOL_SOCKET, SO_ERROR, &error, &size);
        }
        refused = refused && error == ECONNREFUSED;
    }
    ::freeaddrinfo(addresses);
    return refused;
}

// Sorts the library's errors by the question that matters: was anything sent?
HttpError explain(httplib::Error error, const HttpRequest& request, const Url& url) {
    using httplib::Error;
    const std::string request_line = fmt::format("{} {}", request.method, request.url);
    if (error == Error::Connection) {
        return (request.socket.empty() ? is_refused(url) : is_socket_refused(request.socket))
                   ? HttpError{HttpFailure::refused, request_line + ": connection refused"}
                   : HttpError{HttpFailure::not_sent, request_line + ": no connection"};
    }
    if (error == Error::ConnectionTimeout) {
        return {HttpFailure::not_sent, request_line + ": no connection in time"};
    }
    if (error == Error::SSLConnection || error == Error::SSLLoadingCerts
        || error == Error::SSLServerVerification) {
        return {HttpFailure::not_sent, request_line + ": TLS: " + httplib::to_string(error)};
    }
    return {HttpFailure::lost,
            request_line + ": no whole answer (closed by the other side, or too late): "
                + httplib::to_string(error)};
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

// The library takes the path of a socket in place of a server.
std::unique_ptr<httplib::Client> make_client(const HttpRequest& request, const Url& url) {
    const std::string& server = request.socket.empty() ? url.server : request.socket;
    auto client = std::make_unique<httplib::Client>(server, request.certificate, request.key);
    if (!request.socket.empty()) {
        client->set_address_family(AF_UNIX);
    }
    return client;
}

}  // namespace

struct Connection::State {
    bool keeps_open = true;
    HeldSocket socket;
    std::unique_ptr<httplib::Client> client;

    // Makes the client with the first request. Throws what the library throws.
    [[nodiscard]] bool is_ready(const HttpRequest& request, const Url& url) {
        if (client == nullptr) {
            client = make_client(request, url);
            client->set_keep_alive(keeps_open);
            client->set_socket_options([this](int descriptor) { socket.hold(descriptor); });
        }
        return client->is_valid();
    }

    tl::expected<HttpAnswer, HttpError> send(const HttpRequest& request, const Url& url) {
        HttpAnswer answer;
        set_up(*client, request);
        const auto deadline =
            std::chrono::steady_clock::now() + std::chrono::milliseconds(request.timeout_ms);
        const auto result = [&] {
            const Watchdog::Watch watch(socket, deadline);
            return client->send(to_library(request, url.path, deadline, answer));
        }();
        if (!result) {
            return tl::unexpected(explain(result.error(), request, url));
        }
        answer.status = result->status;
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
    const Url url = split_url(request.url);
    try {
        if (state_->is_ready(request, url)) {
            return state_->send(request, url);
        }
    } catch (const std::exception& problem) {
        return tl::unexpected(
            HttpError{HttpFailure::not_sent, request.url + ": " + problem.what()});
    }
    return tl::unexpected(HttpError{HttpFailure::not_sent, request.url + " is no usable URL"});
}

tl::expected<HttpAnswer, HttpError> send_http(const HttpRequest& request) {
    Connection connection;
    connection.state_->keeps_open = false;
    return connection.send(request);
}

}  // namespace drydock::http
