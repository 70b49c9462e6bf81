// The screens of `drydock hosts check` and `list`, and their content for machines. Pure.
#pragma once

#include "app/hosts_check.h"
#include "base/json.h"
#include "cli/screen.h"

#include <string>
#include <vector>

namespace drydock::cli {

// One row a host, then each problem with what to do.
[[nodiscard]] std::string render_checked(const std::vector<app::HostReport>& reports,
                                         const Screen& screen);
[[nodiscard]] std::string render_listed(const std::vector<app::HostReport>& reports);
[[nodiscard]] Json json_of(const std::vector<app::HostReport>& reports);

}  // namespace drydock::cli
