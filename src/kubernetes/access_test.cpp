// Kubeconfigs: the context that is named, what is refused, and where files are looked for.
#include "base/text.h"
#include "kubernetes/access.h"

#include <gtest/gtest.h>

namespace drydock::kubernetes {
namespace {

constexpr const char* k_clusters = R"(apiVersion: v1
kind: Config
current-context: other
contexts:
- {name: old, context: {cluster: a, user: token, namespace: ignored}}
- {name: other, context: {cluster: b, user: certificate}}
- {name: clear, context: {cluster: clear, user: token}}
- {name: plugin, context: {cluster: a, user: plugin}}
- {name: dangling, context: {cluster: a, user: nobody}}
- {name: unchecked, context: {cluster: unchecked, user: token}}
- {name: half, context: {cluster: a, user: half}}
clusters:
- {name: a, cluster: {server: "https://a.example:6443/", certificate-authority: pki/ca.crt}}
- {name: b, cluster: {server: "https://b.example", certificate-authority-data: "UEVNIENB"}}
- {name: clear, cluster: {server: "http://c.example"}}
- {name: unchecked, cluster: {server: "https://d.example", insecure-skip-tls-verify: true}}
users:
- {name: token, user: {token: "the-token"}}
- {name: certificate, user: {client-certificate: /pki/me.crt, client-key-data: "S0VZ"}}
- {name: half, user: {client-certificate: /pki/me.crt}}
- name: plugin
  user:
    exec: {apiVersion: client.authentication.k8s.io/v1, command: cloud-cli}
)";

Result<Endpoint> read(const std::string& context) {
    return read_kubeconfig(k_clusters, "/etc/kube/config", context);
}

TEST(Kubeconfig, gives_the_context_that_is_named) {
    const auto old = read("old");
    ASSERT_TRUE(old) << old.error().text();
    EXPECT_EQ(old->url, "https://a.example:6443");
    EXPECT_EQ(old->token, "the-token");
    EXPECT_EQ(old->authority.path, "/etc/kube/pki/ca.crt");
    const auto other = read("other");
    ASSERT_TRUE(other) << other.error().text();
    EXPECT_EQ(other->authority.content, "PEM CA");
    EXPECT_EQ(other->certificate.path, "/pki/me.crt");
    EXPECT_EQ(other->key.content, "KEY");
    EXPECT_EQ(other->token, "");
}

// Returns the error's text; it must never show a secret.
std::string problem(const Result<Endpoint>& endpoint) {
    EXPECT_FALSE(endpoint);
    const std::string text = endpoint ? "" : endpoint.error().text();
    EXPECT_EQ(text.find("the-token"), text.npos) << text;
    return text;
}

TEST(Kubeconfig, refuses_what_it_would_have_to_guess) {
    EXPECT_NE(problem(read("none")).find("it has: old, other"), std::string::npos);
    EXPECT_NE(problem(read("dangling")).find("no user `nobody`"), std::string::npos);
    EXPECT_NE(problem(read("half")).find("without its key"), std::string::npos);
    EXPECT_NE(problem(read("clear")).find("in clear"), std::string::npos);
    EXPECT_NE(problem(read_kubeconfig("", "/c", "x")).find("none at all"), std::string::npos);
    EXPECT_NE(problem(read_kubeconfig("a: [", "/c", "x")).find("no kubeconfig"), std::string::npos);
}

TEST(Kubeconfig, names_the_proxy_where_a_program_would_be_needed) {
    for (const char* context : {"plugin", "unchecked"}) {
        const auto endpoint = read(context);
        ASSERT_FALSE(endpoint) << context;
        EXPECT_EQ(endpoint.error().code, "kubernetes.kubeconfig");
        EXPECT_NE(endpoint.error().remedy.find("kubectl proxy --unix-socket"), std::string::npos);
    }
    EXPECT_NE(problem(read("plugin")).find(":23:"), std::string::npos) << problem(read("plugin"));
}

TEST(Kubeconfig, is_also_read_as_json) {
    const auto endpoint = read_kubeconfig(
        R"({"contexts":[{"name":"x","context":{"cluster":"y"}}],
            "clusters":[{"name":"y","cluster":{"server":"http://127.0.0.1:1"}}]})",
        "/c",
        "x");
    ASSERT_TRUE(endpoint) << endpoint.error().text();
    EXPECT_EQ(endpoint->url, "http://127.0.0.1:1");
}

TEST(Access, must_say_one_server) {
    EXPECT_NE(problem(find_endpoint({})).find("either"), std::string::npos);
    EXPECT_NE(problem(find_endpoint({"/a", "b", "unix:///c"})).find("either"), std::string::npos);
    EXPECT_NE(problem(find_endpoint({"/a", "", ""})).find("current context"), std::string::npos);
    EXPECT_EQ(find_endpoint({"/none/such", "b", ""}).error().code, "os.missing");
    EXPECT_EQ(find_endpoint({"", "", "http://proxy.example:8001"}).error().code,
              "kubernetes.access");
}

TEST(Access, takes_the_proxy_of_kubectl) {
    const auto socket = find_endpoint({"", "", "unix:///run/proxy.sock"});
    ASSERT_TRUE(socket);
    EXPECT_EQ(socket->socket, "/run/proxy.sock");
    const auto port = find_endpoint({"", "", "http://127.0.0.1:8001/"});
    ASSERT_TRUE(port);
    EXPECT_EQ(port->url, "http://127.0.0.1:8001");
}

}  // namespace
}  // namespace drydock::kubernetes
