// The screens of `drydock extract`, and their content for machines (docs/formats/extract.md). Pure.
#pragma once

#include "app/extract.h"
#include "base/json.h"
#include "cli/screen.h"

#include <string>

namespace drydock::cli {

[[nodiscard]] std::string render_inspection(const extract::Inspection& inspection,
                                            const Screen& screen);
[[nodiscard]] Json json_of(const extract::Inspection& inspection);
[[nodiscard]] std::string render_extract_verified(const app::ExtractVerified& answer,
                                                  const Screen& screen);
[[nodiscard]] Json json_of(const app::ExtractVerified& answer);

}  // namespace drydock::cli
