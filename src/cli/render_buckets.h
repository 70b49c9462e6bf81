// The screens of `drydock copy`, `verify` and `manifest`, and their content for machines
// (docs/formats/s3.md). Pure.
#pragma once

#include "app/buckets.h"
#include "base/json.h"
#include "cli/screen.h"

#include <string>

namespace drydock::cli {

[[nodiscard]] std::string render_copied(const app::BucketCopied& answer, const Screen& screen);
[[nodiscard]] std::string render_compared(const mover::s3::CompareReport& answer,
                                          const Screen& screen);
[[nodiscard]] std::string render_manifest(const mover::s3::ManifestReport& answer);
[[nodiscard]] Json json_of(const app::BucketCopied& answer);
[[nodiscard]] Json json_of(const mover::s3::CompareReport& answer);
[[nodiscard]] Json json_of(const mover::s3::ManifestReport& answer);

}  // namespace drydock::cli
