// Translates requests of plans into calls of the Kubernetes client.
#include "agent/kubernetes_request.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace drydock::agent {
namespace {

using kubernetes::Change;
using kubernetes::ChangeEnd;

// Values of a plan that come out of ${names} are texts.
std::optional<std::int64_t> read_count(const Json& value) {
    if (value.is_integer()) {
        return value.as_int() >= 0 ? std::optional(value.as_int()) : std::nullopt;
    }
    const std::string& text = value.as_string();
    std::int64_t number = -1;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool whole = read.ec == std::errc() && read.ptr == text.data() + text.size();
    return whole && number >= 0 ? std::optional(number) : std::nullopt;
}

Change bad_request(std::string message) {
    return {ChangeEnd::refused, Error{"agent.bad_request", std::move(message), "", {}}};
}

}  // namespace

kubernetes::Access read_access(const Json& request) {
    return {request["kubeconfig"].as_string(),
            request["context"].as_string(),
            request["proxy"].as_string()};
}

kubernetes::Resource read_resource(const Json& request) {
    kubernetes::Resource resource{request["resource"].as_string(), {}};
    if (request.contains("namespace")) {
        resource.name_space = request["namespace"].as_string();
    }
    return resource;
}

kubernetes::Object read_object_name(const Json& request) {
    return {read_resource(request), request["name"].as_string()};
}

Change change_kubernetes(kubernetes::Client& client,
                         const Json& request,
                         bool dry_run,
                         const kubernetes::Effort& effort) {
    kubernetes::ChangeOptions options{request["uid"].as_string(), dry_run};
    const kubernetes::Object object = read_object_name(request);
    if (request.contains("patch")) {
        return kubernetes::patch_object(client, object, request["patch"], options, effort);
    }
    if (request.contains("scale")) {
        const auto replicas = read_count(request["scale"]);
        return replicas ? kubernetes::scale_object(client, object, *replicas, options, effort)
                        : bad_request(fmt::format("`{}` is no number of replicas",
                                                  request["scale"].show()));
    }
    if (request.contains("create")) {
        return kubernetes::create_object(client, object.kind, request["create"], options, effort);
    }
    if (request.contains("delete")) {
        options.uid = request["delete"]["uid"].as_string();
        const std::string& propagation = request["delete"]["propagation"].as_string();
        return kubernetes::delete_object(client, object, propagation, options, effort);
    }
    return bad_request("a request to Kubernetes that changes nothing");
}

}  // namespace drydock::agent
