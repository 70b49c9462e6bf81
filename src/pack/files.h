// Files from disk, with the size limit of packs and cluster files.
#pragma once

#include "base/diagnostics.h"

#include <optional>
#include <string>

namespace drydock::pack {

// Returns the file's bytes, at most one more than k_file_size_max: the parser then refuses the
// size. An unreadable file is reported and gives nothing.
[[nodiscard]] std::optional<std::string> read_text(const std::string& path,
                                                   Diagnostics& diagnostics);

// Returns the folder of a file, absolute. Paths in a cluster file are relative to it.
[[nodiscard]] std::string folder_of(const std::string& file);
// Returns the path as seen from the folder.
[[nodiscard]] std::string path_from(const std::string& folder, const std::string& path);

// Sorts the problems by position. Diagnostics keeps equal ones once (a role's problem shows up with
// each of its members).
void finish(Diagnostics& diagnostics);

}  // namespace drydock::pack
