// The list of folders and their scopes, as the manager's table `vfolders` has them.
//
// A line is ID SEPARATOR SCOPE. ID and SCOPE are UUIDs, with or without dashes; SCOPE may begin
// with "user:" or "project:". The separator is `|`, `,`, a tab or a blank, so what
// `psql -At -c 'select id, quota_scope_id from vfolders'` prints is such a list.
#pragma once

#include "mover/rename/layout.h"

#include <iosfwd>
#include <string>
#include <vector>

namespace drydock::mover::rename {

inline constexpr std::size_t k_moves_max = 50'000'000;  // 1.6 GB of memory
inline constexpr std::size_t k_list_line_max = 200;     // bytes; two UUIDs need 81

// Returns the list sorted by folder, each folder once. Errors: "rename.list" with the line for a
// line that is not understood, for a folder with two scopes, and for an empty list.
[[nodiscard]] Result<std::vector<Move>> read_move_list(std::istream& stream,
                                                       const std::string& name);

// The same of a file; "-" is the standard input.
[[nodiscard]] Result<std::vector<Move>> read_move_list(const std::string& path);

}  // namespace drydock::mover::rename
