// Reads Django's migrations from the class `Migration` of each file.
//
// Every file is read first, then the links are resolved, because `__first__`, `__latest__`,
// `run_before` and `replaces` refer to migrations of other files. Parents of a migration are its
// dependencies within the package, the migrations with a `run_before` that names it, and the
// migrations that it replaces.
//
// The lists must be literal pairs of strings; all other values are problems. The only exception is
// `swappable_dependency`, which names an app outside of the package.
#include "chain/django.h"

#include "chain/django_apps.h"
#include "chain/graph.h"
#include "chain/paths.h"
#include "chain/python_module.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace drydock::chain {

namespace {

const std::vector<std::string_view>& names() {
    static const std::vector<std::string_view> k_names = {"dependencies", "replaces", "run_before"};
    return k_names;
}

// Django knows a migration by its app and the name of its file; ".py" is cut off.
std::string stem_of(std::string_view path) {
    const std::string_view leaf = leaf_of(path);
    return std::string(leaf.substr(0, leaf.size() - 3));
}

struct Link {
    std::string app;
    std::string name;
};

// The pairs in a list of dependencies. `migrations.swappable_dependency(settings.X)` names an app
// of the project that uses the package. It is left out, as apps of other packages are.
class Links {
public:
    Links(std::string_view text, const std::string& file, Reading& reading)
        : module_(text, names(), "Migration")
        , file_(file)
        , reading_(reading) {}

    [[nodiscard]] const PythonModule& module() const { return module_; }

    // A missing list is an empty one, as in Django. A list that is not literal is a problem.
    std::vector<Link> read(std::string_view name) {
        const Assignment* assignment = module_.find(name);
        if (assignment == nullptr) {
            return {};
        }
        if (!assignment->value) {
            refuse(*assignment, assignment->value.error().message);
            return {};
        }
        std::vector<Link> links;
        for (const Value& item : assignment->value->items) {
            const bool is_pair = item.items.size() == 2 && item.items[0].kind == Value::Kind::text
                                 && item.items[1].kind == Value::Kind::text;
            if (!is_pair) {
                refuse(*assignment, "an item is no pair of strings");
                return {};
            }
            links.push_back({item.items[0].text, item.items[1].text});
        }
        return links;
    }

private:
    void refuse(const Assignment& assignment, const std::string& reason) {
        reading_.problems.push_back(
            {file_, assignment.line, fmt::format("`{}`: {}", assignment.name, reason)});
    }

    PythonModule module_;
    std::string file_;
    Reading& reading_;
};

struct Migration {
    Revision revision;
    std::vector<Link> dependencies;
    std::vector<Link> run_before;
    std::vector<Link> replaces;
};

// The labels of the apps in a package, by folder. Each apps.py is read once.
class Labels {
public:
    Labels(const Texts& apps, Reading& reading) : apps_(apps), reading_(reading) {}

    // Returns the label for a migration. An unreadable label is a problem, and the folder stands in
    // for it.
    const std::string& of(std::string_view path) {
        const std::string folder(folder_of(folder_of(path)));
        const auto [entry, is_new] = by_folder_.try_emplace(folder, leaf_of(folder));
        const std::string file = below(folder, "apps.py");
        const auto apps = apps_.find(file);
        if (is_new && apps != apps_.end()) {
            if (auto label = django_label(apps->second, entry->second)) {
                entry->second = std::move(*label);
            } else {
                reading_.problems.push_back({file, 0, label.error().message});
            }
        }
        return entry->second;
    }

private:
    const Texts& apps_;
    Reading& reading_;
    std::map<std::string, std::string> by_folder_;
};

class DjangoReader {
public:
    DjangoReader(const Texts& apps, Reading& reading) : labels_(apps, reading), reading_(reading) {}

    // Reads one file. Its links are kept as names, because their migrations may come in later
    // files.
    void add(const std::string& path, std::string_view text) {
        const std::string whole = without_swappable(text);
        Links links(whole, path, reading_);
        if (!is_migration(links.module(), path)) {
            return;
        }
        Migration migration;
        const std::string& label = labels_.of(path);
        migration.revision.id = label + "." + stem_of(path);
        migration.revision.doc = links.module().doc;
        migration.revision.file = path;
        migration.revision.way_down = WayDown::unknown;  // Django turns most operations round
        migration.dependencies = links.read("dependencies");
        migration.run_before = links.read("run_before");
        migration.replaces = links.read("replaces");
        apps_.insert(label);
        const std::string id = migration.revision.id;
        if (!migrations_.emplace(id, std::move(migration)).second) {
            problem(path, 0, fmt::format("the id {} is there twice", id));
        }
    }

    // Resolves links in three rounds: own links of each migration, then followers of squashed ones,
    // then labels that no app has. A migration may be a parent for two reasons, so that duplicates
    // are removed.
    void finish() {
        for (auto& [id, migration] : migrations_) {
            link(id, migration);
        }
        for (auto& [id, migration] : migrations_) {
            follow_squashed(id, migration);
        }
        refuse_unknown_labels();
        for (auto& [id, migration] : migrations_) {
            auto& parents = migration.revision.parents;
            std::sort(parents.begin(), parents.end());
            parents.erase(std::unique(parents.begin(), parents.end()), parents.end());
        }
        for (auto& [id, migration] : migrations_) {
            reading_.graph.revisions.push_back(std::move(migration.revision));
        }
    }

private:
    void problem(const std::string& path, int line, const std::string& text) {
        reading_.problems.push_back({path, line, text});
    }

    // Returns true if the class can be read. A base class of the makers may give the class its
    // dependencies, so that such a class must have a list of its own.
    bool is_migration(const PythonModule& module, const std::string& path) {
        if (!module.problem.empty()) {
            problem(path, module.problem_line, "this is no Python: " + module.problem);
        } else if (!module.has_class) {
            problem(path, 0, "there is no class `Migration`; Django stops at such a file");
        }
        for (const Doubt& doubt : module.doubts) {
            problem(path, doubt.line, doubt.text);
        }
        const bool is_plain = module.bases == "migrations.Migration" || module.bases == "Migration";
        if (module.has_class && !is_plain && !module.has("dependencies")) {
            problem(path,
                    0,
                    fmt::format("the class derives from `{}`, which may give it `dependencies`; "
                                "only running could tell",
                                module.bases));
        }
        return module.problem.empty() && module.has_class;
    }

    // A migration that follows a squashed one follows the squash as well: Django records the squash
    // as applied once all replaced migrations are.
    void follow_squashed(const std::string& squash, const Migration& migration) {
        std::set<std::string> replaced_ids;
        for (const Link& link : migration.replaces) {
            replaced_ids.insert(link.app + "." + link.name);
        }
        for (auto& [id, follower] : migrations_) {
            auto& parents = follower.revision.parents;
            const bool follows =
                id != squash && !replaced_ids.contains(id) && app_of(id) == app_of(squash)
                && std::any_of(parents.begin(), parents.end(), [&](const std::string& parent) {
                       return replaced_ids.contains(parent);
                   });
            if (follows) {
                parents.push_back(squash);
            }
        }
    }

    // A label that no app here has mostly means another package. It is a problem if three things
    // come together. The app has several roots, the migration is one of them, and the app has a
    // migration of the name that is asked for. Then the app's own label is most likely the unknown
    // one.
    void refuse_unknown_labels() {
        std::map<std::string_view, int> roots;
        for (const auto& [id, migration] : migrations_) {
            roots[app_of(id)] += is_root(id, migration) ? 1 : 0;
        }
        for (const auto& [id, migration] : migrations_) {
            const std::string app(app_of(id));
            for (const Link& link : migration.dependencies) {
                const std::string suggestion = app + "." + link.name;
                if (roots[app] > 1 && is_root(id, migration) && !apps_.contains(link.app)
                    && suggestion != id && migrations_.contains(suggestion)) {
                    problem(migration.revision.file,
                            0,
                            fmt::format("it depends on {}.{}, and no app in the package has the "
                                        "label {}; {} has that name",
                                        link.app,
                                        link.name,
                                        link.app,
                                        migrations_.at(suggestion).revision.file));
                }
            }
        }
    }

    // Parents in other apps do not count.
    [[nodiscard]] static bool is_root(const std::string& id, const Migration& migration) {
        const auto& parents = migration.revision.parents;
        return std::none_of(parents.begin(), parents.end(), [&](const std::string& parent) {
            return app_of(parent) == app_of(id);
        });
    }

    // Overwrites the calls with spaces, so that the rest of the list is literal. Line ends stay,
    // for the lines of problems.
    static std::string without_swappable(std::string_view text) {
        std::string result(text);
        static constexpr std::string_view k_call = "swappable_dependency(";
        for (auto position = result.find(k_call); position != result.npos;
             position = result.find(k_call, position)) {
            auto begin = position;
            while (begin > 0
                   && (result[begin - 1] == '.'
                       || std::isalnum(static_cast<unsigned char>(result[begin - 1])) != 0)) {
                --begin;
            }
            auto end = std::min(result.find(')', position), result.size() - 1);
            while (end + 1 < result.size() && result[end + 1] == ' ') {
                ++end;
            }
            end += end + 1 < result.size() && result[end + 1] == ',' ? 1U : 0U;
            std::replace_if(
                result.begin() + static_cast<std::ptrdiff_t>(begin),
                result.begin() + static_cast<std::ptrdiff_t>(end + 1),
                [](char byte) { return byte != '\n'; },
                ' ');
            position = end;
        }
        return result;
    }

    void link(const std::string& id, Migration& migration) {
        for (const Link& link : migration.dependencies) {
            add_parents(link, id, migration.revision);
        }
        for (const Link& link : migration.run_before) {
            const auto follower = migrations_.find(link.app + "." + link.name);
            if (follower != migrations_.end()) {
                follower->second.revision.parents.push_back(id);
            }
        }
        // The replaced migrations are parents of the squashed one where they still exist.
        for (const Link& link : migration.replaces) {
            const std::string replaced_id = link.app + "." + link.name;
            if (migrations_.contains(replaced_id)) {
                migration.revision.parents.push_back(replaced_id);
            }
        }
    }

    // `__first__` means every migration of the app without a dependency within it, `__latest__`
    // every one that no other of the app depends on.
    void add_parents(const Link& link, const std::string& id, Revision& revision) {
        if (!apps_.contains(link.app)) {
            return;
        }
        if (link.name != "__first__" && link.name != "__latest__") {
            revision.parents.push_back(link.app + "." + link.name);
            return;
        }
        for (const auto& [candidate, migration] : migrations_) {
            const bool is_end = link.name == "__first__" ? is_first(candidate, migration)
                                                         : is_latest(candidate, link.app);
            const std::string prefix = link.app + ".";
            if (candidate != id && is_end && candidate.starts_with(prefix)) {
                revision.parents.push_back(candidate);
            }
        }
    }

    // Dependencies on other apps do not count: `__first__` is about the order within the app.
    [[nodiscard]] static bool is_first(const std::string& id, const Migration& migration) {
        const std::string_view app = app_of(id);
        return std::none_of(migration.dependencies.begin(),
                            migration.dependencies.end(),
                            [&](const Link& dependency) { return dependency.app == app; });
    }

    [[nodiscard]] bool is_latest(const std::string& id, const std::string& app) const {
        return std::none_of(migrations_.begin(), migrations_.end(), [&](const auto& entry) {
            const auto& links = entry.second.dependencies;
            return entry.first.substr(0, app.size() + 1) == app + "."
                   && std::any_of(links.begin(), links.end(), [&](const Link& dependency) {
                          return dependency.app + "." + dependency.name == id;
                      });
        });
    }

    Labels labels_;
    Reading& reading_;
    std::set<std::string> apps_;
    std::map<std::string, Migration> migrations_;
};

}  // namespace

// The class `Migration` decides in the end; the path only spares the reading of other files.
bool may_be_django(std::string_view path) {
    const std::string_view leaf = leaf_of(path);
    return ends_with(path, ".py") && leaf[0] != '_' && leaf[0] != '~' && leaf != "env.py"
           && leaf_of(folder_of(path)) == "migrations";
}

void read_django(const Texts& texts, const Texts& apps, Reading& reading) {
    DjangoReader reader(apps, reading);
    for (const auto& [path, text] : texts) {
        reader.add(path, text);
    }
    reader.finish();
}

}  // namespace drydock::chain
