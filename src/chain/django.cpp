// Reads Django's migrations from the class `Migration` of each file.
//
// Every file is read first, then the links are resolved, because `__first__`, `__latest__`,
// `run_before` and `replaces` refer to migrations of other files. Parents of a migration are its
// dependencies within the package, the migrations that must run before it by `run_before`, and the
// migrations that it replaces. The lists must be literal pairs of strings; anything else is a
// problem, except for `swappable_dependency`, which names an app outside of the package.
#include "chain/django.h"

#include "chain/paths.h"
#include "chain/python_module.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace drydock::chain {

namespace {

const std::vector<std::string_view>& names() {
    static const std::vector<std::string_view> list = {"dependencies", "replaces", "run_before"};
    return list;
}

std::string app_of(std::string_view path) {
    return std::string(leaf_of(folder_of(folder_of(path))));
}

// Django knows a migration by its app and the name of its file; ".py" is cut off.
std::string id_of(std::string_view path) {
    const std::string_view leaf = leaf_of(path);
    return app_of(path) + "." + std::string(leaf.substr(0, leaf.size() - 3));
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

class DjangoReader {
public:
    explicit DjangoReader(Reading& reading) : reading_(reading) {}

    void add(const std::string& path, std::string_view text) {
        Links links(without_swappable(text), path, reading_);
        if (!links.module().problem.empty()) {
            reading_.problems.push_back({path,
                                         links.module().problem_line,
                                         "this is no Python: " + links.module().problem});
            return;
        }
        if (!links.module().has_class) {
            return;
        }
        Migration migration;
        migration.revision.id = id_of(path);
        migration.revision.doc = links.module().doc;
        migration.revision.file = path;
        migration.revision.way_down = WayDown::unknown;  // Django reverses most operations
        migration.dependencies = links.read("dependencies");
        migration.run_before = links.read("run_before");
        migration.replaces = links.read("replaces");
        apps_.insert(app_of(path));
        const std::string id = migration.revision.id;
        if (!migrations_.emplace(id, std::move(migration)).second) {
            reading_.problems.push_back({path, 0, fmt::format("the id {} is there twice", id)});
        }
    }

    // A migration may be a parent for two reasons, so that duplicates are removed.
    void finish() {
        for (auto& [id, migration] : migrations_) {
            link(id, migration);
        }
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
    // Overwrites the calls with spaces, so that the rest of the list is literal. Lines stay for
    // problems.
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

    // Dependencies may name a migration that is missing in the package: compare.cpp reports it.
    void link(const std::string& id, Migration& migration) {
        for (const Link& link : migration.dependencies) {
            add_parents(link, id, migration.revision);
        }
        for (const Link& link : migration.run_before) {
            const auto successor = migrations_.find(link.app + "." + link.name);
            if (successor != migrations_.end()) {
                successor->second.revision.parents.push_back(id);
            }
        }
        // A squashed migration stands for those that it replaces. They are its parents where they
        // still exist.
        for (const Link& link : migration.replaces) {
            const std::string replaced = link.app + "." + link.name;
            if (migrations_.contains(replaced)) {
                migration.revision.parents.push_back(replaced);
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
        for (const auto& [candidate_id, migration] : migrations_) {
            const bool is_end = link.name == "__first__" ? is_first(candidate_id, migration)
                                                         : is_latest(candidate_id, link.app);
            if (candidate_id != id && is_end
                && candidate_id.substr(0, link.app.size() + 1) == link.app + ".") {
                revision.parents.push_back(candidate_id);
            }
        }
    }

    // Dependencies on other apps do not count: `__first__` is about the order within the app.
    [[nodiscard]] static bool is_first(const std::string& id, const Migration& migration) {
        const std::string app = id.substr(0, id.find('.'));
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

    Reading& reading_;
    std::set<std::string> apps_;
    std::map<std::string, Migration> migrations_;
};

}  // namespace

// The class `Migration` decides in the end; this only spares the reading of other files.
bool may_be_django(std::string_view path) {
    const std::string_view leaf = leaf_of(path);
    return ends_with(path, ".py") && leaf != "__init__.py" && leaf != "env.py"
           && leaf_of(folder_of(path)) == "migrations";
}

void read_django(const Texts& texts, Reading& reading) {
    DjangoReader reader(reading);
    for (const auto& [path, text] : texts) {
        reader.add(path, text);
    }
    reader.finish();
}

}  // namespace drydock::chain
