// The list of folders and their scopes, as the manager's table `vfolders` has them.
//
// A line is ID SEPARATOR SCOPE. ID and SCOPE are UUIDs, with or without dashes; SCOPE may begin
// with "user:" or "project:". The separator is `|`, `,`, a tab or a blank. So the output of `psql
// -At -c 'select id, quota_scope_id from vfolders'` is such a list.
#pragma once

#include "mover/rename/layout.h"

#include <iosfwd>
#include <string>
#include <vector>

namespace drydock::mover::rename {

inline constexpr std::size_t k_moves_max = 50'000'000;  // 1.6 GB of memory
inline constexpr std::size_t k_list_line_max = 200;     // bytes; two UUIDs need 81

// Reads a list and returns it sorted by folder, each folder once. Error: "rename.list" for a line
// that cannot be parsed, for a folder with two scopes, and for an empty list.
[[nodiscard]] Result<std::vector<Move>> read_move_list(std::istream& stream,
                                                       const std::string& name);

// Reads the list from a file; "-" is the standard input.
[[nodiscard]] Result<std::vector<Move>> read_move_list(const std::string& path);

}  // namespace drydock::mover::rename
