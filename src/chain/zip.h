// Zip archives in memory: wheels.
#pragma once

#include "chain/package.h"

#include <memory>
#include <string>
#include <string_view>

namespace drydock::chain {

// Sets TZ to its default where it is not set. Without TZ, glibc looks at the zone's file for each
// entry, as libzip turns its time into seconds. Call this before there are threads.
void keep_time_zone();

[[nodiscard]] bool is_zip(std::string_view bytes);
[[nodiscard]] Result<std::unique_ptr<Package>> open_zip(std::string bytes);

}  // namespace drydock::chain
