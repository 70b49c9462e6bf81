// Reads the files of one environment by its convention.
//
// alembic takes the files of its locations and no others. A package may hold similar files beside
// the locations, and in folders that alembic does not enter. A chain that leads through them needs
// them; in all other cases they are only noted. So a stray copy of a revision does not refuse the
// whole package.
#include "base/text.h"
#include "chain/alembic.h"
#include "chain/django.h"
#include "chain/environments.h"
#include "chain/numbered.h"
#include "chain/paths.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace drydock::chain {

namespace {

using Paths = std::vector<std::string>;

constexpr std::size_t k_named_max = 4;  // folders in one sentence

class AlembicReader {
public:
    AlembicReader(Package& package, const Environment& environment, Reading& reading)
        : package_(package)
        , environment_(environment)
        , reading_(reading) {}

    // Files beside the locations count in two cases: the locations have no revision, or a revision
    // of the locations names one of them. Otherwise their problems would refuse the whole package.
    void read() {
        add(environment_.files, reading_.graph.revisions, reading_.problems, true);
        std::vector<Revision> nearby;
        std::vector<Problem> nearby_problems;
        add(environment_.nearby, nearby, nearby_problems, false);
        if (reading_.graph.revisions.empty() || are_linked(reading_.graph.revisions, nearby)) {
            std::move(nearby.begin(), nearby.end(), std::back_inserter(reading_.graph.revisions));
            std::move(nearby_problems.begin(),
                      nearby_problems.end(),
                      std::back_inserter(reading_.problems));
        } else if (!nearby.empty()) {
            reading_.notes.push_back(
                fmt::format("{}: {} beside the location {} like a revision, as {}; alembic does "
                            "not look there.",
                            reading_.package,
                            nearby.size() == 1 ? "1 file" : fmt::format("{} files", nearby.size()),
                            nearby.size() == 1 ? "looks" : "look",
                            nearby.front().file));
        }
        read_deeper();
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
            if (!is_location && text.find("down_revision") == text.npos) {
                continue;
            }
            RevisionFile file = read_alembic(path, text);
            std::move(file.problems.begin(), file.problems.end(), std::back_inserter(problems));
            if (file.revision) {
                revisions.push_back(std::move(*file.revision));
            } else if (file.problems.empty() && is_location) {
                problems.push_back(
                    {path, 0, "there is no `revision`; alembic stops at such a file"});
            }
        }
    }

    // Counts the files that alembic does not reach. They are no revisions, but their makers may
    // think so.
    void read_deeper() {
        std::vector<Revision> revisions;
        std::vector<Problem> problems;
        add(environment_.deeper, revisions, problems, false);
        if (revisions.empty() && problems.empty()) {
            return;
        }
        std::set<std::string> folders;
        for (const Revision& revision : revisions) {
            folders.insert(std::string(folder_of(revision.file)));
        }
        for (const Problem& problem : problems) {
            folders.insert(std::string(folder_of(problem.file)));
        }
        say_deeper(revisions.size() + problems.size(), folders);
    }

    // Without any other revision the count is a problem, as a wrong choice of the folder is likely.
    void say_deeper(std::size_t count, const std::set<std::string>& folders) {
        std::vector<std::string> names(folders.begin(), folders.end());
        const bool are_many = names.size() > k_named_max;
        names.resize(std::min(names.size(), k_named_max));
        const std::string text =
            fmt::format("{} {} like a revision in {}{}; alembic enters such folders only with "
                        "`recursive_version_locations`",
                        count,
                        count == 1 ? "file looks" : "files look",
                        join(names, ", "),
                        are_many ? ", ..." : "");
        if (reading_.graph.revisions.empty() && reading_.problems.empty()) {
            reading_.problems.push_back({reading_.package,
                                         0,
                                         fmt::format("{}: `--env {}` reads one folder alone",
                                                     text,
                                                     join(names, "` or `--env "))});
        } else {
            reading_.notes.push_back(fmt::format("{}: {}.", reading_.package, text));
        }
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
        const auto apps = package.read(environment.nearby);
        if (!apps) {
            reading.problems.push_back({reading.package, 0, apps.error().message});
            return;
        }
        read_django(*texts, *apps, reading);
    } else {
        read_numbered(environment.convention, *texts, reading);
    }
}

}  // namespace drydock::chain
