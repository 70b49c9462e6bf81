// The screens of `drydock copy`, `verify` and `manifest` of folders, and their content for machines
// (docs/formats/tree.md). Pure.
#pragma once

#include "app/trees.h"
#include "base/json.h"
#include "cli/screen.h"

#include <string>

namespace drydock::cli {

[[nodiscard]] std::string render_tree_copied(const app::TreeCopied& answer, const Screen& screen);
[[nodiscard]] std::string render_tree_compared(const mover::tree::Compared& answer,
                                               const Screen& screen);
[[nodiscard]] std::string render_tree_manifest(const mover::tree::ManifestReport& answer);
[[nodiscard]] Json json_of(const app::TreeCopied& answer);
[[nodiscard]] Json json_of(const mover::tree::Compared& answer);
[[nodiscard]] Json json_of(const mover::tree::ManifestReport& answer);

}  // namespace drydock::cli
