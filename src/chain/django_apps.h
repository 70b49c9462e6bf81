// The labels of Django's apps: the first half of each migration's id.
#pragma once

#include "base/result.h"

#include <string>
#include <string_view>

namespace drydock::chain {

// Returns the label that `apps.py` sets, else the last part of the name there, else `folder_name`.
// Error "chain.value" with the line: only running the file could tell.
[[nodiscard]] Result<std::string> django_label(std::string_view apps_py,
                                               std::string_view folder_name);

}  // namespace drydock::chain
