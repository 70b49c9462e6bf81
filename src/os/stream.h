// Regular files that are too large to hold, read piece by piece.
#pragma once

#include "base/result.h"

#include <fstream>
#include <string>

namespace drydock::os {

// Errors: those of open_plain(), so that no pipe and no device is waited for.
[[nodiscard]] Result<std::ifstream> open_stream(const std::string& path);

}  // namespace drydock::os
