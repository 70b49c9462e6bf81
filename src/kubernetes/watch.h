// Waiting for a change: a watch that wakes up, and tells no values.
//
// Its events come from a server's memory, so whoever is woken reads anew. No change is missed: the
// version is taken before the objects are read, and the watch begins at it. What came in between is
// told as an event once more.
#pragma once

#include "kubernetes/client.h"
#include "kubernetes/effort.h"
#include "kubernetes/object.h"

#include <string>

namespace drydock::kubernetes {

// The objects that are watched: one by name, or those of a kind with a label.
struct Watched {
    Resource kind;
    std::string name = {};    // empty: all
    std::string labels = {};  // a label selector; empty: all
};

// Returns the version of the store as of now, at which a watch can begin. Needs the right to list.
// Errors: those of error_of_read().
[[nodiscard]] Result<std::string>
version_of(Client& client, const Watched& watched, const Effort& effort);

// Waits for the first event after the version. False: none came until the effort was over. Errors:
// those of error_of_read(), "kubernetes.expired", and "kubernetes.watch_ended" if the server ended
// the watch too early.
[[nodiscard]] Result<bool> wait_for_event(Client& client,
                                          const Watched& watched,
                                          const std::string& version,
                                          const Effort& effort);

}  // namespace drydock::kubernetes
