// The action `kubernetes`: {kubeconfig, context | proxy, namespace, resource, name, uid, and one of
// patch, scale, create, delete; timeout_ms}.
//
// What is done and how its end is found is in src/kubernetes/change.h. Here an end becomes an
// outcome.
#include "agent/action.h"
#include "agent/action_key.h"
#include "agent/attempt.h"
#include "agent/kubernetes_request.h"
#include "os/clock.h"

#include <fmt/format.h>

namespace drydock::agent {
namespace {

constexpr std::int64_t k_timeout_ms = 60'000;  // when the request names none
// The action ends by itself before its conductor gives it up.
constexpr std::int64_t k_last_words_ms = 500;

std::int64_t time_of(const Json& request) {
    const std::int64_t given_ms = request["timeout_ms"].as_int(k_timeout_ms);
    return std::max<std::int64_t>(given_ms - k_last_words_ms, given_ms / 2);
}

ActionResult to_result(kubernetes::Change change) {
    Json evidence = std::move(change.evidence);
    if (change.error) {
        change.error->message = to_utf8(change.error->message);
    }
    switch (change.end) {
    case kubernetes::ChangeEnd::changed:
    case kubernetes::ChangeEnd::unchanged:
        evidence.set("changed", change.end == kubernetes::ChangeEnd::changed);
        return {Outcome::done, std::move(evidence)};
    case kubernetes::ChangeEnd::refused:
        return failed(std::move(*change.error), std::move(evidence));
    case kubernetes::ChangeEnd::unknown:
        break;
    }
    return unknown(std::move(*change.error), std::move(evidence));
}

ActionWait to_wait(const kubernetes::Wait& wait) {
    const std::int64_t now_ms = os::RealClock().wall_ms();
    return {wait.subject, now_ms, now_ms + wait.left_ms, wait.remedy};
}

}  // namespace

ActionResult run_kubernetes_action(const Json& request, const ActionContext& context) {
    const auto client = kubernetes::Client::open(read_access(request), context.hide);
    if (!client) {
        return failed(client.error());
    }
    const auto tell = [&context](std::string_view line) {
        static_cast<void>(context.output(line));  // it is kept in the attempt's folder
    };
    const auto report_wait = [&context](const std::optional<kubernetes::Wait>& wait) {
        write_wait(context.folder, wait ? std::optional(to_wait(*wait)) : std::nullopt);
    };
    const auto is_cancelled = [&context] { return context.cancelled && context.cancelled(); };
    const kubernetes::Effort effort(
        time_of(request),
        is_cancelled,
        context.output ? std::function<void(std::string_view)>(tell) : [](std::string_view) {},
        report_wait);
    return to_result(change_kubernetes(**client, request, false, effort));
}

}  // namespace drydock::agent
