// The screen of `drydock vfolders move`, and its content for machines (docs/formats/vfolders.md).
// Pure.
#pragma once

#include "app/vfolders.h"
#include "base/json.h"
#include "cli/screen.h"

#include <string>

namespace drydock::cli {

[[nodiscard]] std::string render_vfolders(const app::VfoldersMoved& answer, const Screen& screen);
[[nodiscard]] Json json_of(const app::VfoldersMoved& answer);

}  // namespace drydock::cli
