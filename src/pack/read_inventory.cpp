// The two forms of an inventory. INI has sections [group], [group:children] and [group:vars]; YAML
// has maps `hosts`, `children` and `vars` below each group.
#include "base/text.h"
#include "pack/inventory.h"
#include "pack/value_schema.h"
#include "pack/yaml.h"

#include <fmt/format.h>

namespace drydock::pack {
namespace {

// Splits a line into words at blanks that stand in no quotes, and drops the quotes. A word that
// begins with # ends the line.
std::vector<std::string> words_of(std::string_view line) {
    std::vector<std::string> words;
    std::string word;
    char quote = 0;
    bool has_word = false;
    for (const char c : line) {
        if (quote != 0 && c == quote) {
            quote = 0;
        } else if (quote == 0 && (c == '"' || c == '\'')) {
            quote = c;
            has_word = true;
        } else if (quote == 0 && (c == ' ' || c == '\t')) {
            if (has_word) {
                words.push_back(std::exchange(word, ""));
            }
            has_word = false;
        } else if (quote == 0 && c == '#' && !has_word) {
            break;
        } else {
            word += c;
            has_word = true;
        }
    }
    if (has_word) {
        words.push_back(std::move(word));
    }
    return words;
}

struct Section {
    std::string group = "ungrouped";
    std::string part = "hosts";
};

class IniReader {
public:
    IniReader(const std::string& file, Diagnostics& diagnostics)
        : file_(file)
        , diagnostics_(diagnostics) {}

    void take(int number, const std::string& line) {
        position_ = {file_, number, 1};
        if (line.empty() || line[0] == '#' || line[0] == ';') {
            return;
        }
        if (line[0] == '[') {
            take_section(line);
        } else if (section_.part == "hosts") {
            take_host(words_of(line));
        } else if (section_.part == "children") {
            groups_[section_.group].children.insert(line);
            groups_[line];
        } else {
            take_variable(line);
        }
    }

    [[nodiscard]] InventoryGroups groups() && { return std::move(groups_); }

private:
    void take_section(const std::string& line) {
        const auto end = line.find(']');
        const auto parts = split(line.substr(1, end == line.npos ? end : end - 1), ':');
        section_ = {parts[0], parts.size() > 1 ? parts[1] : "hosts"};
        groups_[section_.group];
        const bool is_known =
            section_.part == "hosts" || section_.part == "children" || section_.part == "vars";
        if (end == line.npos || !is_known) {
            complain(fmt::format("`{}` is no section of an inventory", line),
                     "expected [GROUP], [GROUP:children] or [GROUP:vars]");
        }
    }

    void take_host(const std::vector<std::string>& words) {
        InventoryVariables variables;
        for (std::size_t i = 1; i < words.size(); ++i) {
            const auto sign = words[i].find('=');
            if (sign == std::string::npos) {
                return complain(fmt::format("`{}` has no `=`", words[i]),
                                "write each variable behind a host as in ansible_user=me");
            }
            variables[words[i].substr(0, sign)] = words[i].substr(sign + 1);
        }
        std::string pattern = words.empty() ? "" : words[0];
        const auto colon = pattern.rfind(':');  // a port; colons of ranges stand in brackets
        if (colon != pattern.npos && pattern.find(']', colon) == pattern.npos
            && pattern.find(':') == pattern.rfind(':', colon)) {
            variables.emplace("ansible_port", pattern.substr(colon + 1));
            pattern.resize(colon);
        }
        const auto names = expand_ranges(pattern);
        if (names.empty()) {
            complain(fmt::format("`{}` stands for no host", pattern), "see its range in brackets");
        }
        for (const std::string& name : names) {
            groups_[section_.group].hosts[name].insert(variables.begin(), variables.end());
        }
    }

    void take_variable(const std::string& line) {
        const auto sign = line.find('=');
        if (sign == line.npos) {
            return complain(fmt::format("`{}` has no `=`", line), "expected NAME=VALUE");
        }
        const auto values = words_of(trim(line.substr(sign + 1)));
        groups_[section_.group].variables[trim(line.substr(0, sign))] = join(values, " ");
    }

    void complain(std::string summary, std::string suggestion) {
        diagnostics_.error("inventory.line", position_, std::move(summary), std::move(suggestion));
    }

    std::string file_;
    Diagnostics& diagnostics_;
    Position position_;
    Section section_;
    InventoryGroups groups_;
};

InventoryVariables variables_of(const Node& node) {
    InventoryVariables variables;
    for (const Entry& entry : node.entries) {
        if (entry.value.kind == Node::Kind::scalar) {
            variables[entry.key] = entry.value.scalar;
        }
    }
    return variables;
}

// Groups may stand at several places; what is said of them is joined.
void take_group(const std::string& name, const Node& node, InventoryGroups& groups) {
    InventoryGroup& group = groups[name];
    for (const Entry& entry : node["hosts"].entries) {
        for (const std::string& host : expand_ranges(entry.key)) {
            const auto variables = variables_of(entry.value);
            group.hosts[host].insert(variables.begin(), variables.end());
        }
    }
    const auto variables = variables_of(node["vars"]);
    group.variables.insert(variables.begin(), variables.end());
    for (const Entry& child : node["children"].entries) {
        groups[name].children.insert(child.key);
        take_group(child.key, child.value, groups);
    }
}

}  // namespace

InventoryGroups
read_inventory_ini(const std::string& file, std::string_view text, Diagnostics& diagnostics) {
    IniReader reader(file, diagnostics);
    int number = 0;
    for (const std::string& line : split(text, '\n')) {
        reader.take(++number, trim(line));
    }
    return std::move(reader).groups();
}

InventoryGroups
read_inventory_yaml(const std::string& file, std::string_view text, Diagnostics& diagnostics) {
    InventoryGroups groups;
    for (const Node& document : parse_yaml(text, file, false, diagnostics)) {
        for (const Entry& entry : document.entries) {
            take_group(entry.key, entry.value, groups);
        }
    }
    return groups;
}

}  // namespace drydock::pack
