// Start here: Access says which API server is meant, an Endpoint how it is reached. Then client.h
// (requests and typed answers), object.h (what is asked about), read.h, watch.h, json_patch.h and
// change.h.
//
// A kubeconfig is read with a context that is always named: its current context is whatever a
// person switched to last. What would need a program (an exec plugin) or would weaken TLS is
// refused, and the remedy is `kubectl proxy`, which knows all of it. Files of keys, tokens and
// authorities may be given by path or in place.
#pragma once

#include "base/result.h"

#include <string>
#include <string_view>

namespace drydock::kubernetes {

// Either a kubeconfig and the name of a context in it, or the proxy.
struct Access {
    std::string kubeconfig;  // path
    std::string context;
    std::string proxy;  // "unix:///PATH" or "http://127.0.0.1:PORT" of `kubectl proxy`

    bool operator==(const Access&) const = default;
};

// Content that stands in the kubeconfig itself, or the path of the file that holds it.
struct Material {
    std::string path;
    std::string content;  // PEM

    [[nodiscard]] bool is_given() const { return !path.empty() || !content.empty(); }
};

// Holds secrets: never shown, never logged.
struct Endpoint {
    std::string url;     // scheme, host and port, without a slash at the end
    std::string socket;  // path of a Unix socket; empty: none
    std::string token;   // bearer token; empty: none
    Material authority;  // not given: the system's
    Material certificate;
    Material key;
};

// Reads the file that `access` names. Errors: "kubernetes.access" (what is missing or contradictory
// in `access`), "kubernetes.kubeconfig" (the file, at its line), "os.missing".
[[nodiscard]] Result<Endpoint> find_endpoint(const Access& access);

// The same from the text of a kubeconfig. Relative paths in it are those of the folder of `path`.
[[nodiscard]] Result<Endpoint>
read_kubeconfig(std::string_view text, const std::string& path, const std::string& context);

}  // namespace drydock::kubernetes
