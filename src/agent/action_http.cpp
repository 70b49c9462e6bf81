// The action `http`: {method, url, headers, body, timeout_ms, expect: [200]}.
//
// A request that was never sent has failed. A request that was sent and got no whole answer, or a
// 5xx, may have had its effect: its outcome is unknown.
#include "agent/action.h"
#include "agent/action_key.h"
#include "agent/http_request.h"

#include <fmt/format.h>

namespace drydock::agent {
namespace {

constexpr std::size_t k_head_bytes = 2048;
constexpr std::int64_t k_timeout_ms = 10'000;  // when the request names none

bool is_expected(const Json& request, int status) {
    const auto& codes = request["expect"].items();
    return codes.empty() ? status == 200
                         : std::find(codes.begin(), codes.end(), Json(status)) != codes.end();
}

}  // namespace

ActionResult run_http_action(const Json& request, const ActionContext& context) {
    const auto http = read_http_request(request, request["timeout_ms"].as_int(k_timeout_ms));
    const auto answer = http::send_http(http);
    if (!answer && answer.error().failure == http::HttpFailure::lost) {
        return unknown({"http.no_answer", answer.error().message, "look whether it happened"});
    }
    if (!answer) {
        return failed({"http.not_sent", answer.error().message, "see that the server listens"});
    }
    Json evidence;
    evidence.set("status", answer->status);
    evidence.set("body_head",
                 to_utf8(std::string_view(context.hide(answer->body)).substr(0, k_head_bytes)));
    if (is_expected(request, answer->status)) {
        return {Outcome::done, std::move(evidence)};
    }
    Error error{"http.status",
                fmt::format("{} {}: status {}", http.method, http.url, answer->status),
                "its body is in the evidence"};
    return answer->status >= 500 ? unknown(std::move(error), std::move(evidence))
                                 : failed(std::move(error), std::move(evidence));
}

}  // namespace drydock::agent
