// HTTP/1.1 over plain sockets: a thread for each connection, keep-alive, bodies by Content-Length.
#include "fake_s3/fake_s3.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <ctime>
#include <optional>
#include <stdexcept>

namespace fake_s3 {

namespace {

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) {
        return static_cast<char>(std::tolower(c));
    });
    return text;
}

std::string trim(const std::string& text) {
    const auto begin = text.find_first_not_of(" \t");
    const auto end = text.find_last_not_of(" \t\r");
    return begin == text.npos ? "" : text.substr(begin, end - begin + 1);
}

std::map<std::string, std::string> parse_query(const std::string& raw) {
    std::map<std::string, std::string> result;
    std::size_t begin = 0;
    while (begin < raw.size()) {
        const std::size_t end = std::min(raw.find('&', begin), raw.size());
        const std::string part = raw.substr(begin, end - begin);
        const auto equals = part.find('=');
        result[decode(part.substr(0, equals), false)] =
            equals == part.npos ? "" : decode(part.substr(equals + 1), false);
        begin = end + 1;
    }
    return result;
}

void parse_target(Request& request, const std::string& target) {
    const auto question = target.find('?');
    request.raw_path = target.substr(0, question);
    request.raw_query = question == target.npos ? "" : target.substr(question + 1);
    request.query = parse_query(request.raw_query);
    const auto slash = request.raw_path.find('/', 1);
    request.bucket =
        decode(request.raw_path.substr(1, slash == target.npos ? slash : slash - 1), false);
    request.key = slash == target.npos ? "" : decode(request.raw_path.substr(slash + 1), false);
}

Request parse_head(const std::string& head) {
    Request request;
    std::size_t begin = head.find("\r\n");
    const std::string line = head.substr(0, begin);
    const auto first = line.find(' ');
    request.method = line.substr(0, first);
    parse_target(request, line.substr(first + 1, line.rfind(' ') - first - 1));
    begin += 2;
    while (begin < head.size()) {
        const auto end = std::min(head.find("\r\n", begin), head.size());
        const std::string header = head.substr(begin, end - begin);
        const auto colon = header.find(':');
        if (colon != header.npos) {
            request.headers[lower(header.substr(0, colon))] = trim(header.substr(colon + 1));
        }
        begin = end + 2;
    }
    return request;
}

std::string http_date(std::int64_t time_s) {
    const std::time_t time = time_s;
    std::tm parts{};
    gmtime_r(&time, &parts);
    std::array<char, 64> text{};
    const auto size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return {text.data(), size};
}

std::int64_t now_s() {
    return std::chrono::duration_cast<std::chrono::seconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

std::string wire_text(const Response& response, bool is_head, std::int64_t time_s) {
    std::string text =
        fmt::format("HTTP/1.1 {} X\r\nDate: {}\r\n", response.status, http_date(time_s));
    const bool has_own_length = response.headers.contains("content-length");
    for (const auto& [name, value] : response.headers) {
        text += fmt::format("{}: {}\r\n", name, value);
    }
    if (!has_own_length) {
        text += fmt::format("content-length: {}\r\n", response.body.size());
    }
    return text + "\r\n" + (is_head ? "" : response.body);
}

}  // namespace

std::string Request::header(const std::string& name) const {
    const auto place = headers.find(name);
    return place == headers.end() ? "" : place->second;
}

std::string Request::parameter(const std::string& name) const {
    const auto place = query.find(name);
    return place == query.end() ? "" : place->second;
}

FakeS3::FakeS3() {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0
        || listen(listener_, 512) != 0
        || getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
        throw std::runtime_error("no port for the fake S3 server");
    }
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { serve(); });
}

FakeS3::~FakeS3() {
    {
        const std::lock_guard lock(mutex_);
        is_ending_ = true;
        shutdown(listener_, SHUT_RDWR);
        for (const int one : sockets_) {
            shutdown(one, SHUT_RDWR);
        }
    }
    acceptor_.join();
    for (std::thread& talker : talkers_) {
        talker.join();
    }
    for (const int one : sockets_) {
        close(one);
    }
    close(listener_);
}

std::string FakeS3::endpoint() const {
    return fmt::format("http://127.0.0.1:{}", port_);
}

void FakeS3::serve() {
    while (true) {
        const int socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        const std::lock_guard lock(mutex_);
        if (socket < 0 || is_ending_) {
            if (socket >= 0) {
                close(socket);
            }
            return;
        }
        const int one = 1;
        setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        sockets_.push_back(socket);
        talkers_.emplace_back([this, socket] { talk(socket); });
    }
}

namespace {

// Reads one request; nothing at the end of the connection.
std::optional<Request> read_request(int socket, std::string& buffer) {
    std::array<char, 1U << 16U> bytes{};
    const auto more = [&] {
        const ssize_t size = recv(socket, bytes.data(), bytes.size(), 0);
        if (size > 0) {
            buffer.append(bytes.data(), static_cast<std::size_t>(size));
        }
        return size > 0;
    };
    std::size_t end = 0;
    while ((end = buffer.find("\r\n\r\n")) == buffer.npos) {
        if (!more()) {
            return std::nullopt;
        }
    }
    Request request = parse_head(buffer.substr(0, end + 2));
    buffer.erase(0, end + 4);
    const std::string length = request.header("content-length");
    const std::size_t size = length.empty() ? 0 : std::stoul(length);
    while (buffer.size() < size) {
        if (!more()) {
            return std::nullopt;
        }
    }
    request.body = buffer.substr(0, size);
    buffer.erase(0, size);
    return request;
}

void send_all(int socket, std::string_view text) {
    while (!text.empty()) {
        const ssize_t size = send(socket, text.data(), text.size(), MSG_NOSIGNAL);
        if (size <= 0) {
            return;
        }
        text.remove_prefix(static_cast<std::size_t>(size));
    }
}

}  // namespace

void FakeS3::talk(int socket) {
    std::string buffer;
    while (auto request = read_request(socket, buffer)) {
        const auto [text, goes_on] = respond(std::move(*request));
        send_all(socket, text);
        if (!goes_on) {
            break;
        }
    }
    shutdown(socket, SHUT_RDWR);
}

std::pair<std::string, bool> FakeS3::respond(Request request) {
    const std::lock_guard lock(mutex_);
    const bool is_head = request.method == "HEAD";
    const std::int64_t time_s = now_s() + clock_offset_s;
    Request logged = request;
    logged.body.clear();
    if (keeps_requests) {
        requests_.push_back(std::move(logged));
    }
    const Response checked = check_signature(request, time_s);
    if (checked.status != 200) {
        return {wire_text(checked, is_head, time_s), true};
    }
    const Fault fault_here = fault ? fault(request) : Fault::none;
    if (fault_here == Fault::reset_before) {
        return {"", false};
    }
    const std::string text = wire_text(answer(request, fault_here), is_head, time_s);
    if (fault_here == Fault::reset_after) {
        return {"", false};
    }
    if (fault_here == Fault::cut_answer) {
        return {text.substr(0, text.size() - std::min<std::size_t>(text.size() / 2, 40)), false};
    }
    return {text, true};
}

}  // namespace fake_s3
