// What the probe and the action `kubernetes` have in common: which server, and which objects.
#pragma once

#include "base/json.h"
#include "kubernetes/change.h"

namespace drydock::agent {

// Reads {kubeconfig, context, proxy}.
[[nodiscard]] kubernetes::Access read_access(const Json& request);
// Reads {resource, namespace}. Without `namespace` it is a kind without namespaces, or all of them.
[[nodiscard]] kubernetes::Resource read_resource(const Json& request);
[[nodiscard]] kubernetes::Object read_object_name(const Json& request);  // and {name}

// Carries out the one of {patch, scale, create, delete} that the request has. `uid` holds it to one
// object.
[[nodiscard]] kubernetes::Change change_kubernetes(kubernetes::Client& client,
                                                   const Json& request,
                                                   bool dry_run,
                                                   const kubernetes::Effort& effort);

}  // namespace drydock::agent
