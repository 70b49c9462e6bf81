// The files of a first case: a small pack with comments, a cluster, its facts, and two twins. They
// pass `drydock pack lint` and `drydock pack try` as they are.
#pragma once

#include <map>
#include <string>

namespace drydock::trial {

// The version that the case of new_case() reaches.
inline constexpr const char* k_new_case_target = "1.1.0";

// Returns the texts by their names below the folder. `name` is that of the pack: letters, digits,
// `-` and `_`.
[[nodiscard]] std::map<std::string, std::string> new_case(const std::string& name);

}  // namespace drydock::trial
