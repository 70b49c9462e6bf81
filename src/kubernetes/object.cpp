// Paths of the API server, from names that cannot leave their place in the path.
#include "kubernetes/object.h"

#include "base/text.h"

#include <fmt/format.h>

namespace drydock::kubernetes {
namespace {

// Names of RBAC objects may hold colons; all others are those of DNS.
bool is_path_name(std::string_view name) {
    return is_plain_name(name, "-.:");
}

Status check_name(std::string_view what, const std::string& name) {
    if (is_path_name(name)) {
        return {};
    }
    return fail("kubernetes.name",
                fmt::format("`{}` cannot be {}", name, what),
                name.empty() ? "it is empty: see where its value comes from"
                             : "use letters, digits, `-` and `.`");
}

std::string in_namespace(const Resource& kind) {
    return kind.name_space ? " of namespace " + *kind.name_space : "";
}

}  // namespace

std::string Resource::text() const {
    return resource + in_namespace(*this);
}

std::string Object::text() const {
    return fmt::format("{}/{}{}", kind.resource, name, in_namespace(kind));
}

Result<ResourceParts> parts_of(const std::string& resource) {
    const auto words = split(resource, '/');
    if (words.size() > 3) {
        return fail("kubernetes.name",
                    fmt::format("`{}` is no kind of objects", resource),
                    "write `services`, or `apps/v1/deployments`");
    }
    for (const std::string& word : words) {
        DRYDOCK_TRY(check_name("a kind of objects", word));
    }
    ResourceParts parts{"", "v1", words.back()};
    if (words.size() > 1) {
        parts.version = words[words.size() - 2];
    }
    if (words.size() > 2) {
        parts.group = words.front();
    }
    return parts;
}

Result<std::string> path_of(const Resource& resource) {
    DRYDOCK_TRY_ASSIGN(const ResourceParts parts, parts_of(resource.resource));
    std::string path = parts.group.empty() ? fmt::format("/api/{}", parts.version)
                                           : fmt::format("/apis/{}/{}", parts.group, parts.version);
    if (resource.name_space) {
        DRYDOCK_TRY(check_name("a namespace", *resource.name_space));
        path += "/namespaces/" + *resource.name_space;
    }
    return path + "/" + parts.plural;
}

Result<std::string> path_of(const Object& object) {
    DRYDOCK_TRY_ASSIGN(const std::string path, path_of(object.kind));
    DRYDOCK_TRY(check_name("an object's name", object.name));
    return path + "/" + object.name;
}

std::string query_escape(std::string_view text) {
    std::string escaped;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
                           || (c >= '0' && c <= '9')
                           || std::string_view("-_.~").find(c) != std::string_view::npos;
        escaped +=
            plain ? std::string(1, c)
                  : fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
    return escaped;
}

}  // namespace drydock::kubernetes
