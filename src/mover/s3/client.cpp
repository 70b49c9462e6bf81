// Queue, retries and judgement of answers.
//
// An answer is judged by its status, by the server's error code, and, for calls with an XML answer,
// by the body of a 200: CopyObject and CompleteMultipartUpload begin their answer before the work
// is done and put an error into it. A 200 with a body that cannot be read is an unknown outcome.
//
// A redirect is an error here. It names another region or server, and that server must not be sent
// a signature that was made for this one.
#include "mover/s3/client.h"

#include "base/hash.h"
#include "base/text.h"
#include "mover/s3/xml.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

namespace drydock::mover::s3 {
namespace {

constexpr int k_first_contact_attempts = 4;       // to a server that never answered
constexpr std::size_t k_code_bytes_max = 100;     // of a server's error code
constexpr std::size_t k_message_bytes_max = 300;  // of a server's message
constexpr int k_wait_ms = 50;                     // of one turn of drive()

constexpr long k_ok = 200;
constexpr long k_redirects = 300;
constexpr long k_client_errors = 400;
constexpr long k_unauthorized = 401;
constexpr long k_forbidden = 403;
constexpr long k_not_found = 404;
constexpr long k_precondition_failed = 412;
constexpr long k_too_many = 429;
constexpr long k_server_errors = 500;
constexpr long k_not_implemented = 501;
constexpr long k_unavailable = 503;

std::string place_of(const Call& call) {
    return fmt::format("{} s3://{}/{}", call.method, call.bucket, clip(call.key, 200));
}

struct ServerError {
    std::string code;
    std::string message;
};

// Returns the error in a body, if it is an XML error of S3. A proxy may answer with a page of HTML.
ServerError error_in(std::string_view body) {
    if (body.find("<Error") == body.npos) {
        return {};
    }
    const auto root = parse_xml(body);
    if (!root || root->name != "Error") {
        return {};
    }
    return {clip(root->text_of("Code"), k_code_bytes_max),
            clip(root->text_of("Message"), k_message_bytes_max)};
}

bool is_slow_down(const WireAnswer& wire, std::string_view code) {
    return wire.status == k_unavailable || wire.status == k_too_many || code == "SlowDown"
           || code == "TooManyRequests" || code == "RequestLimitExceeded";
}

// True for errors that the server itself calls temporary.
bool is_temporary(const WireAnswer& wire, std::string_view code) {
    return (wire.status >= k_server_errors && wire.status != k_not_implemented)
           || code == "InternalError" || code == "RequestTimeout" || code == "OperationAborted"
           || code == "ConditionalRequestConflict" || code == "ServiceUnavailable";
}

AnswerKind kind_of(long status) {
    switch (status) {
    case k_unauthorized:
    case k_forbidden:
        return AnswerKind::denied;
    case k_not_found:
        return AnswerKind::missing;
    case k_precondition_failed:
        return AnswerKind::precondition_failed;
    default:
        return AnswerKind::refused;
    }
}

Error make_error(const char* code, std::string message, std::string remedy, ErrorClass kind) {
    return {code, std::move(message), std::move(remedy), kind};
}

Error error_without_answer(const Call& call, const WireAnswer& wire) {
    const std::string text = fmt::format("{}: {}", place_of(call), wire.problem);
    switch (wire.trouble) {
    case WireTrouble::refused:
        return make_error("s3.certificate",
                          text,
                          "look at the endpoint's name and scheme, and at the CA file (--ca, "
                          "AWS_CA_BUNDLE)",
                          ErrorClass::permanent);
    case WireTrouble::too_large:
        return make_error("s3.too_large",
                          place_of(call) + ": the answer is larger than expected",
                          "look at the endpoint: is it an S3 server?",
                          ErrorClass::permanent);
    case WireTrouble::not_sent:
        return make_error("s3.unreachable",
                          text,
                          "look at the endpoint and at the network",
                          ErrorClass::transient);
    case WireTrouble::lost:
    case WireTrouble::none:
        break;
    }
    return make_error("s3.unknown",
                      text,
                      "the server may have done it: look at it before it is repeated",
                      ErrorClass::unknown_outcome);
}

Error error_of_redirect(const Call& call, const WireAnswer& wire) {
    const std::string region(wire.header("x-amz-bucket-region"));
    return make_error("s3.redirect",
                      fmt::format("{}: the server sends to another place ({}), and no signature "
                                  "is sent there",
                                  place_of(call),
                                  wire.status),
                      region.empty() ? "give the right endpoint and region of the bucket"
                                     : "the bucket lies in the region " + region,
                      ErrorClass::permanent);
}

const char* code_of(AnswerKind kind) {
    switch (kind) {
    case AnswerKind::denied:
        return "s3.denied";
    case AnswerKind::missing:
        return "s3.missing";
    case AnswerKind::precondition_failed:
        return "s3.changed";
    case AnswerKind::done:
    case AnswerKind::refused:
    case AnswerKind::unreachable:
    case AnswerKind::unknown_outcome:
        return "s3.answer";
    }
    return "s3.answer";
}

Error error_of(const Call& call, const Answer& answer, const ServerError& server) {
    const std::string text = fmt::format("{}: the server says {}{}{}{}{}",
                                         place_of(call),
                                         answer.wire.status,
                                         server.code.empty() ? "" : " ",
                                         server.code,
                                         server.message.empty() ? "" : ": ",
                                         server.message);
    const bool is_denied = answer.kind == AnswerKind::denied;
    return make_error(code_of(answer.kind),
                      text,
                      is_denied ? "look at the access key, the secret key and their rights" : "",
                      is_temporary(answer.wire, server.code) ? ErrorClass::transient
                                                             : ErrorClass::permanent);
}

// Judges a 200 of a call that answers in XML: its body decides.
void judge_body(const Call& call, Answer& answer) {
    const auto root = parse_xml(answer.wire.body);
    if (root && root->name != "Error") {
        return;
    }
    const ServerError server = error_in(answer.wire.body);
    answer.error_code = server.code;
    if (server.code.empty()) {
        answer.kind = AnswerKind::unknown_outcome;
        answer.error = make_error("s3.unknown",
                                  place_of(call) + ": the server's answer is cut off or no XML",
                                  "look at the object before it is repeated",
                                  ErrorClass::unknown_outcome);
        return;
    }
    answer.kind = server.code == "PreconditionFailed" ? AnswerKind::precondition_failed
                  : server.code == "NoSuchKey"        ? AnswerKind::missing
                  : server.code == "AccessDenied"     ? AnswerKind::denied
                                                      : AnswerKind::refused;
    answer.error = error_of(call, answer, server);
}

Answer judge(const Call& call, WireAnswer wire) {
    Answer answer;
    answer.wire = std::move(wire);
    const long status = answer.wire.status;
    if (answer.wire.trouble != WireTrouble::none) {
        const WireTrouble trouble = answer.wire.trouble;
        answer.error = error_without_answer(call, answer.wire);
        answer.kind = trouble == WireTrouble::lost       ? AnswerKind::unknown_outcome
                      : trouble == WireTrouble::not_sent ? AnswerKind::unreachable
                                                         : AnswerKind::refused;
    } else if (status >= k_ok && status < k_redirects) {
        if (call.has_xml_answer) {
            judge_body(call, answer);
        }
    } else if (status >= k_redirects && status < k_client_errors) {
        answer.kind = AnswerKind::refused;
        answer.error = error_of_redirect(call, answer.wire);
    } else {
        const ServerError server = error_in(answer.wire.body);
        answer.error_code = server.code;
        answer.kind = kind_of(status);
        answer.error = error_of(call, answer, server);
    }
    return answer;
}

bool is_listing(const Call& call) {
    return call.method == "GET" && call.key.empty()
           && std::any_of(call.query.begin(), call.query.end(), [](const NameValue& parameter) {
                  return parameter.first == "list-type" || parameter.first == "versions";
              });
}

// Reads "Fri, 24 May 2013 00:00:00 GMT"; 0 if it is none.
std::int64_t http_date_ms(std::string_view text) {
    std::tm parts{};
    const std::string copy(text);
    const char* end = strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S", &parts);
    return end == nullptr ? 0 : std::int64_t{timegm(&parts)} * 1000;
}

}  // namespace

struct Client::Job {
    Call call;
    Done done;
    int attempts = 0;
    bool has_corrected_time = false;
};

Client::Client(HttpLoop& loop, ServerAddress address, ClientLimits limits, os::Clock& clock)
    : loop_(loop)
    , address_(std::move(address))
    , limits_(limits)
    , clock_(clock)
    , flight_(limits.in_flight_max)
    , random_(static_cast<unsigned>(clock.wall_ms())) {
}

void Client::call(Call call, Done done) {
    ++counters_.calls;
    ready_.push_back(std::make_shared<Job>(Job{std::move(call), std::move(done)}));
}

bool Client::is_idle() const {
    return in_flight_ == 0 && ready_.empty() && delayed_.empty();
}

// Retries come before new calls, so that a page of work can end.
void Client::pump() {
    const std::int64_t now_ms = clock_.monotonic_ms();
    while (!delayed_.empty() && delayed_.begin()->first <= now_ms) {
        ready_.push_front(std::move(delayed_.begin()->second));
        delayed_.erase(delayed_.begin());
    }
    while (!ready_.empty() && in_flight_ < flight_.limit()) {
        const JobPointer job = std::move(ready_.front());
        ready_.pop_front();
        send(job);
    }
}

// Amazon's list of headers to sign has all that begin with x-amz-; here all are signed.
WireRequest Client::signed_request(const Call& call) const {
    const auto scheme_end = address_.endpoint.find("://") + 3;
    std::string host = address_.endpoint.substr(scheme_end);
    std::string path = "/";
    if (address_.has_bucket_in_host && !call.bucket.empty()) {
        host = call.bucket + "." + host;
    } else if (!call.bucket.empty()) {
        path += percent_encoded(call.bucket);
        path += call.key.empty() ? "" : "/";
    }
    path += percent_encoded(call.key, "/");
    SigningScope scope = {address_.region, "s3", (clock_.wall_ms() + time_offset_ms_) / 1000};
    SigningInput input = {call.method, path, call.query, call.headers, sha256_hex(call.body)};
    input.headers.emplace_back("host", host);
    input.headers.emplace_back("x-amz-content-sha256", input.payload_sha256);
    input.headers.emplace_back("x-amz-date", time_stamp(scope.time_s));
    if (!address_.credentials.session_token.empty()) {
        input.headers.emplace_back("x-amz-security-token", address_.credentials.session_token);
    }
    WireRequest request;
    request.method = call.method;
    request.headers = input.headers;
    if (!address_.credentials.access_key.empty()) {
        request.headers.emplace_back("Authorization",
                                     authorization(input, address_.credentials, scope));
    }
    const std::string query = canonical_query(call.query);
    request.url =
        address_.endpoint.substr(0, scheme_end) + host + path + (query.empty() ? "" : "?" + query);
    request.body = call.body;
    request.ca_file = address_.ca_file;
    request.answer_bytes_max = call.answer_bytes_max;
    request.is_sent_once = !call.is_repeatable;
    return request;
}

// Adds the time since the last send or answer. While nothing is in flight, no time counts.
void Client::count_time() {
    const std::int64_t now_ms = clock_.monotonic_ms();
    const std::int64_t passed_ms = now_ms - counted_until_ms_;
    counted_until_ms_ = now_ms;
    if (in_flight_ > 0) {
        counters_.in_flight_ms += passed_ms * in_flight_;
        counters_.limit_ms += passed_ms * std::max(limit(), in_flight_);
    }
}

void Client::send(const JobPointer& job) {
    count_time();
    ++job->attempts;
    ++counters_.requests;
    counters_.heads += job->call.method == "HEAD" ? 1 : 0;
    counters_.lists += is_listing(job->call) ? 1 : 0;
    ++in_flight_;
    counters_.in_flight_most = std::max(counters_.in_flight_most, in_flight_);
    const Status started = loop_.start(
        signed_request(job->call), [this, job](WireAnswer wire) { on_wire(job, std::move(wire)); });
    if (!started) {
        --in_flight_;
        Answer answer;
        answer.kind = AnswerKind::refused;
        answer.error = started.error().with_context(place_of(job->call));
        job->done(answer);
    }
}

// A clock that is wrong by more than 15 minutes is corrected by the server's own, once a call.
bool Client::correct_time(Job& job, const Answer& answer) {
    const std::int64_t server_ms = http_date_ms(answer.header("date"));
    if (answer.error_code != "RequestTimeTooSkewed" || job.has_corrected_time || server_ms == 0) {
        return false;
    }
    job.has_corrected_time = true;
    time_offset_ms_ = server_ms - clock_.wall_ms();
    return true;
}

bool Client::can_repeat(const Job& job, const Answer& answer, bool is_throttled) const {
    const int attempts_max = is_throttled    ? limits_.throttled_attempts_max
                             : has_answered_ ? limits_.attempts_max
                                             : k_first_contact_attempts;
    if (job.attempts >= attempts_max) {
        return false;
    }
    if (is_throttled && answer.error_code == "SlowDown") {
        return true;
    }
    const bool is_certain = answer.kind == AnswerKind::unreachable;
    const bool is_passing = answer.kind == AnswerKind::unknown_outcome
                            || answer.kind == AnswerKind::unreachable
                            || is_temporary(answer.wire, answer.error_code) || is_throttled;
    return is_passing && (job.call.is_repeatable || is_certain);
}

// The pauses double; each is drawn from the upper half, so that calls do not come back together.
std::int64_t Client::pause_ms(int attempts) {
    constexpr int doublings_max = 20;
    const std::int64_t whole = std::min(
        limits_.pause_max_ms, limits_.first_pause_ms << std::min(attempts - 1, doublings_max));
    std::uniform_int_distribution<std::int64_t> draw(whole / 2, whole);
    return draw(random_);
}

void Client::repeat_later(const JobPointer& job, bool is_throttled) {
    ++counters_.retries;
    constexpr int steps_of_throttling = 6;  // a storm passes: its pauses stay short
    const int steps = is_throttled ? std::min(job->attempts, steps_of_throttling) : job->attempts;
    delayed_.emplace(clock_.monotonic_ms() + pause_ms(steps), job);
}

void Client::on_wire(const JobPointer& job, WireAnswer wire) {
    count_time();
    --in_flight_;
    Answer answer = judge(job->call, std::move(wire));
    const bool is_throttled = is_slow_down(answer.wire, answer.error_code);
    has_answered_ = has_answered_ || answer.wire.status != 0;
    if (is_throttled) {
        ++counters_.slow_downs;
        flight_.on_slow_down();
    } else if (answer.kind == AnswerKind::unreachable) {
        flight_.on_slow_down();
    } else {
        flight_.on_answer(job->call.is_timed && answer.is_done() ? answer.wire.latency_ms : -1);
    }
    if (correct_time(*job, answer)) {
        ready_.push_front(job);
        return;
    }
    if (can_repeat(*job, answer, is_throttled)) {
        repeat_later(job, is_throttled);
        return;
    }
    if (!answer.is_done() && !job->call.is_repeatable && answer.wire.status >= k_server_errors
        && answer.error_code != "SlowDown") {
        answer.kind = AnswerKind::unknown_outcome;
    } else if (!answer.is_done() && is_throttled) {
        answer.kind = AnswerKind::unreachable;
    }
    job->done(answer);
}

void drive(HttpLoop& loop,
           const std::vector<Client*>& clients,
           const std::function<bool()>& is_done) {
    while (!is_done()) {
        for (Client* client : clients) {
            client->pump();
        }
        if (!is_done()) {
            loop.step(k_wait_ms);
        }
    }
}

Answer ask(HttpLoop& loop, Client& client, Call call) {
    Answer result;
    bool is_answered = false;
    client.call(std::move(call), [&](const Answer& answer) {
        result = answer;
        is_answered = true;
    });
    drive(loop, {&client}, [&] { return is_answered; });
    return result;
}

}  // namespace drydock::mover::s3
