// The probe `http`: one exchange for all probes of a set with the same request.
//
// The status decides before the body: absent_status, then status_map, then 2xx with a body to
// extract from. A refused connection is absent, since no server runs there; all other failures are
// unknown.
#include "agent/action_key.h"
#include "agent/http_request.h"
#include "agent/probe.h"

#include <fmt/format.h>

namespace drydock::agent {
namespace {

bool lists(const Json& codes, int status) {
    return std::find(codes.items().begin(), codes.items().end(), Json(status))
           != codes.items().end();
}

ProbeResult result_of(const Json& probe, const http::HttpAnswer& answer) {
    if (lists(probe["absent_status"], answer.status)) {
        return absent(fmt::format("status {}", answer.status));
    }
    if (const auto& map = probe["status_map"]; map.is_object()) {
        const std::string status = std::to_string(answer.status);
        return map.contains(status) ? known(map[status])
                                    : cannot_tell(fmt::format("status {}", status));
    }
    if (answer.status < 200 || answer.status > 299) {
        ProbeResult finding = cannot_tell(fmt::format("status {}", answer.status));
        finding.evidence.set("read", to_utf8(std::string_view(answer.body).substr(0, 200)));
        return finding;
    }
    return extract(probe, answer.body);
}

}  // namespace

std::vector<ProbeResult> probe_http(const std::vector<Json>& probes, std::int64_t timeout_ms) {
    const auto request = read_http_request(probes.front(), timeout_ms);
    const auto answer = http::send_http(request);
    std::vector<ProbeResult> findings;
    for (const auto& probe : probes) {
        ProbeResult finding = answer ? result_of(probe, *answer)
                              : answer.error().failure == http::HttpFailure::refused
                                  ? absent("nobody listens there: " + answer.error().message)
                                  : cannot_tell(answer.error().message);
        finding.evidence.set("source", fmt::format("{} {}", request.method, request.url));
        if (answer) {
            finding.evidence.set("http_status", answer->status);
        }
        findings.push_back(std::move(finding));
    }
    return findings;
}

}  // namespace drydock::agent
