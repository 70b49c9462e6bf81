// Requests to an API server over one connection, and answers that say what they mean.
//
// An answer is one of a few kinds, made from the HTTP status and the server's own Status object. A
// write whose answer was lost, or was 5xx, has an unknown outcome: its kind is `unknown`, and only
// a look at the object decides. Every request has a time limit. Messages are clipped, since a
// refusal may hold the whole object, and never contain what the kubeconfig holds. A Client is not
// thread-safe.
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "kubernetes/access.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::kubernetes {

enum class AnswerKind {
    done,            // 2xx
    not_found,       // 404: the object, or the kind of object
    conflict,        // 409: the object is not as the request says it was
    already_exists,  // 409: the name is taken
    expired,         // 410: a list or watch cannot go on from there
    test_failed,     // 422 without causes: a `test` of a JSON patch did not hold
    invalid,         // 400 or 422 with causes: refused, nothing changed
    not_allowed,     // 401, 403
    try_later,       // 429: nothing was done
    unknown,         // sent, and lost or 5xx: it may have happened
    not_sent,        // the server was not reached: nothing happened
    strange,         // any other status
};

struct Cause {
    std::string field;
    std::string message;
};

struct Answer {
    AnswerKind kind = AnswerKind::strange;
    int status = 0;  // HTTP; 0: there was no answer
    Json body;       // of `done`
    std::string reason;
    std::string message;
    std::vector<Cause> causes;
};

struct Request {
    std::string method = "GET";
    std::string path;  // with its query, from the first slash on
    std::string content_type = "application/json";
    Json body = {};
};

// Returns a text without secrets. It is called before a message is clipped: half a secret could not
// be recognised.
using Hide = std::function<std::string(std::string_view)>;

class Client {
public:
    // Opens no connection yet. Errors are those of find_endpoint().
    [[nodiscard]] static Result<std::unique_ptr<Client>>
    open(const Access& access, Hide hide = [](std::string_view text) { return std::string(text); });
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    [[nodiscard]] Answer send(const Request& request, std::int64_t timeout_ms);
    [[nodiscard]] Answer get(const std::string& path, std::int64_t timeout_ms);
    // Sends a GET whose answer is one JSON value a line, and gives each to `take` as it comes. It
    // is `done`, with an empty body, once the server ends the answer or `take` returns false.
    [[nodiscard]] Answer follow(const std::string& path,
                                std::int64_t timeout_ms,
                                const std::function<bool(const Json&)>& take);

private:
    struct State;
    explicit Client(std::unique_ptr<State> state);

    std::unique_ptr<State> state_;
};

// Returns the error of an answer that is not `done`: `subject` is what was asked about
// ("services/pachd of namespace default"). The class says whether asking again helps.
[[nodiscard]] Error error_of(const Answer& answer, const std::string& subject);

}  // namespace drydock::kubernetes
