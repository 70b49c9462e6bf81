// Paths in packages: plain text with "/" between the parts.
#pragma once

#include <string>
#include <string_view>

namespace drydock::chain {

// "./a//b" -> "a/b".
[[nodiscard]] std::string clean_path(std::string_view path);
// "a/b/c.py" -> "a/b"; "c.py" -> ".".
[[nodiscard]] std::string_view folder_of(std::string_view path);
// "a/b/c.py" -> "c.py".
[[nodiscard]] std::string_view leaf_of(std::string_view path);
// "a/b" + "c" -> "a/b/c"; "." + "c" -> "c".
[[nodiscard]] std::string below(std::string_view folder, std::string_view leaf);
// Returns true if the path lies anywhere below the folder. All paths lie below ".".
[[nodiscard]] bool lies_in(std::string_view path, std::string_view folder);
// Returns true if `path` is `end`, or ends with "/" and `end`.
[[nodiscard]] bool ends_with_path(std::string_view path, std::string_view end);
[[nodiscard]] bool ends_with(std::string_view text, std::string_view end);
// Returns the path that a link in `folder` leads to: "a/b" + "../c" -> "a/c"; empty if it leads out
// of the package.
[[nodiscard]] std::string linked_path(std::string_view folder, std::string_view target);
// Returns true if a file may be part of a chain: Python, SQL, Ruby, Java, configuration.
[[nodiscard]] bool is_text_of_interest(std::string_view path);

}  // namespace drydock::chain
