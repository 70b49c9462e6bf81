// The screens of `pack try` and `pack new`, and the same for machines. Pure.
#pragma once

#include "app/trying.h"
#include "cli/render.h"

#include <string>

namespace drydock::cli {

[[nodiscard]] std::string render_trial(const trial::Trial& trial, const Screen& screen);
[[nodiscard]] std::string render_new_pack(const app::NewPack& made, bool dry_run);
[[nodiscard]] Json json_of(const trial::Trial& trial);
[[nodiscard]] Json json_of(const app::NewPack& made);

}  // namespace drydock::cli
