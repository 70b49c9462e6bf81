// Zip archives in memory: wheels.
#pragma once

#include "chain/package.h"

#include <memory>
#include <string>
#include <string_view>

namespace drydock::chain {

[[nodiscard]] bool is_zip(std::string_view bytes);
[[nodiscard]] Result<std::unique_ptr<Package>> open_zip(std::string bytes);

}  // namespace drydock::chain
