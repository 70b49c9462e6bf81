// Which hosts a group has, and which variables count for each.
//
// Every host belongs to `all`. The depth of a group is its longest way from `all`; variables of
// deeper groups count more, and among equally deep ones the later name does, as Ansible has it.
#include "pack/inventory.h"

#include "base/text.h"
#include "pack/yaml.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace drydock::pack {
namespace {

constexpr std::size_t k_names_max = 10'000;
constexpr int k_group_depth_max = 64;

// Gives each group its depth below `all`. Returns false for groups that are children of themselves.
bool set_depths(const InventoryGroups& groups,
                const std::string& name,
                int depth,
                std::map<std::string, int>& depths) {
    if (depth > k_group_depth_max) {
        return false;
    }
    int& known = depths[name];
    known = std::max(known, depth);
    const auto group = groups.find(name);
    return group == groups.end()
           || std::all_of(group->second.children.begin(),
                          group->second.children.end(),
                          [&](const std::string& child) {
                              return set_depths(groups, child, depth + 1, depths);
                          });
}

bool has_host(const InventoryGroups& groups, const std::string& name, const std::string& host) {
    const auto group = groups.find(name);
    return group != groups.end()
           && (group->second.hosts.contains(host)
               || std::any_of(
                   group->second.children.begin(),
                   group->second.children.end(),
                   [&](const std::string& child) { return has_host(groups, child, host); }));
}

// Merges variables from the farthest group to the host itself.
InventoryVariables variables_of(const InventoryGroups& groups,
                                const std::map<std::string, int>& depths,
                                const std::string& host) {
    std::vector<std::pair<int, std::string>> order;
    for (const auto& [name, depth] : depths) {
        if (name == "all" || has_host(groups, name, host)) {
            order.emplace_back(depth, name);
        }
    }
    std::sort(order.begin(), order.end());
    InventoryVariables merged;
    const auto take = [&](const InventoryVariables& variables) {
        for (const auto& [key, value] : variables) {
            merged[key] = value;
        }
    };
    for (const auto& [depth, name] : order) {
        if (const auto group = groups.find(name); group != groups.end()) {
            take(group->second.variables);
        }
    }
    for (const auto& [name, group] : groups) {
        if (const auto own = group.hosts.find(host); own != group.hosts.end()) {
            take(own->second);
        }
    }
    return merged;
}

std::string value_of(const InventoryVariables& variables, std::initializer_list<const char*> keys) {
    for (const char* key : keys) {
        if (const auto found = variables.find(key); found != variables.end()) {
            return found->second;
        }
    }
    return "";
}

bool is_true(const std::string& text) {
    constexpr std::string_view k_words[] = {"yes", "true", "on", "1", "Yes", "True"};
    return std::find(std::begin(k_words), std::end(k_words), text) != std::end(k_words);
}

InventoryHost host_of(const std::string& name, const InventoryVariables& variables) {
    InventoryHost host;
    host.name = name;
    if (value_of(variables, {"ansible_connection"}) != "local") {
        const std::string address = value_of(variables, {"ansible_host", "ansible_ssh_host"});
        const std::string user = value_of(variables, {"ansible_user", "ansible_ssh_user"});
        const std::string port = value_of(variables, {"ansible_port", "ansible_ssh_port"});
        std::string words = (user.empty() ? "" : user + "@") + (address.empty() ? name : address);
        if (!port.empty()) {
            words = fmt::format("ssh://{}:{}", words, port);
        }
        host.connect = {"ssh:", std::move(words)};
    }
    if (is_true(value_of(variables, {"ansible_become"}))) {
        host.become = {"sudo", "-n"};
        if (const std::string user = value_of(variables, {"ansible_become_user"}); !user.empty()) {
            host.become.insert(host.become.end(), {"-u", user});
        }
    }
    return host;
}

// Says what cannot be taken over; true if there is nothing.
bool check_host(const std::string& file,
                const InventoryHost& host,
                const InventoryVariables& variables,
                Diagnostics& diagnostics) {
    std::vector<std::string> words = host.connect;
    words.insert(words.end(), host.become.begin(), host.become.end());
    const std::string how = value_of(variables, {"ansible_connection"});
    std::string problem;
    if (!how.empty() && how != "ssh" && how != "smart" && how != "local") {
        problem = fmt::format("ansible_connection `{}` is neither ssh nor local", how);
    } else if (std::any_of(words.begin(), words.end(), [](const std::string& word) {
                   return word.find("{{") != word.npos;
               })) {
        problem = "its variables hold a template, which only Ansible can fill in";
    } else if (words.size() > 1 && words[0] == "ssh:" && words[1].starts_with('-')) {
        problem = fmt::format("`{}` is no name of a host", words[1]);
    }
    if (!problem.empty()) {
        diagnostics.error("inventory.host",
                          {file, 0, 0},
                          fmt::format("host {}: {}", host.name, problem),
                          "write that host under `hosts:` by hand");
    }
    return problem.empty();
}

std::vector<std::string>
numbers_of(const std::string& first, const std::string& last, std::int64_t step) {
    std::int64_t from = 0;
    std::int64_t to = -1;
    std::from_chars(first.data(), first.data() + first.size(), from);
    std::from_chars(last.data(), last.data() + last.size(), to);
    std::vector<std::string> names;
    const bool has_zeros = first.size() > 1 && first[0] == '0';
    for (std::int64_t number = from; number <= to && names.size() <= k_names_max; number += step) {
        names.push_back(has_zeros ? fmt::format("{:0{}}", number, first.size())
                                  : std::to_string(number));
    }
    return names;
}

bool is_number(const std::string& text) {
    return !text.empty() && text.size() < 10
           && text.find_first_not_of("0123456789") == std::string::npos;
}

// Returns what stands for the words between brackets: "01:03", "1:9:2", "a:c".
std::vector<std::string> range_of(const std::string& words) {
    const auto parts = split(words, ':');
    std::int64_t step = 1;
    if (parts.size() == 3 && is_number(parts[2])) {
        std::from_chars(parts[2].data(), parts[2].data() + parts[2].size(), step);
    }
    if (parts.size() < 2 || parts.size() > 3 || step < 1) {
        return {};
    }
    if (is_number(parts[0]) && is_number(parts[1])) {
        return numbers_of(parts[0], parts[1], step);
    }
    std::vector<std::string> names;
    if (parts[0].size() == 1 && parts[1].size() == 1) {
        for (int letter = parts[0][0]; letter <= parts[1][0]; letter += static_cast<int>(step)) {
            names.emplace_back(1, static_cast<char>(letter));
        }
    }
    return names;
}

}  // namespace

std::vector<std::string> expand_ranges(const std::string& pattern) {
    const auto open = pattern.find('[');
    if (open == pattern.npos) {
        return {pattern};
    }
    const auto close = pattern.find(']', open);
    if (close == pattern.npos) {
        return {};
    }
    std::vector<std::string> names;
    for (const std::string& part : range_of(pattern.substr(open + 1, close - open - 1))) {
        for (const std::string& rest : expand_ranges(pattern.substr(close + 1))) {
            names.push_back(pattern.substr(0, open) + part + rest);
            if (names.size() > k_names_max) {
                return {};
            }
        }
    }
    return names;
}

std::vector<InventoryHost> read_inventory(const std::string& file,
                                          std::string_view text,
                                          const std::string& group,
                                          Diagnostics& diagnostics) {
    const bool is_yaml = file.ends_with(".yaml") || file.ends_with(".yml");
    InventoryGroups groups = is_yaml ? read_inventory_yaml(file, text, diagnostics)
                                     : read_inventory_ini(file, text, diagnostics);
    std::set<std::string> names;
    for (const auto& [name, members] : groups) {
        for (const auto& [host, variables] : members.hosts) {
            names.insert(host);
        }
        if (name != "all") {
            groups["all"].children.insert(name);
        }
    }
    std::map<std::string, int> depths;
    if (!set_depths(groups, "all", 0, depths)) {
        diagnostics.error("inventory.cycle",
                          {file, 0, 0},
                          "a group is a child of itself, or groups nest too deep",
                          "see the children of its groups");
        return {};
    }
    if (group != "all" && !groups.contains(group)) {
        diagnostics.error("inventory.group",
                          {file, 0, 0},
                          fmt::format("the inventory has no group `{}`", group),
                          "name one of its groups, or `all`");
        return {};
    }
    std::vector<InventoryHost> hosts;
    for (const std::string& name : names) {
        if (group != "all" && !has_host(groups, group, name)) {
            continue;
        }
        const InventoryVariables variables = variables_of(groups, depths, name);
        InventoryHost host = host_of(name, variables);
        if (check_host(file, host, variables, diagnostics)) {
            hosts.push_back(std::move(host));
        }
    }
    return hosts;
}

}  // namespace drydock::pack
