// Reads kubeconfigs: a context names a cluster and a user, which are looked up by name.
//
// Keys that change who speaks, or to whom, and that this client does not know, are refused. To pass
// over one of them would send a token to another server than kubectl does.
#include "kubernetes/access.h"

#include "base/text.h"
#include "os/files.h"
#include "pack/yaml.h"

#include <fmt/format.h>

namespace drydock::kubernetes {
namespace {

using pack::Node;

constexpr std::size_t k_kubeconfig_bytes_max = 1U << 20U;  // as pack/yaml.h takes it
constexpr std::size_t k_token_bytes_max = 64U << 10U;
constexpr const char* k_proxy_remedy =
    "run `kubectl proxy --unix-socket=PATH --context CONTEXT` beside the agent, and give "
    "`proxy: unix://PATH` in place of the kubeconfig";

tl::unexpected<Error> refuse(const std::string& message, std::string remedy) {
    return fail("kubernetes.kubeconfig", message, std::move(remedy));
}

std::string text_at(const Node& node, std::string_view key) {
    return node[key].scalar;
}

class KubeconfigReader {
public:
    KubeconfigReader(const Node& document, const std::string& path)
        : document_(document)
        , path_(path) {}

    Result<Endpoint> read(const std::string& context_name) {
        DRYDOCK_TRY_ASSIGN(const Node* context, find("contexts", "context", context_name));
        DRYDOCK_TRY_ASSIGN(const Node* cluster,
                           find("clusters", "cluster", text_at(*context, "cluster")));
        Endpoint endpoint;
        DRYDOCK_TRY(read_cluster(*cluster, endpoint));
        if (const std::string user_name = text_at(*context, "user"); !user_name.empty()) {
            DRYDOCK_TRY_ASSIGN(const Node* user, find("users", "user", user_name));
            DRYDOCK_TRY(read_user(*user, endpoint));
        }
        DRYDOCK_TRY(check_secrecy(endpoint));
        return endpoint;
    }

private:
    // Finds {name, KEY} in a list by its name.
    Result<const Node*> find(std::string_view list, std::string_view key, const std::string& name) {
        std::vector<std::string> names;
        for (const pack::Entry& entry : document_[list].entries) {
            if (text_at(entry.value, "name") == name) {
                return &entry.value[key];
            }
            names.push_back(text_at(entry.value, "name"));
        }
        return refuse(fmt::format("{} has no {} `{}`", path_, key, name),
                      names.empty() ? fmt::format("it has none at all")
                                    : fmt::format("it has: {}", join(names, ", ")));
    }

    // True if the key is there and says something.
    static bool says(const Node& node, std::string_view key) {
        const Node& value = node[key];
        return value.kind == Node::Kind::map || value.kind == Node::Kind::list
               || (value.kind == Node::Kind::scalar && !value.scalar.empty()
                   && value.scalar != "false");
    }

    Status refuse_keys(const Node& node, std::initializer_list<std::string_view> keys) {
        for (const std::string_view key : keys) {
            if (says(node, key)) {
                return refuse(
                    fmt::format("{}: `{}` is not supported", node[key].position.text(), key),
                    k_proxy_remedy);
            }
        }
        return {};
    }

    Status read_cluster(const Node& cluster, Endpoint& endpoint) {
        DRYDOCK_TRY(
            refuse_keys(cluster, {"insecure-skip-tls-verify", "tls-server-name", "proxy-url"}));
        endpoint.url = text_at(cluster, "server");
        while (endpoint.url.ends_with('/')) {
            endpoint.url.pop_back();
        }
        if (!endpoint.url.starts_with("https://") && !endpoint.url.starts_with("http://")) {
            return refuse(fmt::format("{}: the cluster has no usable `server`", path_),
                          "write `server: https://HOST:PORT`");
        }
        DRYDOCK_TRY_ASSIGN(endpoint.authority, material(cluster, "certificate-authority"));
        return {};
    }

    Status read_user(const Node& user, Endpoint& endpoint) {
        DRYDOCK_TRY(refuse_keys(user,
                                {"exec",
                                 "auth-provider",
                                 "username",
                                 "password",
                                 "as",
                                 "as-uid",
                                 "as-groups",
                                 "as-user-extra"}));
        DRYDOCK_TRY_ASSIGN(endpoint.certificate, material(user, "client-certificate"));
        DRYDOCK_TRY_ASSIGN(endpoint.key, material(user, "client-key"));
        if (endpoint.certificate.is_given() != endpoint.key.is_given()) {
            return refuse(fmt::format("{}: a client certificate without its key, or a key without "
                                      "its certificate",
                                      path_),
                          "give `client-certificate` and `client-key`");
        }
        // kubectl prefers the file, which is renewed while the text stays.
        endpoint.token = text_at(user, "token");
        if (const std::string file = text_at(user, "tokenFile"); !file.empty()) {
            DRYDOCK_TRY_ASSIGN(const std::string token,
                               os::read_file(absolute(file), k_token_bytes_max));
            endpoint.token = trim(token);
        }
        return {};
    }

    Status check_secrecy(const Endpoint& endpoint) {
        const bool has_secret = !endpoint.token.empty() || endpoint.key.is_given();
        if (has_secret && !endpoint.url.starts_with("https://")) {
            return refuse(fmt::format("{}: the server is no https:// one, and the token or key "
                                      "would go out in clear",
                                      path_),
                          "write `server: https://HOST:PORT`");
        }
        return {};
    }

    // KEY is a path, and KEY-data the content in base64. As in kubectl, the content wins.
    Result<Material> material(const Node& node, const std::string& key) {
        const std::string data = text_at(node, key + "-data");
        if (!data.empty()) {
            auto content = base64_decode(data);
            if (!content) {
                return refuse(fmt::format("{}: `{}-data` is no base64", path_, key),
                              "write it anew with `kubectl config set-cluster --embed-certs` or "
                              "`set-credentials --embed-certs`");
            }
            return Material{{}, *content};
        }
        const std::string file = text_at(node, key);
        return file.empty() ? Material{} : Material{absolute(file), {}};
    }

    [[nodiscard]] std::string absolute(const std::string& file) const {
        return file.starts_with('/') ? file : os::folder_of(path_) + "/" + file;
    }

    const Node& document_;
    const std::string& path_;
};

Result<Endpoint> find_proxy(const std::string& proxy) {
    constexpr std::string_view k_unix = "unix://";
    Endpoint endpoint;
    if (proxy.starts_with(std::string(k_unix) + "/")) {
        endpoint.socket = proxy.substr(k_unix.size());
        endpoint.url = "http://localhost";
        return endpoint;
    }
    const bool is_loopback = proxy.starts_with("http://127.0.0.1:")
                             || proxy.starts_with("http://[::1]:")
                             || proxy.starts_with("http://localhost:");
    if (!is_loopback) {
        return fail("kubernetes.access",
                    fmt::format("`{}` is no proxy on this host", proxy),
                    "write `unix:///PATH`, or `http://127.0.0.1:PORT`");
    }
    endpoint.url = proxy.ends_with('/') ? proxy.substr(0, proxy.size() - 1) : proxy;
    return endpoint;
}

}  // namespace

Result<Endpoint>
read_kubeconfig(std::string_view text, const std::string& path, const std::string& context) {
    Diagnostics diagnostics;
    const auto documents = pack::parse_yaml(text, path, false, diagnostics);
    if (documents.empty() || diagnostics.has_errors()) {
        return refuse(fmt::format("{} is no kubeconfig", path),
                      diagnostics.all().empty() ? "it is empty"
                                                : diagnostics.all().front().summary);
    }
    return KubeconfigReader(documents.front(), path).read(context);
}

Result<Endpoint> find_endpoint(const Access& access) {
    if (access.kubeconfig.empty() == access.proxy.empty()) {
        return fail("kubernetes.access",
                    "which API server is meant is not clear",
                    "give either `kubeconfig` with `context`, or `proxy`");
    }
    if (!access.proxy.empty()) {
        return find_proxy(access.proxy);
    }
    if (access.context.empty()) {
        return fail("kubernetes.access",
                    fmt::format("no `context` of {} is named", access.kubeconfig),
                    "name it: the current context is whatever somebody switched to last");
    }
    DRYDOCK_TRY_ASSIGN(const std::string text,
                       os::read_file(access.kubeconfig, k_kubeconfig_bytes_max));
    return read_kubeconfig(text, access.kubeconfig, access.context);
}

}  // namespace drydock::kubernetes
