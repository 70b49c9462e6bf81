// The bytes of a compressed tar, checked to their end.
#pragma once

#include "base/result.h"

#include <string>

namespace drydock::chain {

// Unpacks gzip, bzip2 or xz, known by their first bytes; other bytes are returned as they are.
// Error "chain.archive": damaged, cut off, with other bytes behind the end, or too large.
[[nodiscard]] Result<std::string> unpack(std::string bytes);

}  // namespace drydock::chain
