// Reads twins. The pack of a twin is read from memory: its own files lie over those of the pack,
// and so all positions first name the pack's folder. The twin's own names take their place here.
#include "trial/twin.h"

#include "pack/files.h"
#include "pack/load.h"
#include "planner/interpolation.h"
#include "planner/planner.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>

namespace drydock::trial {

namespace {

namespace fs = std::filesystem;

using Files = std::map<std::string, std::string>;

constexpr std::string_view k_installed = "packs/";
// Files of a twin that are no part of its pack.
constexpr std::array<std::string_view, 4> k_other_files = {
    "README.md", "cluster.yaml", "facts.yaml", "plan.yaml"};

bool is_part_of_pack(const std::string& name) {
    const std::string folder = fs::path(name).parent_path().string();
    return name == "pack.yaml" || name == "releases.yaml" || folder == "scripts"
           || (folder == "procedures" && name.ends_with(".yaml"));
}

std::string pack_folder(const Case& about, const Settings& settings) {
    if (about.pack.starts_with(k_installed)) {
        return settings.packs + "/" + about.pack.substr(k_installed.size());
    }
    return about.folder + "/" + (about.pack.empty() ? "pack" : about.pack);
}

std::string own_folder(const Case& about, const std::string& which) {
    return about.folder + "/" + which;
}

bool is_inside_path(const std::string& text, std::size_t at) {
    return at > 0
           && (std::isalnum(static_cast<unsigned char>(text[at - 1])) != 0
               || std::string_view("/_-.").find(text[at - 1]) != std::string_view::npos);
}

// Replaces the begin of paths.
void replace_all(std::string& text, const std::string& old_part, const std::string& new_part) {
    std::size_t at = text.find(old_part);
    while (at != std::string::npos) {
        const bool is_begin = !is_inside_path(text, at);
        if (is_begin) {
            text.replace(at, old_part.size(), new_part);
        }
        at = text.find(old_part, at + (is_begin ? new_part : old_part).size());
    }
}

// The names of all files below a folder, sorted.
std::vector<std::string> names_below(const std::string& folder) {
    std::vector<std::string> names;
    std::error_code ignored;  // a folder that is missing has no files
    for (fs::recursive_directory_iterator entry(folder, ignored), end; entry != end;
         entry.increment(ignored)) {
        if (entry->is_regular_file(ignored)) {
            names.push_back(entry->path().lexically_relative(folder).string());
        }
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::vector<std::string> own_files(const Case& about, const std::string& which) {
    return which.empty() ? std::vector<std::string>() : names_below(own_folder(about, which));
}

void read_pack_files(const std::string& folder, Files& files, Diagnostics& problems) {
    for (const std::string& name : names_below(folder)) {
        if (is_part_of_pack(name)) {
            if (auto text = pack::read_text(folder + "/" + name, problems)) {
                files[name] = *std::move(text);
            }
        }
    }
}

// A misspelt name would otherwise be a twin that does not differ.
void check_own_names(const Case& about, const std::string& which, Diagnostics& problems) {
    for (const std::string& name : own_files(about, which)) {
        const bool is_other = std::count(k_other_files.begin(), k_other_files.end(), name) > 0;
        if (!is_part_of_pack(name) && !is_other) {
            problems.error("file.unknown",
                           {own_folder(about, which) + "/" + name, 0, 0},
                           "no file of a pack or of a case has this name",
                           "known are pack.yaml, releases.yaml, procedures/*.yaml, scripts/*, "
                           "facts.yaml, plan.yaml and cluster.yaml");
        }
    }
}

std::string own_or_shared(const Case& about, const std::string& which, const std::string& file) {
    const std::string own = own_folder(about, which) + "/" + file;
    return is_file(own) ? own : about.folder + "/" + file;
}

// Releases of the cluster file win over those of the pack, as in every command.
void add_releases(Project& project) {
    if (project.pack && project.cluster) {
        for (const auto& [version, release] : project.cluster->releases) {
            project.pack->releases.insert_or_assign(version, release);
        }
    }
}

// Returns the problems with their files: the twin's own files stand for those of the pack.
Diagnostics with_own_files(const Case& about,
                           const std::string& which,
                           const std::string& folder,
                           const Diagnostics& problems) {
    const auto names = own_files(about, which);
    Diagnostics own;
    for (const Diagnostic& one : problems.all()) {
        Position where = one.position;
        for (const std::string& name : names) {
            where.file = where.file == folder + "/" + name ? own_folder(about, which) + "/" + name
                                                           : where.file;
        }
        if (one.severity == Severity::error) {
            own.error(one.code, where, one.summary, one.suggestion);
        } else {
            own.warning(one.code, where, one.summary, one.suggestion);
        }
    }
    return own;
}

const pack::Schema& plan_schema() {
    static const pack::Schema schema =
        pack::table({pack::required("to", pack::version(), "the version to reach", "\"7.4.3\"")});
    return schema;
}

InputResult<std::string>
read_target(const Case& about, const std::string& which, const Settings& settings) {
    if (!settings.to.empty()) {
        return settings.to;
    }
    DRYDOCK_TRY_ASSIGN(const pack::Node plan,
                       read_document(own_or_shared(about, which, "plan.yaml"), plan_schema()));
    return pack::text_of(plan["to"]);
}

// The shared file and the twin's own; one of them must be there.
InputResult<std::vector<FactsFile>>
read_facts(const Case& about, const std::string& which, const Twin& twin) {
    std::vector<std::string> paths = {about.folder + "/facts.yaml"};
    if (const std::string own = own_folder(about, which) + "/facts.yaml";
        !which.empty() && is_file(own)) {
        paths.push_back(own);
        if (!is_file(paths.front())) {
            paths.erase(paths.begin());
        }
    }
    std::vector<FactsFile> files;
    for (const std::string& path : paths) {
        DRYDOCK_TRY_ASSIGN(FactsFile facts, read_facts_file(path, twin.pack, twin.cluster));
        files.push_back(std::move(facts));
    }
    return files;
}

Result<std::string> survey(Twin& twin) {
    DRYDOCK_TRY_ASSIGN(const model::FactSources sources,
                       planner::bind_sources(twin.pack, twin.cluster));
    twin.facts = observe(twin.told, sources, twin.cluster);
    return planner::current_version(twin.pack, twin.cluster, twin.facts, twin.to);
}

}  // namespace

std::string with_places(const Case& about,
                        const std::string& which,
                        const Settings& settings,
                        const model::Pack& pack,
                        std::string text) {
    const std::string in_plans = planner::folder_in_plans(pack) + "/";
    for (const std::string& name : own_files(about, which)) {
        replace_all(text, in_plans + name, own_folder(about, which) + "/" + name);
    }
    if (!about.pack.starts_with(k_installed)) {
        replace_all(text, in_plans, pack_folder(about, settings) + "/");
    }
    return text;
}

InputResult<Project>
read_project(const Case& about, const std::string& which, const Settings& settings) {
    const std::string folder = pack_folder(about, settings);
    Files files;
    Project project;
    read_pack_files(folder, files, project.problems);
    if (!which.empty()) {
        check_own_names(about, which, project.problems);
        read_pack_files(own_folder(about, which), files, project.problems);
    }
    if (project.problems.has_errors()) {
        return tl::unexpected(std::move(project.problems));
    }
    auto read = pack::read_pack(folder, files);
    project.problems.add(with_own_files(about, which, folder, read.diagnostics));
    project.pack = std::move(read.value);
    if (project.pack) {
        auto cluster = pack::load_cluster(
            own_or_shared(about, which, "cluster.yaml"), *project.pack, pack::HostUse::none);
        project.problems.add(std::move(cluster.diagnostics));
        project.cluster = std::move(cluster.value);
    }
    add_releases(project);
    return project;
}

InputResult<Twin>
read_twin(const Case& about, const std::string& which, const Settings& settings, Project project) {
    Twin twin = {
        std::move(project.pack).value(), std::move(project.cluster).value(), {}, {}, {}, {}};
    DRYDOCK_TRY_ASSIGN(twin.to, read_target(about, which, settings));
    DRYDOCK_TRY_ASSIGN(twin.told, read_facts(about, which, twin));
    auto from = survey(twin);
    if (!from) {
        return refuse(from.error(), twin.told.back().file);
    }
    twin.from = std::move(*from);
    return twin;
}

Status survey_for_plan(Twin& twin) {
    DRYDOCK_TRY_ASSIGN(
        const model::FactSources sources,
        planner::bind_sources(twin.pack, twin.cluster, {twin.from, twin.to, "run", ""}));
    model::FactBook facts = observe(twin.told, sources, twin.cluster);
    facts.merge(twin.facts);
    twin.facts = std::move(facts);
    return {};
}

}  // namespace drydock::trial
