// The answers of a command line that is not executed: help, a misspelt word, a wrong option.
//
// The library reports wrong use in its own words. For unknown commands and options these functions
// name the word, and the nearest one that exists.
#include "cli/stops.h"

#include "base/text.h"
#include "cli/say.h"

#include <CLI/CLI.hpp>

#include <algorithm>

namespace drydock::cli {

namespace {

// Collects the commands in the order in which they were added, "journal verify" as one.
void collect(CLI::App& app,
             const std::string& prefix,
             std::vector<std::pair<std::string, CLI::App*>>& commands) {
    for (CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
        const std::string name = prefix + command->get_name();
        if (command->get_subcommands([](const CLI::App*) { return true; }).empty()) {
            commands.emplace_back(name, command);
        }
        collect(*command, name + " ", commands);
    }
}

std::vector<std::string> names_below(CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
        names.push_back(command->get_name());
    }
    return names;
}

// Only long names are candidates: a short option is a letter, and no letter resembles another.
std::vector<std::string> option_names(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::Option* option : app.get_options()) {
        for (const std::string& name : option->get_lnames()) {
            names.push_back("--" + name);
        }
    }
    return names;
}

EarlyExit wrong_use(const std::string& message, const std::string& advice) {
    return {2, say("drydock: {}{}{}\n", message, advice.empty() ? "" : "; ", advice)};
}

EarlyExit unknown_word(const std::string& kind,
                       const std::string& word,
                       const std::vector<std::string>& known_words) {
    const std::string suggestion = nearest(word, known_words);
    return wrong_use(say("there is no {} `{}`", kind, word),
                     suggestion.empty() ? "`drydock --help` lists what there is"
                                        : say("did you mean `{}`?", suggestion));
}

// Returns the words before a command's own: "drydock journal" for `verify`.
std::string path_of(CLI::App& command) {
    std::string path;
    for (auto* above = command.get_parent(); above != nullptr; above = above->get_parent()) {
        path = above->get_name() + (path.empty() ? "" : " ") + path;
    }
    return path;
}

}  // namespace

std::vector<std::pair<std::string, CLI::App*>> leaves(CLI::App& app) {
    std::vector<std::pair<std::string, CLI::App*>> commands;
    collect(app, "", commands);
    return commands;
}

// Walks down the commands word by word. An option, or a command without subcommands, ends the walk:
// words after it are values.
std::optional<EarlyExit> misspelt_command(CLI::App& app,
                                          const std::vector<std::string>& arguments) {
    CLI::App* command = &app;
    for (const std::string& word : arguments) {
        const auto command_names = names_below(*command);
        if (command_names.empty() || word.empty() || word.front() == '-') {
            return std::nullopt;
        }
        if (std::find(command_names.begin(), command_names.end(), word) == command_names.end()) {
            return unknown_word("command", word, command_names);
        }
        command = command->get_subcommand(word);
    }
    return std::nullopt;
}

// Returns the innermost command that was parsed.
CLI::App* chosen(CLI::App& app) {
    CLI::App* command = &app;
    while (!command->get_subcommands().empty()) {
        command = command->get_subcommands().front();
    }
    return command;
}

// Help goes to stdout with exit code 0. Of the words that the library could not place, the first
// long option is named.
EarlyExit stop_of(CLI::App& app, const CLI::ParseError& error) {
    CLI::App* command = chosen(app);
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
        return {0, command->help(path_of(*command))};
    }
    for (const std::string& word : app.remaining(true)) {
        if (word.rfind("--", 0) == 0) {
            return unknown_word("option", word.substr(0, word.find('=')), option_names(*command));
        }
    }
    const std::string path = path_of(*command);
    return wrong_use(
        error.what(),
        say("see `{}{}{} --help`", path, path.empty() ? "" : " ", command->get_name()));
}

// The library counts the values that an option takes; a flag takes none.
OptionInfo info_of(const CLI::Option& option) {
    OptionInfo info;
    for (const std::string& name : option.get_snames()) {
        info.names.push_back("-" + name);
    }
    for (const std::string& name : option.get_lnames()) {
        info.names.push_back("--" + name);
    }
    info.takes_value = option.get_items_expected_max() > 0;
    info.help = option.get_description();
    if (info.names.empty()) {
        info.names.push_back(option.get_name(true));
    }
    return info;
}

}  // namespace drydock::cli
