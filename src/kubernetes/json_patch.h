// JSON patches (RFC 6902), looked at before they are sent.
//
// The server refuses a patch whose `test` fails without saying which one. So the operations are
// tried here first, on the object that was just read: whether it is all done already, and which
// test does not hold. A part [KEY=VALUE] of a path is the item of a list that has this key. It
// becomes the item's index, guarded by a test of its own. Pure.
#pragma once

#include "base/json.h"
#include "base/result.h"

#include <string>

namespace drydock::kubernetes {

struct PreparedPatch {
    Json operations;          // as they are sent, without guards of uid and version
    bool is_applied = false;  // the object is as the patch would leave it
    std::string failed_test;  // a sentence: which test does not hold, and what stands there
};

// `operations` is a list of {op, path, value} with the ops test, replace, add and remove. A text
// that replaces an integer, or is compared with one, becomes one if it can: values of packs are
// texts. Errors: "kubernetes.patch" for an operation that is none, or a path that leads nowhere.
[[nodiscard]] Result<PreparedPatch> prepare_patch(const Json& object, const Json& operations);

// Returns the operations with those in front that hold the patch to one object at one version. The
// version is replaced by itself: the server answers that with a conflict if it is another one.
[[nodiscard]] Json
guarded(const Json& operations, const std::string& uid, const std::string& version);

// True if `object` has everything that `wanted` has: maps by their keys, lists item by item.
[[nodiscard]] bool contains(const Json& object, const Json& wanted);

}  // namespace drydock::kubernetes
