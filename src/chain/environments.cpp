// Finds the environments of a package by the names of its files.
//
// A package does not say where its migrations are. The search goes from sure signs to weak ones.
// These are alembic's settings, an env.py beside a template or above `versions`, a folder
// `versions` with files that name parents, Django's `migrations`, and numbered files. If nothing
// was found, every Python file is looked into. Texts are read only where the names leave a doubt,
// because a wheel may have thousands of files.
//
// A file belongs to the environment with settings that name its folder, else to the deepest script
// folder above it. The rules are in docs/chains.md. read_environment.cpp reads the files.
#include "chain/environments.h"

#include "chain/alembic.h"
#include "chain/django.h"
#include "chain/numbered.h"
#include "chain/paths.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace drydock::chain {

namespace {

using Paths = std::vector<std::string>;

// Returns false for files of a folder with revisions that alembic itself passes over.
bool is_imported(std::string_view path) {
    const std::string_view leaf = leaf_of(path);
    return ends_with(leaf, ".py") && leaf.substr(0, 8) != "__init__" && leaf.substr(0, 2) != ".#";
}

// Outside of a location, files with the names of other programs are left out, too.
bool may_be_revision(std::string_view path) {
    const std::string_view leaf = leaf_of(path);
    return is_imported(path) && leaf != "env.py" && leaf != "setup.py" && leaf != "conftest.py";
}

bool mentions_parents(std::string_view text) {
    return text.find("down_revision") != text.npos;
}

// "a/versions/x/y.py" gives "a"; the result is empty if no folder of the path is called `versions`.
std::string above_versions(std::string_view path) {
    std::string_view folder = folder_of(path);
    while (folder != "." && leaf_of(folder) != "versions") {
        folder = folder_of(folder);
    }
    return folder == "." ? "" : std::string(folder_of(folder));
}

class EnvironmentFinder {
public:
    EnvironmentFinder(Package& package, const Paths& paths) : package_(package), paths_(paths) {}

    Result<std::vector<Environment>> find() {
        DRYDOCK_TRY(read_settings());
        find_scripts();
        DRYDOCK_TRY(find_alembic());
        DRYDOCK_TRY(find_django());
        find_numbered();
        if (environments_.empty()) {
            DRYDOCK_TRY(find_anywhere());
        }
        std::sort(environments_.begin(),
                  environments_.end(),
                  [](const Environment& a, const Environment& b) { return a.folder < b.folder; });
        return std::move(environments_);
    }

private:
    // Names such as production-alembic.ini count, too.
    Status read_settings() {
        Paths config_paths;
        for (const std::string& path : paths_) {
            if (ends_with(leaf_of(path), "alembic.ini") || leaf_of(path) == "pyproject.toml") {
                config_paths.push_back(path);
            }
        }
        DRYDOCK_TRY_ASSIGN(const Texts texts, package_.read(config_paths));
        for (const auto& [path, text] : texts) {
            for (AlembicSettings& settings : read_alembic_settings(path, text)) {
                settings_.push_back(std::move(settings));
            }
        }
        return {};
    }

    // A script location is matched by the end of the folder's path: an archive may hold the source
    // tree below another folder.
    [[nodiscard]] const AlembicSettings* settings_of(std::string_view folder) const {
        const auto match =
            std::find_if(settings_.begin(), settings_.end(), [&](const AlembicSettings& settings) {
                return ends_with_path(folder, settings.script_location);
            });
        return match == settings_.end() ? nullptr : &*match;
    }

    // Finds the script folders. They have an env.py, and beside it a template, a `versions` folder,
    // or settings that name them. An env.py alone may be any program's file.
    void find_scripts() {
        std::set<std::string> with_template;
        std::set<std::string> with_versions;
        std::string_view last_folder;
        for (const std::string& path : paths_) {
            const std::string_view folder = folder_of(path);
            if (leaf_of(path) == "script.py.mako") {
                with_template.emplace(folder);
            } else if (folder != last_folder && ends_with(path, ".py")) {
                last_folder = folder;  // one answer for all files of a folder
                with_versions.insert(above_versions(path));
            }
        }
        for (const std::string& path : paths_) {
            if (leaf_of(path) != "env.py") {
                continue;
            }
            const std::string folder(folder_of(path));
            if ((with_template.contains(folder) || with_versions.contains(folder)
                 || settings_of(folder) != nullptr)) {
                scripts_.insert(folder);
            }
        }
    }

    // Returns the deepest script folder above the path; empty if there is none.
    [[nodiscard]] std::string script_above(std::string_view path) const {
        if (scripts_.empty()) {
            return {};
        }
        for (std::string_view folder = folder_of(path);; folder = folder_of(folder)) {
            if (scripts_.contains(folder)) {
                return std::string(folder);
            }
            if (folder == ".") {
                return {};
            }
        }
    }

    // Returns the script folder with settings that name the file's folder; empty if there is none.
    [[nodiscard]] std::string script_by_settings(std::string_view path) const {
        for (const std::string& script : scripts_) {
            const AlembicSettings* settings = settings_of(script);
            if (settings != nullptr && !location_above(path, *settings).empty()) {
                return script;
            }
        }
        return {};
    }

    // Returns the deepest folder above the path that is one of the locations; empty if there is
    // none.
    static std::string_view location_above(std::string_view path, const AlembicSettings& settings) {
        const auto& locations = settings.version_locations;
        std::string_view folder = folder_of(path);
        const auto is_location = [&](const std::string& location) {
            return ends_with_path(folder, location);
        };
        while (folder != "." && std::none_of(locations.begin(), locations.end(), is_location)) {
            folder = folder_of(folder);
        }
        const bool is_whole = std::find(locations.begin(), locations.end(), ".") != locations.end();
        return folder != "." || is_whole ? folder : "";
    }

    // Sorts every file that may be a revision into its environment. Files of a location are
    // revisions for sure. Files in folders below it, and other files below the script folder, are
    // kept apart: only the chain itself shows whether they belong to it.
    Status find_alembic() {
        std::map<std::string, Environment> by_folder;
        std::set<std::string> scriptless;
        for (const std::string& script : scripts_) {
            by_folder[script].folder = script;
        }
        Home home;
        std::string_view last_folder;
        for (const std::string& path : paths_) {
            if (!is_imported(path)) {
                continue;
            }
            if (folder_of(path) != last_folder) {
                last_folder = folder_of(path);
                home = home_of(path);
            }
            if (home.folder.empty() || (home.place != Place::location && !may_be_revision(path))) {
                continue;
            }
            Environment& environment = by_folder[home.folder];
            environment.folder = home.folder;
            (home.place == Place::location ? environment.files
             : home.place == Place::deeper ? environment.deeper
                                           : environment.nearby)
                .push_back(path);
            if (!home.has_script) {
                scriptless.insert(home.folder);
            }
        }
        DRYDOCK_TRY(drop_other_versions_folders(by_folder, scriptless));
        for (auto& [folder, environment] : by_folder) {
            environments_.push_back(std::move(environment));
        }
        return {};
    }

    // The relation of a folder to the locations: it is one, it lies below one, or neither.
    enum class Place { location, deeper, nearby };

    // The environment that the revisions of a folder belong to. It is the same for all files of a
    // folder.
    struct Home {
        std::string folder;  // of the environment; empty: none
        Place place = Place::location;
        bool has_script = true;
    };

    // alembic enters the folders of a location only with `recursive_version_locations`.
    static Place place_in(std::string_view path, std::string_view location, bool is_recursive) {
        return is_recursive || folder_of(path) == location ? Place::location : Place::deeper;
    }

    // Settings decide first, then the nearest script folder, then a folder named `versions`.
    [[nodiscard]] Home home_of(std::string_view path) const {
        if (std::string owner = script_by_settings(path); !owner.empty()) {
            const AlembicSettings& settings = *settings_of(owner);
            return {owner, place_in(path, location_above(path, settings), settings.is_recursive)};
        }
        std::string script = script_above(path);
        if (script.empty()) {
            const std::string folder = above_versions(path);
            return {folder, place_in(path, below(folder, "versions"), false), false};
        }
        const AlembicSettings* settings = settings_of(script);
        const std::string versions = below(script, "versions");
        const bool is_elsewhere = settings != nullptr && !settings->version_locations.empty();
        const bool is_recursive = settings != nullptr && settings->is_recursive;
        return {std::move(script),
                is_elsewhere || !lies_in(path, versions) ? Place::nearby
                                                         : place_in(path, versions, is_recursive)};
    }

    // A folder `versions` without an env.py above is an environment only if its files name parents.
    Status drop_other_versions_folders(std::map<std::string, Environment>& by_folder,
                                       const std::set<std::string>& scriptless) {
        for (const std::string& folder : scriptless) {
            Paths paths = by_folder[folder].files;
            const Paths& deeper = by_folder[folder].deeper;
            paths.insert(paths.end(), deeper.begin(), deeper.end());
            DRYDOCK_TRY_ASSIGN(const Texts texts, package_.read(paths));
            const bool is_ours = std::any_of(texts.begin(), texts.end(), [](const auto& entry) {
                return mentions_parents(entry.second);
            });
            if (!is_ours) {
                by_folder.erase(folder);
            }
        }
        return {};
    }

    // All apps of a package are one environment, because their migrations depend on each other.
    Status find_django() {
        Paths candidates;
        for (const std::string& path : paths_) {
            if (may_be_django(path) && script_above(path).empty()) {
                candidates.push_back(path);
            }
        }
        DRYDOCK_TRY_ASSIGN(const Texts texts, package_.read(candidates));
        std::set<std::string, std::less<>> folders;
        for (const auto& [path, text] : texts) {
            if (text.find("class Migration") != text.npos) {
                folders.emplace(folder_of(path));
            }
        }
        Environment environment;
        environment.convention = Convention::django;
        for (const auto& [path, text] : texts) {
            if (folders.contains(folder_of(path))) {
                environment.files.push_back(path);
            }
        }
        for (const std::string& folder : folders) {
            widen(environment.folder, folder);
            const std::string apps = below(folder_of(folder), "apps.py");
            if (std::binary_search(paths_.begin(), paths_.end(), apps)) {
                environment.nearby.push_back(apps);
            }
        }
        if (!environment.files.empty()) {
            environments_.push_back(std::move(environment));
        }
        return {};
    }

    // Replaces `folder` by the deepest folder that holds both.
    static void widen(std::string& folder, std::string_view file_folder) {
        if (folder.empty()) {
            folder = file_folder;
        }
        while (folder != "." && folder != file_folder && !lies_in(file_folder, folder)) {
            folder = std::string(folder_of(folder));
        }
    }

    // Two conventions in one folder are two environments.
    void find_numbered() {
        std::map<std::string, Environment> by_folder;
        for (const std::string& path : paths_) {
            if (const auto convention = numbered_convention(path)) {
                const std::string folder(numbered_home(*convention, path));
                Environment& environment =
                    by_folder[fmt::format("{} {}", folder, name_of(*convention))];
                environment.convention = *convention;
                environment.folder = folder;
                environment.files.push_back(path);
            }
        }
        for (auto& [key, environment] : by_folder) {
            environments_.push_back(std::move(environment));
        }
    }

    // Runs if no name gave a sign: every Python file is looked into.
    Status find_anywhere() {
        Paths candidates;
        std::copy_if(paths_.begin(), paths_.end(), std::back_inserter(candidates), may_be_revision);
        DRYDOCK_TRY_ASSIGN(const Texts texts, package_.read(candidates));
        std::map<std::string, Environment> by_folder;
        for (const auto& [path, text] : texts) {
            if (mentions_parents(text) && read_alembic(path, text).declares) {
                Environment& environment = by_folder[std::string(folder_of(path))];
                environment.folder = folder_of(path);
                environment.files.push_back(path);
            }
        }
        for (auto& [folder, environment] : by_folder) {
            environments_.push_back(std::move(environment));
        }
        return {};
    }

    Package& package_;
    const Paths& paths_;
    std::vector<AlembicSettings> settings_;
    std::set<std::string, std::less<>> scripts_;
    std::vector<Environment> environments_;
};

}  // namespace

Result<std::vector<Environment>> find_environments(Package& package, const Paths& paths) {
    return EnvironmentFinder(package, paths).find();
}

}  // namespace drydock::chain
