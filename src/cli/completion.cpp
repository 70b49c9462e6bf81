// Completion scripts for bash, zsh and fish, generated from the table of commands.
//
// bash has one function with two questions: the words after a chain of commands, and the values
// after an option. zsh runs the same function by its own emulation. fish gets one line for each
// command and option. A script is static, so it never starts drydock.
#include "cli/completion.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::cli {

namespace {

// Quotes a text for a POSIX shell; fish reads the same quotes.
std::string in_quotes(const std::string& text) {
    std::string result = "'";
    for (const char c : text) {
        result += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    return result + "'";
}

// What may stand after each chain of words: "" -> the commands, "journal" -> verify, "plan" -> its
// options and fixed values.
std::map<std::string, std::vector<std::string>>
words_by_place(const std::vector<CommandInfo>& table) {
    std::map<std::string, std::vector<std::string>> places;
    const auto add = [&](const std::string& place, const std::string& word) {
        auto& words = places[place];
        if (std::find(words.begin(), words.end(), word) == words.end()) {
            words.push_back(word);
        }
    };
    for (const CommandInfo& command : table) {
        const auto parts = split(command.name, ' ');
        add("", parts.front());
        if (parts.size() > 1) {
            add(parts[0], parts[1]);
        }
        for (const OptionInfo& option : command.options) {
            add(command.name, option.names.back());
        }
        for (const OptionInfo& positional : command.positionals) {
            for (const std::string& value : positional.choices) {
                add(command.name, value);
            }
        }
    }
    return places;
}

// The values of options that take only some, by the option's name.
std::map<std::string, std::vector<std::string>>
fixed_values(const std::vector<CommandInfo>& table) {
    std::map<std::string, std::vector<std::string>> values;
    for (const CommandInfo& command : table) {
        for (const OptionInfo& option : command.options) {
            if (!option.choices.empty()) {
                values[option.names.back()] = option.choices;
            }
        }
    }
    return values;
}

// The script looks at the option before the cursor first, then at the chain of commands. It
// completes file names where it knows no words, by `-o default`.
std::string bash(const std::vector<CommandInfo>& table) {
    std::string script =
        "_drydock() {\n"
        "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
        "    local place=${COMP_WORDS[1]} words=\n"
        "    case $before in\n";
    for (const auto& [option, values] : fixed_values(table)) {
        script += fmt::format("    {}) COMPREPLY=($(compgen -W {} -- \"$word\")); return ;;\n",
                              option,
                              in_quotes(join(values, " ")));
    }
    script += "    esac\n"
              "    [ \"$COMP_CWORD\" -le 1 ] && place=\n"
              "    case $place in journal|pack) "
              "[ \"$COMP_CWORD\" -gt 2 ] && place=\"$place ${COMP_WORDS[2]}\" ;; esac\n"
              "    case $place in\n";
    for (const auto& [place, words] : words_by_place(table)) {
        script +=
            fmt::format("    {}) words={} ;;\n", in_quotes(place), in_quotes(join(words, " ")));
    }
    return script
           + "    esac\n"
             "    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
             "}\n"
             "complete -o default -F _drydock drydock\n";
}

// zsh emulates bash's `complete`, so the script is the same.
std::string zsh(const std::vector<CommandInfo>& table) {
    return "autoload -U +X bashcompinit && bashcompinit\n" + bash(table);
}

// `condition` is the fish command that is true where the option may stand.
std::string fish_option(const OptionInfo& option, const std::string& condition) {
    std::string line = fmt::format("complete -c drydock -n {}", in_quotes(condition));
    for (const std::string& name : option.names) {
        const bool is_long = name.rfind("--", 0) == 0;
        line += fmt::format(" {} {}", is_long ? "-l" : "-s", name.substr(is_long ? 2 : 1));
    }
    if (option.takes_value) {
        line += " -r";
    }
    if (!option.choices.empty()) {
        line += " -f -a " + in_quotes(join(option.choices, " "));
    }
    return line + " -d " + in_quotes(option.help) + "\n";
}

// A command of two words needs two lines: the first word is offered alone, the second only after
// it.
std::string fish_command(const CommandInfo& command) {
    const auto parts = split(command.name, ' ');
    std::string condition = "__fish_use_subcommand";
    std::string script;
    if (parts.size() > 1) {
        script +=
            fmt::format("complete -c drydock -f -n {} -a {}\n", in_quotes(condition), parts[0]);
        condition = "__fish_seen_subcommand_from " + parts[0];
    }
    script += fmt::format("complete -c drydock -f -n {} -a {} -d {}\n",
                          in_quotes(condition),
                          parts.back(),
                          in_quotes(command.help));
    const std::string option_condition = "__fish_seen_subcommand_from " + parts.back();
    for (const OptionInfo& option : command.options) {
        script += fish_option(option, option_condition);
    }
    for (const OptionInfo& positional : command.positionals) {
        if (!positional.choices.empty()) {
            script += fmt::format("complete -c drydock -f -n {} -a {}\n",
                                  in_quotes(option_condition),
                                  in_quotes(join(positional.choices, " ")));
        }
    }
    return script;
}

}  // namespace

std::string render_completion(const std::string& shell, const std::vector<CommandInfo>& table) {
    if (shell == "bash") {
        return bash(table);
    }
    if (shell == "zsh") {
        return zsh(table);
    }
    std::string script;
    for (const CommandInfo& command : table) {
        script += fish_command(command);
    }
    return script;
}

}  // namespace drydock::cli
