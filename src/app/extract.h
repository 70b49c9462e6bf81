// The use cases of `drydock extract`: a file that `pachctl extract` wrote, read and counted. No
// cluster is asked.
//
// Exit codes of failures: 2, for unreadable input. A damaged file is an answer, not a failure.
#pragma once

#include "app/app.h"
#include "extract/counts.h"
#include "extract/inspect.h"
#include "extract/inspection.h"

#include <string>

namespace drydock::app {

[[nodiscard]] AppResult<extract::Inspection> inspect_extract(const std::string& file,
                                                             const extract::OnBytes& on_bytes);

struct ExtractVerified {
    extract::Inspection inspection;
    extract::Comparison comparison;
};

// `against` is a file of counts (docs/formats/extract.md); empty: none, so the verdict is never
// "complete".
[[nodiscard]] AppResult<ExtractVerified> verify_extract(const std::string& file,
                                                        const std::string& against,
                                                        const extract::OnBytes& on_bytes);

}  // namespace drydock::app
