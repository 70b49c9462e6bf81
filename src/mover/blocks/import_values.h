// The values of an export, before any of them is written: dates, numbers, digits, uids.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <string>
#include <vector>

namespace drydock::mover::blocks {

// Error: "blocks.import" with the line, and that nothing was imported.
[[nodiscard]] tl::unexpected<Error> refuse_import(std::int64_t line, const std::string& reason);

// Each field of a version's record, or of a block's, against the column that it is for. Error:
// "blocks.import" with line and column.
[[nodiscard]] Status check_version_values(const std::vector<std::string>& fields,
                                          std::int64_t line);
[[nodiscard]] Status check_block_values(const std::vector<std::string>& fields, std::int64_t line);

}  // namespace drydock::mover::blocks
