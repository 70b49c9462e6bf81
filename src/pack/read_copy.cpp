// Each key of the request is an option of the command line (docs/commands.md). A value is written
// as `--option=VALUE`, so that none can be taken for an option or an address.
#include "pack/read_copy.h"

#include "pack/value_schema.h"

#include <array>
#include <string_view>

namespace drydock::pack {

namespace {

struct MoverOption {
    std::string_view key;
    std::string_view option;
};

constexpr std::array k_options = {
    MoverOption{"manifest", "--manifest"},
    MoverOption{"attributes", "--attributes"},
    MoverOption{"digest", "--digest"},
    MoverOption{"include", "--include"},
    MoverOption{"exclude", "--exclude"},
    MoverOption{"jobs", "--jobs"},
    MoverOption{"rate", "--bwlimit"},
    MoverOption{"journal", "--journal"},
    MoverOption{"profile", "--profile"},
    MoverOption{"target_profile", "--target-profile"},
    MoverOption{"endpoint", "--endpoint"},
    MoverOption{"target_endpoint", "--target-endpoint"},
    MoverOption{"region", "--region"},
    MoverOption{"target_region", "--target-region"},
    MoverOption{"ca", "--ca"},
};

// What is on or off.
constexpr std::array k_switches = {
    MoverOption{"one_file_system", "--one-file-system"},
    MoverOption{"versions", "--versions"},
    MoverOption{"replace", "--replace"},
    MoverOption{"settings", "--settings"},
    MoverOption{"from_disk", "--from-disk"},
    MoverOption{"read", "--read"},
    // The plan was read and approved, so nobody is asked on the host.
    MoverOption{"mirror", "--delete"},
    MoverOption{"mirror", "--yes"},
};

void add_values(const Node& node, std::string_view option, Json::Array& arguments) {
    for (const Node* value : items_of(node)) {
        arguments.emplace_back(std::string(option) + "=" + text_of(*value));
    }
}

}  // namespace

Json mover_arguments(const std::string& word, const Node& node) {
    Json::Array arguments = {"${drydock}", word, text_of(node["from"]), text_of(node["to"])};
    for (const auto& [key, option] : k_options) {
        add_values(node[std::string(key)], option, arguments);
    }
    for (const auto& [key, option] : k_switches) {
        if (boolean_of(node[std::string(key)])) {
            arguments.emplace_back(std::string(option));
        }
    }
    return Json(std::move(arguments));
}

}  // namespace drydock::pack
