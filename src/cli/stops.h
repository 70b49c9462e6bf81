// What is told when a command line cannot be parsed, and how a parser's commands are walked.
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

// The commands in the order in which they were added, "journal verify" as one.
[[nodiscard]] std::vector<std::pair<std::string, CLI::App*>> leaves(CLI::App& app);
// The command that was typed.
[[nodiscard]] CLI::App* chosen(CLI::App& app);
[[nodiscard]] OptionInfo info_of(const CLI::Option& option);

// The library reports a misspelt command as "a subcommand is required"; this names the word itself.
[[nodiscard]] std::optional<Stop> misspelt_command(CLI::App& app,
                                                   const std::vector<std::string>& arguments);
// Help that was asked for, or wrong use with what to do instead.
[[nodiscard]] Stop stop_of(CLI::App& app, const CLI::ParseError& error);

}  // namespace drydock::cli
