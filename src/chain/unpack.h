// The bytes of a compressed tar, checked to their end.
#pragma once

#include "base/result.h"

#include <string>

namespace drydock::chain {

// gzip, bzip2 or xz, told by the first bytes; other bytes are given back as they are.
// "chain.archive": damaged, cut off, with something behind its end, or too large.
[[nodiscard]] Result<std::string> unpack(std::string bytes);

}  // namespace drydock::chain
