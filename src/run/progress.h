// Words for the progress of a long action, from the report of its command: {done, of, rate, unit}
// (docs/formats/agent-protocol.md).
#pragma once

#include "base/json.h"

#include <string>

namespace drydock::run {

// "3.2 of 10 GB, 120 MB/s"; empty without `done`. The unit "bytes" is shown in larger units.
[[nodiscard]] std::string progress_text(const Json& progress);

// "cancelled at 3.2 of 10 GB", from the evidence of a cancelled attempt.
[[nodiscard]] std::string cancelled_text(const Json& evidence);

// "cancelled at 3.2 of 10 GB; goes on from there on resume", if the action has a cursor.
[[nodiscard]] std::string cancelled_for_resume_text(const Json& evidence);

}  // namespace drydock::run
