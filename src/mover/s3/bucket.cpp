// The five requests of a bucket, with retries.
//
// A request is sent up to five times, with pauses that double. It is repeated after temporary
// failures: no answer, 429 or a server error. All requests are idempotent but PUT. PUT has the
// condition `If-None-Match: *`, so it never replaces an object. If its first answer is lost, the
// second attempt may find the object of the first one and get 412. That counts as stored, and the
// caller reads the object back. A 412 on the first attempt means that the object belongs to another
// writer.
#include "mover/s3/bucket.h"

#include "base/hash.h"
#include "base/text.h"
#include "mover/s3/curl_library.h"
#include "mover/s3/url.h"

#include <fmt/format.h>

#include <chrono>
#include <thread>

namespace drydock::mover::s3 {
namespace {

constexpr int k_attempts = 5;
constexpr std::chrono::milliseconds k_first_pause{200};  // doubled after each attempt
constexpr std::size_t k_answer_bytes_max = 4U << 20U;    // of a list of 1000 objects, of an error
constexpr std::size_t k_code_bytes_max = 100;            // of a server's error code
constexpr long k_ok = 200;
constexpr long k_no_content = 204;
constexpr long k_not_found = 404;
constexpr long k_precondition_failed = 412;

// True for failures that may be temporary. An answer above the size limit is cut off by this
// program, so a retry gives the same.
bool can_retry(const HttpAnswer& answer) {
    constexpr long k_too_many = 429;
    constexpr long k_server_errors = 500;
    return !answer.is_too_large
           && (answer.status == 0 || answer.status == k_too_many
               || answer.status >= k_server_errors);
}

// Adds the digest of the body, which is a part of the signature. libcurl of Debian 12 signs
// requests, but does not compute this header.
void add_digest(HttpRequest& request) {
    request.headers.push_back("x-amz-content-sha256: " + sha256_hex(request.body));
}

struct SendResult {
    HttpAnswer answer;
    int attempts = 1;
};

Result<SendResult> send_with_retries(Connections& connections, HttpRequest request) {
    add_digest(request);
    SendResult sent;
    DRYDOCK_TRY_ASSIGN(sent.answer, connections.send(request));
    for (auto pause = k_first_pause; can_retry(sent.answer) && sent.attempts < k_attempts;
         pause *= 2) {
        std::this_thread::sleep_for(pause);
        ++sent.attempts;
        DRYDOCK_TRY_ASSIGN(sent.answer, connections.send(request));
    }
    return sent;
}

// Makes the error for an answer that the call does not expect. It shows the server's error code,
// cut to a length, and never the body: a proxy may answer with a page of HTML.
tl::unexpected<Error> refuse(const HttpRequest& request, const HttpAnswer& answer) {
    if (answer.status == 0) {
        return fail("s3.unreachable",
                    fmt::format("{} {}: {}", request.method, request.url, answer.problem),
                    "look at the endpoint and at the network",
                    ErrorClass::transient);
    }
    const std::string code = clip(error_code_of(answer.body), k_code_bytes_max);
    const std::string words = fmt::format("{} {}: the server says {}{}{}",
                                          request.method,
                                          request.url,
                                          answer.status,
                                          code.empty() ? "" : " ",
                                          code);
    constexpr long k_unauthorized = 401;
    constexpr long k_forbidden = 403;
    if (answer.status == k_unauthorized || answer.status == k_forbidden) {
        return fail("s3.denied", words, "look at the access key, the secret key and their rights");
    }
    return fail("s3.answer",
                words,
                "look at the server",
                can_retry(answer) ? ErrorClass::transient : ErrorClass::permanent);
}

tl::unexpected<Error> missing(const HttpRequest& request) {
    return fail("s3.missing", fmt::format("{}: there is no such object", request.url));
}

HttpRequest request_to(const BucketAddress& address, const char* method, std::string url) {
    HttpRequest request;
    request.method = method;
    request.url = std::move(url);
    request.signing = fmt::format("aws:amz:{}:s3", address.region);
    request.user = address.access_key + ":" + address.secret_key;
    request.answer_bytes_max = k_answer_bytes_max;
    return request;
}

}  // namespace

Bucket::Bucket(BucketAddress address)
    : address_(std::move(address))
    , connections_(std::make_unique<Connections>()) {
}

Bucket::~Bucket() = default;

std::string Bucket::url_of(const std::string& key) const {
    if (!address_.has_bucket_in_host) {
        return fmt::format("{}/{}/{}", address_.endpoint, address_.bucket, percent_encoded(key));
    }
    const auto host = address_.endpoint.find("://") + 3;
    return fmt::format("{}{}.{}/{}",
                       address_.endpoint.substr(0, host),
                       address_.bucket,
                       address_.endpoint.substr(host),
                       percent_encoded(key));
}

// The limit is at least 64 KiB, so that a full error answer can be read for a small object.
Result<std::string> Bucket::get(const std::string& key, std::size_t bytes_max) const {
    HttpRequest request = request_to(address_, "GET", url_of(key));
    request.answer_bytes_max = std::max(bytes_max, std::size_t{64} << 10U);
    DRYDOCK_TRY_ASSIGN(SendResult sent, send_with_retries(*connections_, request));
    HttpAnswer& answer = sent.answer;
    if (answer.status == k_not_found) {
        return missing(request);
    }
    if (answer.is_too_large || (answer.status == k_ok && answer.body.size() > bytes_max)) {
        return fail("s3.too_large",
                    fmt::format("{}: the object has more than {} bytes", request.url, bytes_max));
    }
    if (answer.status != k_ok) {
        return refuse(request, answer);
    }
    return std::move(answer.body);
}

Status Bucket::put(const std::string& key, std::string_view bytes) const {
    HttpRequest request = request_to(address_, "PUT", url_of(key));
    request.headers = {"Content-Type: application/octet-stream", "If-None-Match: *"};
    request.body = bytes;
    DRYDOCK_TRY_ASSIGN(const SendResult sent, send_with_retries(*connections_, request));
    if (sent.answer.status == k_precondition_failed && sent.attempts == 1) {
        return fail("s3.exists", fmt::format("{}: there is such an object", request.url));
    }
    // After a lost answer the object is that of this call; the caller's read proves it.
    const bool is_stored =
        sent.answer.status == k_ok || sent.answer.status == k_precondition_failed;
    return is_stored ? Status{} : refuse(request, sent.answer);
}

Result<std::optional<std::int64_t>> Bucket::bytes_of(const std::string& key) const {
    const HttpRequest request = request_to(address_, "HEAD", url_of(key));
    DRYDOCK_TRY_ASSIGN(const SendResult sent, send_with_retries(*connections_, request));
    if (sent.answer.status == k_not_found) {
        return std::nullopt;
    }
    if (sent.answer.status != k_ok) {
        return refuse(request, sent.answer);
    }
    return sent.answer.content_length;
}

Status Bucket::remove(const std::string& key) const {
    const HttpRequest request = request_to(address_, "DELETE", url_of(key));
    DRYDOCK_TRY_ASSIGN(const SendResult sent, send_with_retries(*connections_, request));
    const long status = sent.answer.status;
    return status == k_ok || status == k_no_content || status == k_not_found
               ? Status{}
               : refuse(request, sent.answer);
}

Result<ListPage> Bucket::list(const std::string& marker) const {
    std::string url = url_of("");
    // The parameters are sorted and encoded, because the signature covers them in that form.
    url += marker.empty() ? "?max-keys=1000"
                          : fmt::format("?marker={}&max-keys=1000", percent_encoded(marker));
    const HttpRequest request = request_to(address_, "GET", url);
    DRYDOCK_TRY_ASSIGN(const SendResult sent, send_with_retries(*connections_, request));
    if (sent.answer.status == k_not_found) {
        return missing(request);
    }
    if (sent.answer.status != k_ok) {
        return refuse(request, sent.answer);
    }
    return read_list(sent.answer.body);
}

}  // namespace drydock::mover::s3
