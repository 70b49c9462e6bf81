// The answers to command lines that cannot be parsed, and walks over the parser's commands.
#pragma once

#include "cli/invocation.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace CLI {  // NOLINT(readability-identifier-naming): the library's
class App;
class Option;
class ParseError;
}  // namespace CLI

namespace drydock::cli {

// Returns the commands in the order in which they were added, "journal verify" as one.
[[nodiscard]] std::vector<std::pair<std::string, CLI::App*>> leaves(CLI::App& app);
// Returns the command that was typed.
[[nodiscard]] CLI::App* chosen(CLI::App& app);
[[nodiscard]] OptionInfo info_of(const CLI::Option& option);

// Returns wrong use that names a misspelt command. The library itself would only say "a subcommand
// is required".
[[nodiscard]] std::optional<EarlyExit> misspelt_command(CLI::App& app,
                                                        const std::vector<std::string>& arguments);
// Returns help that was asked for, or wrong use with advice.
[[nodiscard]] EarlyExit stop_of(CLI::App& app, const CLI::ParseError& error);

}  // namespace drydock::cli
