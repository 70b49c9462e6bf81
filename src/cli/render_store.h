// The screens of `drydock store`, and their content for machines (docs/formats/store.md). Pure.
#pragma once

#include "app/block_store.h"
#include "base/json.h"
#include "cli/screen.h"

#include <string>

namespace drydock::cli {

constexpr std::size_t k_name_bytes_max = 200;  // of a version's name on a screen

[[nodiscard]] std::string render_schema(const mover::blocks::Schema& schema, const Screen& screen);
[[nodiscard]] std::string render_inspection(const mover::blocks::Inspection& inspection,
                                            const Screen& screen);
[[nodiscard]] Json json_of(const mover::blocks::Inspection& inspection);
[[nodiscard]] std::string render_store_verified(const app::StoreVerified& answer,
                                                const Screen& screen);
[[nodiscard]] Json json_of(const app::StoreVerified& answer);
[[nodiscard]] std::string render_restored(const mover::blocks::Restored& restored,
                                          const std::string& path,
                                          const Screen& screen);
[[nodiscard]] Json json_of(const mover::blocks::Restored& restored);

[[nodiscard]] std::string render_upgraded(const app::StoreUpgraded& answer, const Screen& screen);
[[nodiscard]] Json json_of(const app::StoreUpgraded& answer);

[[nodiscard]] std::string render_exported(const mover::blocks::ExportReport& report,
                                          const std::string& path,
                                          const Screen& screen);
[[nodiscard]] Json json_of(const mover::blocks::ExportReport& report);
[[nodiscard]] std::string render_imported(const mover::blocks::ImportReport& report,
                                          const Screen& screen);
[[nodiscard]] Json json_of(const mover::blocks::ImportReport& report);

[[nodiscard]] std::string render_rewritten(const app::StoreRewritten& answer, const Screen& screen);
[[nodiscard]] Json json_of(const app::StoreRewritten& answer);

}  // namespace drydock::cli
