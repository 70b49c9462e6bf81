// Descriptors: room for many open files in one process.
#pragma once

#include "base/result.h"

#include <cstddef>

namespace drydock::os {

// Makes sure that so many descriptors can be opened beside those that are open: raises this
// process's own limit if need be, as far as the system allows. "os.descriptors" names what is
// missing. For one thread.
[[nodiscard]] Status reserve_descriptors(std::size_t count);

// Gives this process back the limit that it was started with; for a child, between fork and exec.
// Async-signal-safe.
void restore_descriptor_limit();

}  // namespace drydock::os
