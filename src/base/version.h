// The version of this drydock; conductor and agents of one run are of the same version.
#pragma once

#include <string_view>

namespace drydock {

[[nodiscard]] std::string_view version();  // "0.1.0"

}  // namespace drydock
