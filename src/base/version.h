// The version of this drydock. The conductor and the agents of one run have the same version.
#pragma once

#include <string_view>

namespace drydock {

[[nodiscard]] std::string_view version();  // "0.1.0"

}  // namespace drydock
