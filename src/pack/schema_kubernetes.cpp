// The schemas of the probe and of the request `kubernetes`.
//
// Both say first which server is meant and which objects. What a table cannot express, such as a
// kubeconfig without a context, is checked in read_kubernetes.cpp.
#include "pack/schemas.h"

namespace drydock::pack {

namespace {

std::vector<Field> address_fields() {
    return {
        optional("kubeconfig", text(), "the file, with `context`", "\"${kubeconfig}\""),
        optional("context", text(), "the context in it; never the current one", "\"${context}\""),
        optional("proxy",
                 text(),
                 "in place of both: where `kubectl proxy` listens",
                 "\"unix:///run/proxy.sock\""),
        optional("namespace",
                 text(),
                 "of the objects; left out for kinds without, or for a list of all",
                 "\"${namespace}\""),
        required("resource",
                 text(),
                 "the kind of objects: [GROUP/VERSION/]PLURAL",
                 "apps/v1/deployments"),
        optional("name", text(), "of one object", "pachd"),
    };
}

Schema operation() {
    return table({
        required("op", choice({"test", "replace", "add", "remove"}), "what it does", "replace"),
        required("path",
                 text(),
                 "JSON pointer; [KEY=VALUE] in it is the item of a list with this key",
                 "\"/spec/ports/[name=api]/nodePort\""),
        optional("value", any(), "the value; none for remove", "30649"),
    });
}

// One key for each change. The same table says what a dry run is of.
std::vector<Field> change_fields() {
    return {
        optional("patch",
                 list_of(operation()),
                 "changes it, if all its tests hold, and else not at all",
                 "[{op: replace, path: /spec/type, value: NodePort}]"),
        optional("scale", either(integer(), text()), "sets its number of replicas", "0"),
        optional("create", any(), "makes the object of this manifest", "{kind: Service}"),
        optional("delete",
                 table({
                     required("uid", text(), "the uid of the object", "\"${fact.pachd_uid}\""),
                     optional("propagation",
                              choice({"Background", "Foreground", "Orphan"}),
                              "what becomes of its dependents; the kind's own if not given",
                              "Foreground"),
                 }),
                 "deletes this one object, and waits until it is gone",
                 "{uid: \"${fact.pachd_uid}\"}"),
    };
}

const std::vector<std::string>& changes() {
    static const std::vector<std::string> keys = {"patch", "scale", "create", "delete"};
    return keys;
}

}  // namespace

// Exactly one key says what is asked.
Schema kubernetes_probe() {
    std::vector<Field> fields = address_fields();
    const std::vector<Field> own = {
        optional("labels", text(), "of a list: the label selector", "\"suite=pachyderm\""),
        optional("pointer", text(), "JSON pointer of the value; a list has /items", "/spec/type"),
        optional("pointers", list_of(text()), "the list of these values", "[/a, /b]"),
        optional("equal",
                 list_of(text()),
                 "true if these two are equal",
                 "[/metadata/generation, /status/observedGeneration]"),
        optional("collect",
                 table({required("list", text(), "JSON pointer of a list", "/items"),
                        optional("each", text(), "pointer within each item", "/metadata/name")}),
                 "the sorted list of one value of each item",
                 "{list: /items, each: /metadata/name}"),
        optional("count", boolean(), "how many objects there are", "true"),
        optional("missing", any(), "the value if the pointer leads nowhere", "0"),
        optional("may", one_or_more(text()), "true if all these verbs are allowed", "[get, patch]"),
        optional("subresource", text(), "may: a part of the object", "scale"),
        optional("dry_run",
                 table(change_fields(), changes()),
                 "true if the server would accept this change",
                 "{scale: 0}"),
        optional("deadline", duration(), "give up after; before `within`", "2s"),
    };
    fields.insert(fields.end(), own.begin(), own.end());
    return table(std::move(fields),
                 {"pointer", "pointers", "equal", "collect", "count", "may", "dry_run"});
}

Schema kubernetes_request() {
    std::vector<Field> fields = address_fields();
    fields.push_back(
        optional("uid", text(), "patch, scale: the object must have it", "\"${fact.pachd_uid}\""));
    for (Field& field : change_fields()) {
        fields.push_back(std::move(field));
    }
    return table(std::move(fields), changes());
}

}  // namespace drydock::pack
