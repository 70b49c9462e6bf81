// Finds the environments of a package by the names of its files, and reads one of them.
//
// A package does not say where its migrations are. The search goes from sure signs to weak ones.
// These are alembic.ini, an env.py beside a template or `versions`, a folder `versions` with files
// that name parents, Django's `migrations`, and numbered files. If nothing was found, every Python
// file is looked into. Texts are read only where the names leave a doubt, because a wheel may have
// thousands of files. A file belongs to the environment with settings that name its folder, else to
// the deepest script folder above it. docs/chains.md says how a file is read.
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

// Returns false for files that alembic itself ignores.
bool may_be_revision(std::string_view path) {
    const std::string_view leaf = leaf_of(path);
    return ends_with(leaf, ".py") && leaf.substr(0, 8) != "__init__" && leaf.substr(0, 2) != ".#"
           && leaf != "env.py" && leaf != "setup.py" && leaf != "conftest.py";
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
        Paths ini_paths;
        for (const std::string& path : paths_) {
            if (leaf_of(path) == "alembic.ini" || ends_with(leaf_of(path), "alembic.ini")) {
                ini_paths.push_back(path);
            }
        }
        DRYDOCK_TRY_ASSIGN(const Texts texts, package_.read(ini_paths));
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

    // Finds the script folders: those with an env.py, and with a template, a `versions` folder or
    // settings that name them. An env.py alone may be any program's file.
    void find_scripts() {
        std::set<std::string> with_template;
        std::set<std::string> with_versions;
        std::string_view last;
        for (const std::string& path : paths_) {
            const std::string_view folder = folder_of(path);
            if (leaf_of(path) == "script.py.mako") {
                with_template.emplace(folder);
            } else if (folder != last && ends_with(path, ".py")) {
                last = folder;  // paths are sorted: one look for each folder
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
            if (settings != nullptr && is_located(path, *settings)) {
                return script;
            }
        }
        return {};
    }

    // Revisions may lie in folders below a location.
    static bool is_located(std::string_view path, const AlembicSettings& settings) {
        return std::any_of(settings.version_locations.begin(),
                           settings.version_locations.end(),
                           [&](const std::string& location) {
                               std::string_view folder = folder_of(path);
                               while (folder != "." && !ends_with_path(folder, location)) {
                                   folder = folder_of(folder);
                               }
                               return folder != "." || location == ".";
                           });
    }

    // Sorts every file that may be a revision into its environment. Files of a location are
    // revisions for sure. Other files below the script folder are kept as `nearby`, for chains that
    // lead through them.
    Status find_alembic() {
        std::map<std::string, Environment> by_folder;
        std::set<std::string> scriptless;
        for (const std::string& script : scripts_) {
            by_folder[script] = {Convention::alembic, script, {}, {}};
        }
        Home home;
        std::string_view last;
        for (const std::string& path : paths_) {
            if (!may_be_revision(path)) {
                continue;
            }
            if (folder_of(path) != last) {
                last = folder_of(path);
                home = home_of(path);
            }
            if (home.folder.empty()) {
                continue;
            }
            Environment& environment = by_folder[home.folder];
            environment.folder = home.folder;
            (home.is_location ? environment.files : environment.nearby).push_back(path);
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

    // The environment that the revisions of a folder belong to. It is the same for all files of a
    // folder.
    struct Home {
        std::string folder;  // the environment's folder; empty: none
        bool is_location = true;
        bool has_script = true;
    };

    // Settings decide first, then the nearest script folder, then a folder named `versions`.
    [[nodiscard]] Home home_of(std::string_view path) const {
        if (std::string located = script_by_settings(path); !located.empty()) {
            return {std::move(located)};
        }
        std::string script = script_above(path);
        if (script.empty()) {
            return {above_versions(path), true, false};
        }
        const AlembicSettings* settings = settings_of(script);
        const bool elsewhere = settings != nullptr && !settings->version_locations.empty();
        const bool is_location = !elsewhere && lies_in(path, below(script, "versions"));
        return {std::move(script), is_location};
    }

    // A folder `versions` without an env.py above is an environment only if its files name parents.
    Status drop_other_versions_folders(std::map<std::string, Environment>& by_folder,
                                       const std::set<std::string>& scriptless) {
        for (const std::string& folder : scriptless) {
            DRYDOCK_TRY_ASSIGN(const Texts texts, package_.read(by_folder[folder].files));
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
        Environment environment = {Convention::django, {}, {}, {}};
        for (const auto& [path, text] : texts) {
            if (text.find("class Migration") != text.npos) {
                environment.files.push_back(path);
                widen(environment.folder, folder_of(path));
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
                const std::string folder(folder_of(path));
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

class AlembicReader {
public:
    AlembicReader(Package& package, const Environment& environment, Reading& reading)
        : package_(package)
        , environment_(environment)
        , reading_(reading) {}

    // Files beside the locations count only if the chain leads through them: a revision of either
    // group names one of the other. Otherwise their problems would refuse the whole package.
    void read() {
        add(environment_.files, reading_.graph.revisions, reading_.problems, true);
        std::vector<Revision> nearby;
        std::vector<Problem> doubts;
        add(environment_.nearby, nearby, doubts, false);
        if (reading_.graph.revisions.empty() || are_linked(reading_.graph.revisions, nearby)
            || are_linked(nearby, reading_.graph.revisions)) {
            std::move(nearby.begin(), nearby.end(), std::back_inserter(reading_.graph.revisions));
            std::move(doubts.begin(), doubts.end(), std::back_inserter(reading_.problems));
        }
    }

private:
    // With `is_location` alembic takes every file of the folder for a revision, and fails at
    // others.
    void add(const Paths& paths,
             std::vector<Revision>& revisions,
             std::vector<Problem>& problems,
             bool is_location) {
        const auto texts = package_.read(paths);
        if (!texts) {
            problems.push_back({reading_.package, 0, texts.error().message});
            return;
        }
        for (const auto& [path, text] : *texts) {
            if (!is_location && !mentions_parents(text)) {
                continue;
            }
            RevisionFile file = read_alembic(path, text);
            std::move(file.problems.begin(), file.problems.end(), std::back_inserter(problems));
            if (file.revision) {
                revisions.push_back(std::move(*file.revision));
            } else if (file.problems.empty() && is_location && is_direct(path)) {
                problems.push_back(
                    {path, 0, "there is no `revision`; alembic stops at such a file"});
            }
        }
    }

    // alembic reads deeper folders only with `recursive_version_locations`, so that a file without
    // a revision is no problem there.
    [[nodiscard]] bool is_direct(const std::string& path) const {
        return folder_of(path) == below(environment_.folder, "versions");
    }

    // Returns true if `upper` names one of `lower` as a parent or dependency.
    static bool are_linked(const std::vector<Revision>& upper, const std::vector<Revision>& lower) {
        std::set<std::string_view> ids;
        for (const Revision& revision : lower) {
            ids.insert(revision.id);
        }
        const auto names_one = [&](const std::vector<std::string>& list) {
            return std::any_of(
                list.begin(), list.end(), [&](const std::string& id) { return ids.contains(id); });
        };
        return std::any_of(upper.begin(), upper.end(), [&](const Revision& revision) {
            return names_one(revision.parents) || names_one(revision.depends_on);
        });
    }

    Package& package_;
    const Environment& environment_;
    Reading& reading_;
};

}  // namespace

Result<std::vector<Environment>> find_environments(Package& package, const Paths& paths) {
    return EnvironmentFinder(package, paths).find();
}

void read_environment(Package& package, const Environment& environment, Reading& reading) {
    reading.graph.convention = environment.convention;
    reading.graph.environment = environment.folder;
    if (environment.convention == Convention::alembic) {
        AlembicReader(package, environment, reading).read();
        return;
    }
    const auto texts = package.read(environment.files);
    if (!texts) {
        reading.problems.push_back({reading.package, 0, texts.error().message});
    } else if (environment.convention == Convention::django) {
        read_django(*texts, reading);
    } else {
        read_numbered(environment.convention, *texts, reading);
    }
}

}  // namespace drydock::chain
