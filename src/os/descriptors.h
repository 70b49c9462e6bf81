// The limit of open files of this process.
#pragma once

#include "base/result.h"

#include <cstddef>

namespace drydock::os {

// Raises the soft limit, if need be, so that `count` more descriptors can be opened. Error:
// "os.descriptors" says how many are missing. Not thread-safe.
[[nodiscard]] Status reserve_descriptors(std::size_t count);

// Restores the limit with which this process was started; for a child, between fork and exec.
// Async-signal-safe.
void restore_descriptor_limit();

}  // namespace drydock::os
