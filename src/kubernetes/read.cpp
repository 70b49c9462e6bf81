// Reads over the API. A read that failed on its way is repeated: reading changes nothing.
#include "kubernetes/read.h"

#include <fmt/format.h>

namespace drydock::kubernetes {
namespace {

constexpr int k_page_items = 100;  // a page must stay below the 4 MiB of an answer
constexpr std::size_t k_items_max = 20'000;
constexpr int k_lists_max = 5;  // a list that expires between its pages is begun anew so often
constexpr std::int64_t k_pause_ms = 200;

bool is_worth_repeating(AnswerKind kind) {
    return kind == AnswerKind::unknown || kind == AnswerKind::not_sent
           || kind == AnswerKind::try_later;
}

// Reads until there is a definite answer or the effort is over.
Answer read_path(Client& client, const std::string& path, const Effort& effort) {
    Answer answer = client.get(path, effort.request_ms());
    while (is_worth_repeating(answer.kind) && effort.pause(k_pause_ms)) {
        answer = client.get(path, effort.request_ms());
    }
    return answer;
}

tl::unexpected<Error> no_success(const Answer& answer, const std::string& subject) {
    return tl::unexpected(error_of_read(answer, subject));
}

Status check_namespace(Client& client, const std::string& name_space, const Effort& effort) {
    const Answer answer = read_path(client, "/api/v1/namespaces/" + name_space, effort);
    if (answer.kind == AnswerKind::done) {
        return {};
    }
    if (answer.kind == AnswerKind::not_found) {
        return fail("kubernetes.no_namespace",
                    fmt::format("there is no namespace {}: every list in it is empty", name_space),
                    "correct the namespace");
    }
    return no_success(answer, fmt::format("namespaces/{}, whose list is empty", name_space));
}

// Appends one page to the items. Returns the token of the next page; empty: it was the last.
std::string take_page(const Json& page, Json& items) {
    for (const Json& item : page["items"].items()) {
        items.push(item);
    }
    return page["metadata"]["continue"].as_string();
}

// Reads all pages. Returns an answer of kind `expired` if the store was compacted in between.
Answer read_pages(Client& client, const std::string& path, Json& items, const Effort& effort) {
    Answer answer = read_path(client, path, effort);
    while (answer.kind == AnswerKind::done) {
        const std::string next = take_page(answer.body, items);
        if (next.empty() || items.items().size() > k_items_max) {
            break;
        }
        answer = read_path(client, path + "&continue=" + query_escape(next), effort);
    }
    return answer;
}

}  // namespace

Error error_of_read(const Answer& answer, const std::string& subject) {
    Error error = error_of(answer, subject);
    if (answer.kind == AnswerKind::unknown) {
        error.code = "kubernetes.no_answer";
        error.remedy = "see that the API server and its etcd run";
        error.kind = ErrorClass::transient;
    }
    return error;
}

Result<Json> read_object(Client& client, const Object& object, const Effort& effort) {
    DRYDOCK_TRY_ASSIGN(const std::string path, path_of(object));
    Answer answer = read_path(client, path, effort);
    if (answer.kind != AnswerKind::done) {
        return no_success(answer, object.text());
    }
    return std::move(answer.body);
}

Result<Json> list_objects(Client& client,
                          const Resource& kind,
                          const std::string& labels,
                          const Effort& effort) {
    DRYDOCK_TRY_ASSIGN(std::string path, path_of(kind));
    path += fmt::format("?limit={}", k_page_items);
    path += labels.empty() ? "" : "&labelSelector=" + query_escape(labels);
    Json items{Json::Array{}};
    Answer answer = read_pages(client, path, items, effort);
    for (int lists = 1; answer.kind == AnswerKind::expired && lists < k_lists_max; ++lists) {
        items = Json(Json::Array{});
        answer = read_pages(client, path, items, effort);
    }
    if (answer.kind != AnswerKind::done) {
        return no_success(answer, kind.text());
    }
    if (items.items().size() > k_items_max) {
        return fail("kubernetes.too_many",
                    fmt::format("{}: more than {}", kind.text(), k_items_max),
                    "name a namespace or a label");
    }
    if (items.items().empty() && kind.name_space) {
        DRYDOCK_TRY(check_namespace(client, *kind.name_space, effort));
    }
    return Json()
        .set("items", std::move(items))
        .set("resourceVersion", answer.body["metadata"]["resourceVersion"]);
}

Result<bool> may(Client& client, const Permission& permission, const Effort& effort) {
    DRYDOCK_TRY_ASSIGN(const ResourceParts parts, parts_of(permission.kind.resource));
    Json attributes;
    attributes.set("verb", permission.verb)
        .set("group", parts.group)
        .set("version", parts.version)
        .set("resource", parts.plural);
    const std::pair<const char*, std::string> rest[] = {
        {"namespace", permission.kind.name_space.value_or("")},
        {"subresource", permission.subresource},
        {"name", permission.name}};
    for (const auto& [key, value] : rest) {
        if (!value.empty()) {
            attributes.set(key, value);
        }
    }
    Request request;
    request.method = "POST";
    request.path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    request.body.set("apiVersion", "authorization.k8s.io/v1")
        .set("kind", "SelfSubjectAccessReview")
        .set("spec", Json().set("resourceAttributes", std::move(attributes)));
    const Answer answer = client.send(request, effort.request_ms());
    const Json& allowed = answer.body["status"]["allowed"];
    if (answer.kind != AnswerKind::done) {
        return no_success(
            answer, fmt::format("the right to {} {}", permission.verb, permission.kind.text()));
    }
    return allowed.as_bool();
}

}  // namespace drydock::kubernetes
