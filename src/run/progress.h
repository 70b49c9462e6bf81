// Words and numbers for the progress of a long action, from the report of its command: {done, of,
// rate, unit, bytes, waits} (docs/formats/progress.md).
#pragma once

#include "base/json.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace drydock::run {

// Returns how much is done, 0 to 100, rounded down: 100 means all. Nothing without a total.
[[nodiscard]] std::optional<int> percent_of(const Json& progress);

// Returns the time that the rest takes at this rate; nothing without a total, or at a rate of 0.
[[nodiscard]] std::optional<std::int64_t> left_ms(const Json& progress);

// "3.2 of 10 GB (32 %), 120 MB/s, about 57 s left"; empty without `done`. The unit "bytes" is shown
// in larger units.
[[nodiscard]] std::string progress_text(const Json& progress);

// Returns three lines: what the action waits for, since when and until when, and what a person can
// do. Lines that the report has nothing for are left out; none if it does not wait.
[[nodiscard]] std::vector<std::string> wait_lines(const Json& progress);

// Returns progress and wait in one line; empty if the report has neither.
[[nodiscard]] std::string report_text(const Json& progress);

// "cancelled at 3.2 of 10 GB (32 %)", from the evidence of an attempt that was ended early; "paused
// at ..." if it stopped at a safe place.
[[nodiscard]] std::string cancelled_text(const Json& evidence);

// "cancelled at 3.2 of 10 GB (32 %); goes on from there on resume", if the action has a cursor or
// has paused.
[[nodiscard]] std::string cancelled_for_resume_text(const Json& evidence);

}  // namespace drydock::run
