// Changes to one object, each with a definite end: done, refused, or unknown.
//
// Every change is held to one object by its uid, and a patch to one version of it as well. That is
// what makes it safe to send it again after a lost answer: at most one of them takes effect. A
// change is done when the object was read again and is as it should be. A change that finds all as
// it should be sends nothing. With `dry_run` the server only validates (it cannot see a cluster IP
// that is taken), and nothing is read back.
//
// docs/kubernetes.md tells operators what each end means.
#pragma once

#include "kubernetes/client.h"
#include "kubernetes/effort.h"
#include "kubernetes/object.h"

#include <optional>

namespace drydock::kubernetes {

enum class ChangeEnd {
    changed,    // it is as asked, and was not before
    unchanged,  // it was as asked already
    refused,    // nothing of it happened, or ever will
    unknown,    // nobody can tell
};

struct Change {
    ChangeEnd end = ChangeEnd::unknown;
    std::optional<Error> error = {};       // of `refused` and `unknown`
    Json evidence = Json(Json::Object{});  // uid, versions before and after, requests sent
};

struct ChangeOptions {
    std::string uid = {};  // the object must have it; empty: whichever object has the name
    bool dry_run = false;
};

// Changes an object by a JSON patch; json_patch.h says what paths may be.
//
// A node port that is "already allocated" is looked for in all Services. If one holds it, the end
// is `refused` with "kubernetes.port_taken". If none does, it is a leaked port: a server or its
// etcd died in between. The server frees it by itself after some minutes. The patch is then
// repeated until the effort is over ("kubernetes.port_leaked").
[[nodiscard]] Change patch_object(Client& client,
                                  const Object& object,
                                  const Json& operations,
                                  const ChangeOptions& options,
                                  const Effort& effort);

// Sets the number of replicas of a workload. It says nothing of pods that end.
[[nodiscard]] Change scale_object(Client& client,
                                  const Object& object,
                                  std::int64_t replicas,
                                  const ChangeOptions& options,
                                  const Effort& effort);

// Creates the object that `manifest` describes; its name is the manifest's. An object of that name
// that has all of the manifest is as asked; any other is refused with "kubernetes.exists".
[[nodiscard]] Change create_object(Client& client,
                                   const Resource& kind,
                                   const Json& manifest,
                                   const ChangeOptions& options,
                                   const Effort& effort);

// Deletes the object with the uid of `options`, which must be given, and waits until it is gone.
// `propagation` is Background, Foreground or Orphan.
[[nodiscard]] Change delete_object(Client& client,
                                   const Object& object,
                                   const std::string& propagation,
                                   const ChangeOptions& options,
                                   const Effort& effort);

}  // namespace drydock::kubernetes
