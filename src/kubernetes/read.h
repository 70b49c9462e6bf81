// Reading: one object, all objects with a label, whether a namespace is there, and what one may do.
//
// All are consistent reads of the store, never of a server's memory. A list that is empty is only
// believed where its namespace exists: in a misspelt one every list is empty.
#pragma once

#include "kubernetes/client.h"
#include "kubernetes/effort.h"
#include "kubernetes/object.h"

namespace drydock::kubernetes {

// Returns the error of a read. One that had no answer has no outcome that could be unknown:
// "kubernetes.no_answer", transient.
[[nodiscard]] Error error_of_read(const Answer& answer, const std::string& subject);

// Errors are those of error_of_read(); "kubernetes.not_found" is the only one that says that it is
// gone.
[[nodiscard]] Result<Json> read_object(Client& client, const Object& object, const Effort& effort);

// Returns {"items": [...], "resourceVersion"} of all pages. `labels` is a label selector; empty:
// all. Errors: those of error_of_read(), "kubernetes.no_namespace", "kubernetes.too_many".
[[nodiscard]] Result<Json>
list_objects(Client& client, const Resource& kind, const std::string& labels, const Effort& effort);

struct Permission {
    std::string verb;  // get, list, patch, ...
    Resource kind;
    std::string subresource = {};  // "scale"; empty: none
    std::string name = {};         // empty: any object
};

// True if the server would allow it to the user that asks (SelfSubjectAccessReview).
[[nodiscard]] Result<bool> may(Client& client, const Permission& permission, const Effort& effort);

}  // namespace drydock::kubernetes
