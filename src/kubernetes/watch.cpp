// Watches over the API: the request, and which of its events count.
#include "kubernetes/watch.h"

#include "base/text.h"
#include "kubernetes/read.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::kubernetes {
namespace {

constexpr std::int64_t k_second_ms = 1000;
// A server counts whole seconds, and may end a watch this much before ours are over.
constexpr std::int64_t k_early_ms_max = 2000;

std::string selectors_of(const Watched& watched) {
    std::string query;
    if (!watched.name.empty()) {
        query += "&fieldSelector=" + query_escape("metadata.name=" + watched.name);
    }
    if (!watched.labels.empty()) {
        query += "&labelSelector=" + query_escape(watched.labels);
    }
    return query;
}

std::string subject_of(const Watched& watched) {
    return "a watch of "
           + (watched.name.empty() ? watched.kind.text()
                                   : Object{watched.kind, watched.name}.text());
}

// What the lines of a watch said.
struct Heard {
    bool is_event = false;
    Json problem;  // the Status object of an error; null: none

    // A bookmark tells that nothing has changed. Returns whether more is to be heard.
    bool take(const Json& line) {
        const std::string& type = line["type"].as_string();
        problem = type == "ERROR" ? line["object"] : Json();
        is_event = type == "ADDED" || type == "MODIFIED" || type == "DELETED";
        return problem.is_null() && !is_event;
    }
};

Error error_of_event(const Json& problem, const std::string& subject) {
    const bool is_expired = problem["code"].as_int() == 410;
    return {is_expired ? "kubernetes.expired" : "kubernetes.watch_ended",
            fmt::format("{}: {}", subject, clip(problem["message"].as_string(), 200)),
            "",
            ErrorClass::transient};
}

}  // namespace

Result<std::string> version_of(Client& client, const Watched& watched, const Effort& effort) {
    DRYDOCK_TRY_ASSIGN(std::string path, path_of(watched.kind));
    path += "?limit=1" + selectors_of(watched);
    const Answer answer = client.get(path, effort.request_ms());
    if (answer.kind != AnswerKind::done) {
        return tl::unexpected(error_of_read(answer, subject_of(watched)));
    }
    return answer.body["metadata"]["resourceVersion"].as_string();
}

Result<bool> wait_for_event(Client& client,
                            const Watched& watched,
                            const std::string& version,
                            const Effort& effort) {
    DRYDOCK_TRY_ASSIGN(std::string path, path_of(watched.kind));
    path += fmt::format("?watch=true&allowWatchBookmarks=true&resourceVersion={}&timeoutSeconds={}",
                        query_escape(version),
                        std::max<std::int64_t>(effort.left_ms() / k_second_ms, 1));
    Heard heard;
    const Answer answer = client.follow(path + selectors_of(watched),
                                        effort.left_ms(),
                                        [&](const Json& line) { return heard.take(line); });
    if (!heard.problem.is_null()) {
        return tl::unexpected(error_of_event(heard.problem, subject_of(watched)));
    }
    if (heard.is_event || effort.is_over()) {
        return heard.is_event;
    }
    if (answer.kind != AnswerKind::done) {
        return tl::unexpected(error_of_read(answer, subject_of(watched)));
    }
    if (effort.left_ms() > k_early_ms_max) {
        return fail("kubernetes.watch_ended",
                    subject_of(watched) + ": the server ended it",
                    "",
                    ErrorClass::transient);
    }
    return false;
}

}  // namespace drydock::kubernetes
