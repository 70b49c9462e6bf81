// Environments: the folders of a package that hold migrations, and the convention of each.
#pragma once

#include "chain/chain.h"
#include "chain/package.h"

#include <string>
#include <string_view>
#include <vector>

namespace drydock::chain {

struct Environment {
    Convention convention = Convention::alembic;
    std::string folder;
    std::vector<std::string> files;   // possible migrations
    std::vector<std::string> nearby;  // alembic: files of the folder outside of its locations;
                                      // Django: the apps.py of its apps
    std::vector<std::string> deeper;  // alembic: files in folders that it does not enter
};

// Returns all environments, sorted by folder. `paths` are the sorted files to look at.
[[nodiscard]] Result<std::vector<Environment>>
find_environments(Package& package, const std::vector<std::string>& paths);

// The places of revisions by alembic.ini, pyproject.toml and the like, as folders of the package.
struct AlembicSettings {
    std::string script_location;
    std::vector<std::string> version_locations;  // empty: `versions` below the script location
    bool is_recursive = false;                   // alembic enters the folders of a location
};

// Reads a configuration. Its locations are relative to the folder of `path`.
[[nodiscard]] std::vector<AlembicSettings> read_alembic_settings(std::string_view path,
                                                                 std::string_view text);

// Reads the graph of one environment. Problems go into `reading`.
void read_environment(Package& package, const Environment& environment, Reading& reading);

}  // namespace drydock::chain
