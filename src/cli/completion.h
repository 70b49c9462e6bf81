// Completions for bash, zsh and fish, generated from the table of commands. Pure.
#pragma once

#include "cli/invocation.h"

#include <string>
#include <vector>

namespace drydock::cli {

// Returns a script for `shell`, which is bash, zsh or fish. The shell sources it.
[[nodiscard]] std::string render_completion(const std::string& shell,
                                            const std::vector<CommandInfo>& table);

}  // namespace drydock::cli
