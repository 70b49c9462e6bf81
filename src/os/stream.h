// Streams over regular files that are too large for memory.
#pragma once

#include "base/result.h"

#include <fstream>
#include <string>

namespace drydock::os {

// Opens a stream. Errors: those of open_plain(), so it never waits for a pipe or a device.
[[nodiscard]] Result<std::ifstream> open_stream(const std::string& path);

}  // namespace drydock::os
