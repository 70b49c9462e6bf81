// The name of an object, or of a kind of objects, and its path at the API server.
//
// `resource` is the plural that paths have: "services", or "apps/v1/deployments" with the group and
// version. Names are checked before they become a part of a path. An empty namespace is refused
// where one was meant: the path would be that of all namespaces.
#pragma once

#include "base/result.h"

#include <optional>
#include <string>

namespace drydock::kubernetes {

struct Resource {
    std::string resource;                   // [GROUP/][VERSION/]PLURAL; version v1 if not given
    std::optional<std::string> name_space;  // nothing: a kind without namespaces, or all of them

    // "services of namespace default", for messages.
    [[nodiscard]] std::string text() const;
};

struct Object {
    Resource kind;
    std::string name;

    [[nodiscard]] std::string text() const;  // "services/pachd of namespace default"
};

// Error: "kubernetes.name" names what could not be a part of a path.
[[nodiscard]] Result<std::string> path_of(const Resource& resource);
[[nodiscard]] Result<std::string> path_of(const Object& object);

// The group ("" for the core), the version and the plural.
struct ResourceParts {
    std::string group;
    std::string version;
    std::string plural;
};

[[nodiscard]] Result<ResourceParts> parts_of(const std::string& resource);

// Returns the text with all but letters, digits and -_.~ as %XX, for a query.
[[nodiscard]] std::string query_escape(std::string_view text);

}  // namespace drydock::kubernetes
