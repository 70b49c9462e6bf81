// Hosts out of an inventory of Ansible: INI or YAML, with groups, children, ranges and variables.
//
// Read are the variables that say how a host is reached: ansible_host, ansible_user, ansible_port,
// ansible_connection (ssh or local), ansible_become and ansible_become_user. All others are passed
// over. Of several values the nearest counts: the host's own, then that of its deepest group.
#pragma once

#include "base/diagnostics.h"

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::pack {

using InventoryVariables = std::map<std::string, std::string>;

struct InventoryGroup {
    std::map<std::string, InventoryVariables> hosts;  // with the host's variables as given here
    std::set<std::string> children;
    InventoryVariables variables;
    Position position;
};

using InventoryGroups = std::map<std::string, InventoryGroup>;

struct InventoryHost {
    std::string name;
    std::vector<std::string> connect;  // {"ssh:", NAME}; empty: this machine
    std::vector<std::string> become;
};

// Returns the hosts of a group ("all": every host), by name. `file` ends in .yaml or .yml for YAML.
[[nodiscard]] std::vector<InventoryHost> read_inventory(const std::string& file,
                                                        std::string_view text,
                                                        const std::string& group,
                                                        Diagnostics& diagnostics);

// Returns the names that a pattern stands for: "m[01:03].x" is m01.x, m02.x and m03.x; [a:c], too.
// Empty if it is no pattern, or stands for more than 10,000.
[[nodiscard]] std::vector<std::string> expand_ranges(const std::string& pattern);

// The readers of the two forms. Private to this folder.
[[nodiscard]] InventoryGroups
read_inventory_ini(const std::string& file, std::string_view text, Diagnostics& diagnostics);
[[nodiscard]] InventoryGroups
read_inventory_yaml(const std::string& file, std::string_view text, Diagnostics& diagnostics);

}  // namespace drydock::pack
