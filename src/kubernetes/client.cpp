// The client: one kept-alive connection, over the HTTP code that the `http` probe uses.
//
// That code reads certificates and keys from files. Those that stand in the kubeconfig itself are
// put into files in memory, which have a path below /proc and never reach a disk.
#include "kubernetes/client.h"

#include "base/text.h"
#include "http/http.h"
#include "os/files.h"

#include <fmt/format.h>

#include <array>

namespace drydock::kubernetes {
namespace {

constexpr std::size_t k_message_bytes_max = 600;   // a refusal may hold the whole object
constexpr std::size_t k_message_head_bytes = 250;  // of a longer one; the rest is its end
constexpr std::size_t k_causes_max = 20;
constexpr std::size_t k_line_bytes_max = 4U << 20U;  // of an answer that comes line by line

// Holds the file in memory as long as its path is used.
struct Held {
    os::Fd file;
    std::string path;
};

Result<Held> hold(const Material& material) {
    Held held;
    held.path = material.path;
    if (!material.content.empty()) {
        DRYDOCK_TRY_ASSIGN(held.file, os::memory_file(material.content));
        held.path = fmt::format("/proc/self/fd/{}", held.file.get());
    }
    return held;
}

// A refusal may hold the whole object in its middle, and its reason behind it.
std::string shorten(const std::string& message) {
    if (message.size() <= k_message_bytes_max) {
        return message;
    }
    constexpr unsigned k_continues = 0x80;  // of UTF-8: 10xxxxxx
    std::size_t tail = message.size() - (k_message_bytes_max - k_message_head_bytes);
    while (tail < message.size()
           && (static_cast<unsigned char>(message[tail]) & 0xC0U) == k_continues) {
        ++tail;
    }
    return clip(message, k_message_head_bytes) + " ..." + message.substr(tail);
}

AnswerKind kind_of_conflict(const std::string& reason) {
    return reason == "AlreadyExists" ? AnswerKind::already_exists : AnswerKind::conflict;
}

AnswerKind kind_of(int status, const std::string& reason, bool has_causes) {
    switch (status) {
    case 400:
        return AnswerKind::invalid;
    case 401:
    case 403:
        return AnswerKind::not_allowed;
    case 404:
        return AnswerKind::not_found;
    case 409:
        return kind_of_conflict(reason);
    case 410:
        return AnswerKind::expired;
    case 422:
        return has_causes ? AnswerKind::invalid : AnswerKind::test_failed;
    case 429:
        return AnswerKind::try_later;
    default:
        return status >= 500 ? AnswerKind::unknown : AnswerKind::strange;
    }
}

std::vector<Cause> causes_of(const Json& status, const Hide& hide) {
    std::vector<Cause> causes;
    for (const Json& cause : status["details"]["causes"].items()) {
        if (causes.size() < k_causes_max) {
            causes.push_back(
                {cause["field"].as_string(), shorten(hide(cause["message"].as_string()))});
        }
    }
    return causes;
}

// Reads the Status object of a refusal. A proxy in between answers with a page instead, of which
// the first line has to do.
void read_status(const std::string& body, const Hide& hide, Answer& answer) {
    const auto status = Json::parse(body);
    if (!status || !status->is_object()) {
        answer.message = clip(trim(hide(body.substr(0, body.find('\n')))), k_message_bytes_max);
    } else {
        answer.reason = (*status)["reason"].as_string();
        answer.message = shorten(hide((*status)["message"].as_string()));
        answer.causes = causes_of(*status, hide);
    }
    answer.kind = kind_of(answer.status, answer.reason, !answer.causes.empty());
}

Answer read_answer(const http::HttpAnswer& received, const Hide& hide) {
    Answer answer;
    answer.status = received.status;
    if (received.status < 200 || received.status > 299) {
        read_status(received.body, hide, answer);
        return answer;
    }
    auto body = Json::parse(received.body);
    if (!body) {
        answer.kind = AnswerKind::unknown;
        answer.message = "the answer is no JSON: " + body.error().message;
        return answer;
    }
    answer.kind = AnswerKind::done;
    answer.body = std::move(*body);
    return answer;
}

Answer read_failure(const http::HttpError& error) {
    Answer answer;
    answer.kind =
        error.failure == http::HttpFailure::lost ? AnswerKind::unknown : AnswerKind::not_sent;
    answer.message = clip(error.message, k_message_bytes_max);
    return answer;
}

}  // namespace

struct Client::State {
    http::HttpRequest common;  // address, TLS and the token of every request
    Held authority;
    Held certificate;
    Held key;
    Hide hide;
    http::Connection connection;
};

Client::Client(std::unique_ptr<State> state) : state_(std::move(state)) {
}

Client::~Client() = default;

Result<std::unique_ptr<Client>> Client::open(const Access& access, Hide hide) {
    DRYDOCK_TRY_ASSIGN(const Endpoint endpoint, find_endpoint(access));
    auto state = std::make_unique<State>();
    state->hide = std::move(hide);
    DRYDOCK_TRY_ASSIGN(state->authority, hold(endpoint.authority));
    DRYDOCK_TRY_ASSIGN(state->certificate, hold(endpoint.certificate));
    DRYDOCK_TRY_ASSIGN(state->key, hold(endpoint.key));
    http::HttpRequest& common = state->common;
    common.url = endpoint.url;
    common.socket = endpoint.socket;
    common.ca = state->authority.path;
    common.certificate = state->certificate.path;
    common.key = state->key.path;
    common.headers = {{"Accept", "application/json"}, {"User-Agent", "drydock"}};
    if (!endpoint.token.empty()) {
        common.headers.emplace_back("Authorization", "Bearer " + endpoint.token);
    }
    return std::unique_ptr<Client>(new Client(std::move(state)));
}

Answer Client::send(const Request& request, std::int64_t timeout_ms) {
    http::HttpRequest sent = state_->common;
    sent.method = request.method;
    sent.url += request.path;
    sent.timeout_ms = timeout_ms;
    if (!request.body.is_null()) {
        sent.body = request.body.dump();
        sent.headers.emplace_back("Content-Type", request.content_type);
    }
    const auto received = state_->connection.send(sent);
    return received ? read_answer(*received, state_->hide) : read_failure(received.error());
}

namespace {

// Takes the whole lines out of the text. Returns false once `take` wants no more.
bool take_lines(std::string& text, const std::function<bool(const Json&)>& take) {
    for (auto end = text.find('\n'); end != text.npos; end = text.find('\n')) {
        const auto line = Json::parse(text.substr(0, end));
        text.erase(0, end + 1);
        if (!take(line ? *line : Json())) {
            return false;
        }
    }
    return text.size() <= k_line_bytes_max;
}

}  // namespace

Answer Client::follow(const std::string& path,
                      std::int64_t timeout_ms,
                      const std::function<bool(const Json&)>& take) {
    std::string rest;
    bool is_enough = false;
    http::HttpRequest sent = state_->common;
    sent.url += path;
    sent.timeout_ms = timeout_ms;
    sent.on_part = [&](std::string_view part) {
        rest += part;
        is_enough = !take_lines(rest, take);
        return !is_enough;
    };
    const auto received = state_->connection.send(sent);
    if (is_enough || (received && received->status >= 200 && received->status <= 299)) {
        return Answer{AnswerKind::done, received ? received->status : 200, {}, {}, {}, {}};
    }
    return received ? read_answer(*received, state_->hide) : read_failure(received.error());
}

Answer Client::get(const std::string& path, std::int64_t timeout_ms) {
    Request request;
    request.path = path;
    return send(request, timeout_ms);
}

namespace {

struct KindWords {
    AnswerKind kind;
    std::string_view code;
    std::string_view remedy;
    ErrorClass error_class;
};

constexpr auto k_again = ErrorClass::transient;
constexpr auto k_never = ErrorClass::permanent;

constexpr std::array k_kind_words = {
    KindWords{AnswerKind::not_found,
              "kubernetes.not_found",
              "look at its name and namespace, and whether somebody deleted it",
              k_never},
    KindWords{AnswerKind::conflict,
              "kubernetes.conflict",
              "somebody else changed it meanwhile: read it, then go on",
              k_again},
    KindWords{AnswerKind::already_exists,
              "kubernetes.exists",
              "look at the object that has this name",
              k_never},
    KindWords{
        AnswerKind::expired, "kubernetes.expired", "the list is too old: it is read anew", k_again},
    KindWords{AnswerKind::test_failed,
              "kubernetes.test_failed",
              "a value is not as the request says: read the object",
              k_never},
    KindWords{AnswerKind::invalid, "kubernetes.invalid", "correct what the server names", k_never},
    KindWords{AnswerKind::not_allowed,
              "kubernetes.not_allowed",
              "give the user of that context the right, or renew its token",
              k_never},
    KindWords{AnswerKind::try_later,
              "kubernetes.busy",
              "the server asks for patience: it is asked again",
              k_again},
    KindWords{AnswerKind::unknown,
              "kubernetes.unknown_outcome",
              "read the object: it may have been changed",
              ErrorClass::unknown_outcome},
    KindWords{AnswerKind::not_sent,
              "kubernetes.not_sent",
              "see that the API server runs and is reached from this host",
              k_again},
    KindWords{AnswerKind::strange,
              "kubernetes.strange",
              "see that this address is an API server's",
              k_never},
};

std::string show(const Answer& answer) {
    std::string text = answer.status == 0 ? "" : fmt::format("status {}", answer.status);
    for (const std::string& part : {answer.reason, answer.message}) {
        if (!part.empty()) {
            text += (text.empty() ? "" : " ") + part;
        }
    }
    return text;
}

}  // namespace

Error error_of(const Answer& answer, const std::string& subject) {
    Error error{"kubernetes.strange", fmt::format("{}: {}", subject, show(answer)), "", k_never};
    for (const KindWords& words : k_kind_words) {
        if (words.kind == answer.kind) {
            error.code = words.code;
            error.remedy = words.remedy;
            error.kind = words.error_class;
        }
    }
    return error;
}

}  // namespace drydock::kubernetes
