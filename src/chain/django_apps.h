// The labels of Django's apps: the first half of each migration's id.
#pragma once

#include "base/result.h"

#include <string>
#include <string_view>

namespace drydock::chain {

// The label that `apps.py` gives, else the last part of the name there; `folder_name` if it says
// nothing. "chain.value" with the line: only running the file could tell.
[[nodiscard]] Result<std::string> django_label(std::string_view apps_py,
                                               std::string_view folder_name);

}  // namespace drydock::chain
