// Reading files from disk, with the size limit of packs and cluster files.
#pragma once

#include "base/diagnostics.h"

#include <optional>
#include <string>

namespace drydock::pack {

// The file's bytes, at most one more than k_file_size_max (so that its size is refused by the
// parser). A file that cannot be read is reported.
[[nodiscard]] std::optional<std::string> read_text(const std::string& path,
                                                   Diagnostics& diagnostics);

// Sorted by position, each problem once (a role's problem shows up with each of its members).
void finish(Diagnostics& diagnostics);

}  // namespace drydock::pack
