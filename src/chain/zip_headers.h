// The names in a zip, which no CRC covers. Each file has its name in the directory and in its own
// header. A flipped bit in one of them would make a file vanish, or be read as another. Pure.
#pragma once

#include "base/result.h"

#include <string_view>

namespace drydock::chain {

// Errors: "chain.archive" if a file has two names, or no header at the offset in the directory.
[[nodiscard]] Status check_zip_headers(std::string_view bytes);

}  // namespace drydock::chain
