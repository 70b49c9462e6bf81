// From a package's name to its graph: choose the environment, read its files, complete the graph.
//
// A package may have several environments, and the user chooses by `--env` with a folder or the end
// of its path. A folder that is no environment by itself is searched as if it were a package.
// Several packages with commas between them are read one by one and merged: the ids of one may be
// parents in another. Problems never stop the reading, but a reading with problems has no verdict.
#include "base/text.h"
#include "chain/environments.h"
#include "chain/graph.h"
#include "chain/paths.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace drydock::chain {

namespace {

constexpr std::size_t k_named_max = 8;  // environments in one sentence

void add_problem(Reading& reading, const std::string& text) {
    reading.problems.push_back({reading.package, 0, text});
}

// Returns the deepest folder above the path that is the chosen one or ends like it; empty if none.
std::string_view chosen_above(std::string_view path, std::string_view chosen) {
    std::string_view folder = folder_of(path);
    while (folder != "." && !ends_with_path(folder, chosen)) {
        folder = folder_of(folder);
    }
    return folder != "." || chosen == "." ? folder : "";
}

// A folder named by the user is read with all that is below it.
void read_deeper_too(Environment& environment) {
    std::move(environment.deeper.begin(),
              environment.deeper.end(),
              std::back_inserter(environment.files));
    environment.deeper.clear();
}

// Searches folders that are no environments by themselves. The result has the environments of each
// folder that matches; a single one takes the folder's name.
Result<std::vector<Environment>> within(Package& package, const std::string& chosen) {
    std::map<std::string, std::vector<std::string>> by_folder;
    for (const std::string& path : package.paths()) {
        if (const auto folder = chosen_above(path, chosen); !folder.empty()) {
            by_folder[std::string(folder)].push_back(path);
        }
    }
    std::vector<Environment> result;
    for (const auto& [folder, paths] : by_folder) {
        DRYDOCK_TRY_ASSIGN(std::vector<Environment> environments,
                           find_environments(package, paths));
        for (Environment& environment : environments) {
            read_deeper_too(environment);
        }
        if (environments.size() == 1) {
            environments.front().folder = folder;
        }
        std::move(environments.begin(), environments.end(), std::back_inserter(result));
    }
    return result;
}

// An exact match wins over matches by the end of the path. `x/versions` names the environment `x`.
std::vector<Environment> chosen_of(const std::vector<Environment>& environments,
                                   const std::string& chosen) {
    std::vector<Environment> exact;
    std::vector<Environment> by_end;
    for (const Environment& environment : environments) {
        if (environment.folder == chosen) {
            exact.push_back(environment);
        }
        const bool names_versions = below(environment.folder, "versions") == chosen;
        if (names_versions || ends_with_path(environment.folder, chosen)) {
            by_end.push_back(environment);
            if (names_versions && environment.files.empty()) {
                read_deeper_too(by_end.back());
            }
        }
    }
    return exact.empty() ? by_end : exact;
}

// The names are shown with their conventions, so that the user can copy one of them behind `--env`.
void refuse_several(Reading& reading, const std::vector<Environment>& environments) {
    std::vector<std::string> names;
    for (const Environment& environment : environments) {
        if (names.size() < k_named_max) {
            names.push_back(
                fmt::format("{} ({})", environment.folder, name_of(environment.convention)));
        }
    }
    const std::size_t hidden_count = environments.size() - names.size();
    add_problem(reading,
                fmt::format("it has {} environments; choose one with --env: {}{}",
                            environments.size(),
                            join(names, ", "),
                            hidden_count == 0 ? "" : fmt::format(" and {} more", hidden_count)));
}

// Names the environments that exist: the choice is often only misspelt.
void refuse_none(Reading& reading, const std::string& chosen) {
    if (chosen.empty()) {
        add_problem(
            reading,
            "no migrations were found in it (alembic, Django, Flyway, golang-migrate, Rails)");
        return;
    }
    add_problem(reading,
                fmt::format("no migrations were found in it under `{}`; {}",
                            chosen,
                            reading.environments.empty()
                                ? "it has no environment at all"
                                : "it has " + join(reading.environments, ", ")));
}

// Returns the environments that match the choice; without a choice, all of them.
Result<std::vector<Environment>>
select(Package& package, const std::string& chosen, Reading& reading) {
    DRYDOCK_TRY_ASSIGN(std::vector<Environment> environments,
                       find_environments(package, package.paths()));
    for (const Environment& environment : environments) {
        reading.environments.push_back(environment.folder);
    }
    if (chosen.empty()) {
        return environments;
    }
    auto matches = chosen_of(environments, chosen);
    return matches.empty() ? within(package, chosen)
                           : Result<std::vector<Environment>>(std::move(matches));
}

// Exactly one environment must remain. An environment without revisions is a problem, because an
// empty chain would compare as clean with anything.
void read_part(Package& package, const std::string& chosen, Reading& reading) {
    const auto environments =
        select(package, chosen.empty() ? chosen : clean_path(chosen), reading);
    if (!environments) {
        add_problem(reading, environments.error().message);
        return;
    }
    if (environments->size() > 1) {
        refuse_several(reading, *environments);
    } else if (environments->empty()) {
        refuse_none(reading, chosen);
    } else {
        read_environment(package, environments->front(), reading);
        if (reading.graph.revisions.empty() && reading.problems.empty()) {
            add_problem(reading,
                        fmt::format("the environment {} has no revision at all: an empty chain "
                                    "proves nothing, and an upgrade with it does nothing",
                                    environments->front().folder));
        }
    }
}

// The parts must follow one convention. Ids of one part may be parents in the other.
void merge(Reading& whole, Reading part) {
    if (whole.graph.environment.empty()) {
        whole.graph.environment = part.graph.environment;
        whole.graph.convention = part.graph.convention;
    } else if (part.problems.empty() && part.graph.convention != whole.graph.convention) {
        add_problem(whole, "its packages follow different conventions");
    }
    for (Revision& revision : part.graph.revisions) {
        whole.graph.revisions.push_back(std::move(revision));
    }
    std::move(part.notes.begin(), part.notes.end(), std::back_inserter(whole.notes));
    for (std::string& environment : part.environments) {
        whole.environments.push_back(std::move(environment));
    }
    for (Problem& problem : part.problems) {
        whole.problems.push_back(std::move(problem));
    }
}

// Splits the name at commas, unless a package with a comma in its name exists.
std::vector<std::string> parts_of(const std::string& package) {
    return package.find(',') == package.npos || open_package(package).has_value()
               ? std::vector{package}
               : split(package, ',');
}

}  // namespace

Reading read_texts(const std::string& name, Texts texts, const std::string& environment) {
    Reading reading;
    reading.package = name;
    const auto package = package_of(std::move(texts));
    read_part(*package, environment, reading);
    finish(reading);
    return reading;
}

// finish() runs on the merged graph, because one id may be in two packages.
Reading read_chain(const std::string& package, const std::string& environment) {
    Reading whole;
    whole.package = package;
    for (const std::string& name : parts_of(package)) {
        Reading part;
        part.package = name;
        if (auto content = open_package(name); content) {
            read_part(**content, environment, part);
        } else {
            add_problem(part, content.error().message);
        }
        merge(whole, std::move(part));
    }
    finish(whole);
    return whole;
}

}  // namespace drydock::chain
