// Kubernetes in packs. What these checks refuse is what has gone wrong before: a command on
// whatever context was current, a deletion by label, a patch by index on another list.
#include "pack/read_kubernetes.h"

#include "pack/value_schema.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::pack {
namespace {

void check_access(const Node& node, Diagnostics& diagnostics) {
    const bool has_file = node.has("kubeconfig");
    if (has_file == node.has("proxy")) {
        diagnostics.error("kubernetes.access",
                          node.position,
                          has_file ? "both `kubeconfig` and `proxy`"
                                   : "which API server is meant is not said",
                          "give either `kubeconfig` with `context`, or `proxy`");
    } else if (has_file && !node.has("context")) {
        diagnostics.error(
            "kubernetes.context",
            node["kubeconfig"].position,
            "a `kubeconfig` without `context`",
            "name the context: the current one is whatever somebody switched to last");
    } else if (!has_file && node.has("context")) {
        diagnostics.error("kubernetes.context",
                          node["context"].position,
                          "a proxy has one context: its own",
                          "remove `context`");
    }
}

void check_operation(const Node& operation, Diagnostics& diagnostics) {
    const std::string op = text_of(operation["op"]);
    const std::string path = text_of(operation["path"]);
    if (!path.empty() && !path.starts_with('/')) {
        diagnostics.error("kubernetes.patch",
                          operation["path"].position,
                          fmt::format("`{}` is no JSON pointer", path),
                          "begin it with `/`");
    }
    if (operation.has("value") == (op == "remove")) {
        diagnostics.error("kubernetes.patch",
                          operation.position,
                          op == "remove" ? "`remove` with a value"
                                         : fmt::format("`{}` without a value", op),
                          op == "remove" ? "take the value away; `test` it before" : "add `value`");
    }
}

void check_patch(const Node& patch, Diagnostics& diagnostics) {
    bool changes = false;
    for (const Entry& operation : patch.entries) {
        check_operation(operation.value, diagnostics);
        changes = changes || text_of(operation.value["op"]) != "test";
    }
    if (patch.kind == Node::Kind::list && !changes) {
        diagnostics.error("kubernetes.patch",
                          patch.position,
                          "a patch that only tests changes nothing",
                          "use a probe, or add an operation");
    }
}

// Objects are named one by one: what a label selects changes between a look and a deletion.
void check_change(const Node& node, const Node& change, Diagnostics& diagnostics) {
    const bool creates = change.has("create");
    if (creates == node.has("name")) {
        diagnostics.error("kubernetes.name",
                          creates ? node["name"].position : node.position,
                          creates ? "`create` with a `name`" : "no `name`: one object is changed",
                          creates ? "the manifest has the name" : "add `name`");
    }
    if (creates && !change["create"]["metadata"].has("name")) {
        diagnostics.error("kubernetes.name",
                          change["create"].position,
                          "the manifest has no name",
                          "write `metadata: {name: ...}`");
    }
    check_patch(change["patch"], diagnostics);
}

}  // namespace

void check_kubernetes_probe(const Node& node, Diagnostics& diagnostics) {
    check_access(node, diagnostics);
    if (node.has("dry_run")) {
        return check_change(node, node["dry_run"], diagnostics);
    }
    const bool lists = !node.has("name") && !node.has("may");
    if (node.has("labels") && !lists) {
        diagnostics.error("kubernetes.name",
                          node["labels"].position,
                          "`labels` select from a list, and this asks about one object",
                          "remove `labels` or `name`");
    }
    if (node.has("count") && !lists) {
        diagnostics.error("kubernetes.name",
                          node["count"].position,
                          "`count` of one object",
                          "remove `name`, or ask for `pointer: /metadata/uid`");
    }
}

void check_kubernetes_request(const Node& node, Diagnostics& diagnostics) {
    check_access(node, diagnostics);
    check_change(node, node, diagnostics);
    if (node.has("uid") && !node.has("patch") && !node.has("scale")) {
        diagnostics.error("kubernetes.name",
                          node["uid"].position,
                          "`uid` is for `patch` and `scale`",
                          "`delete` has a uid of its own, and what is created has none yet");
    }
}

Json kubernetes_request_of(const Node& node) {
    return to_json(node).set("kind", "kubernetes");
}

}  // namespace drydock::pack
