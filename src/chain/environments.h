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
    std::vector<std::string> files;   // that may be migrations
    std::vector<std::string> nearby;  // alembic: of the folder, but under none of its locations;
                                      // Django: the apps.py of its apps
    std::vector<std::string> deeper;  // alembic: in folders of a location, which it does not enter
};

// All of them, by folder. `paths` are the sorted files of the package to look at.
[[nodiscard]] Result<std::vector<Environment>>
find_environments(Package& package, const std::vector<std::string>& paths);

// alembic.ini, pyproject.toml and the like: where revisions are kept, as folders of the package.
struct AlembicSettings {
    std::string script_location;
    std::vector<std::string> version_locations;  // empty: `versions` below the script location
    bool is_recursive = false;                   // whether folders of a location are entered
};

// `path`: of the configuration in the package; its locations are relative to its folder.
[[nodiscard]] std::vector<AlembicSettings> read_alembic_settings(std::string_view path,
                                                                 std::string_view text);

// The graph of one environment. Problems go into `reading`.
void read_environment(Package& package, const Environment& environment, Reading& reading);

}  // namespace drydock::chain
