#include "chain/graph.h"

#include "chain/paths.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>

namespace drydock::chain {

namespace {

// Folders that are read one at a time are chosen like environments.
std::string advice(std::string_view one, std::string_view other) {
    return folder_of(one) == folder_of(other)
               ? ""
               : fmt::format("; `--env {}` reads one folder alone", folder_of(one));
}

void refuse_twins(Reading& reading) {
    const auto& all = reading.graph.revisions;
    for (std::size_t i = 1; i < all.size(); ++i) {
        if (all[i].id == all[i - 1].id) {
            reading.problems.push_back(
                {all[i].file,
                 all[i].line,
                 fmt::format("the id {} is there twice; the other is in {}{}",
                             all[i].id,
                             all[i - 1].file,
                             advice(all[i].file, all[i - 1].file))});
        }
    }
}

// What alembic refuses to load, or takes for another thing on its command line.
void refuse_ids(Reading& reading) {
    static constexpr std::string_view k_forbidden = "@-+:";
    for (const Revision& one : reading.graph.revisions) {
        const auto at = one.id.find_first_of(k_forbidden);
        if (at != one.id.npos) {
            reading.problems.push_back(
                {one.file,
                 one.line,
                 fmt::format("alembic allows no `{}` in the id {}", one.id[at], one.id)});
        }
        if (one.id == "base" || one.id == "head" || one.id == "heads") {
            reading.problems.push_back(
                {one.file,
                 one.line,
                 fmt::format("the id {} has a meaning of its own for alembic", one.id)});
        }
    }
}

// A label is a name like an id: each may stand for one revision only.
void refuse_labels(Reading& reading) {
    std::map<std::string_view, const Revision*> owners;
    for (const Revision& one : reading.graph.revisions) {
        owners[one.id] = &one;
    }
    for (const Revision& one : reading.graph.revisions) {
        for (const std::string& label : one.labels) {
            const auto [owner, is_new] = owners.emplace(label, &one);
            if (!is_new) {
                reading.problems.push_back(
                    {one.file,
                     one.line,
                     fmt::format("the label {} is a name of {} already; alembic stops at it",
                                 label,
                                 owner->second->id)});
            }
        }
    }
}

void resolve_labels(Graph& graph) {
    std::map<std::string, std::string> by_label;
    for (const Revision& one : graph.revisions) {
        for (const std::string& label : one.labels) {
            by_label[label] = one.id;
        }
    }
    if (by_label.empty()) {
        return;
    }
    for (Revision& one : graph.revisions) {
        for (std::string& dependency : one.depends_on) {
            const auto it = by_label.find(dependency);
            if (it != by_label.end() && graph.find(dependency) == nullptr) {
                dependency = it->second;
            }
        }
    }
}

// Takes away what has no parent left, again and again. What stays stands in a circle, or above one.
class CycleSearch {
public:
    explicit CycleSearch(const Graph& graph) : graph_(graph) {
        for (std::size_t i = 0; i < graph.revisions.size(); ++i) {
            index_[graph.revisions[i].id] = i;
        }
    }

    // Any revision of a circle; nullptr: there is none.
    const Revision* find() {
        const auto& all = graph_.revisions;
        std::vector<std::vector<std::size_t>> children(all.size());
        std::vector<std::size_t> open(all.size());
        for (std::size_t i = 0; i < all.size(); ++i) {
            for (const auto* list : {&all[i].parents, &all[i].depends_on}) {
                for (const std::string& id : *list) {
                    if (const auto it = index_.find(id); it != index_.end()) {
                        children[it->second].push_back(i);
                        ++open[i];
                    }
                }
            }
        }
        std::vector<std::size_t> free;
        for (std::size_t i = 0; i < all.size(); ++i) {
            if (open[i] == 0) {
                free.push_back(i);
            }
        }
        for (std::size_t at = 0; at < free.size(); ++at) {
            for (const std::size_t child : children[free[at]]) {
                if (--open[child] == 0) {
                    free.push_back(child);
                }
            }
        }
        return free.size() == all.size() ? nullptr : walk_down(open);
    }

private:
    // From a revision that stayed to one that the walk meets twice.
    [[nodiscard]] const Revision* walk_down(const std::vector<std::size_t>& open) const {
        const auto& all = graph_.revisions;
        auto at = static_cast<std::size_t>(
            std::find_if(open.begin(), open.end(), [](std::size_t count) { return count > 0; })
            - open.begin());
        for (std::size_t steps = 0; steps < all.size(); ++steps) {
            at = stuck_below(all[at], open, at);
        }
        return &all[at];
    }

    [[nodiscard]] std::size_t stuck_below(const Revision& revision,
                                          const std::vector<std::size_t>& open,
                                          std::size_t otherwise) const {
        for (const auto* list : {&revision.parents, &revision.depends_on}) {
            for (const std::string& id : *list) {
                const auto it = index_.find(id);
                if (it != index_.end() && open[it->second] > 0) {
                    return it->second;
                }
            }
        }
        return otherwise;
    }

    const Graph& graph_;
    std::unordered_map<std::string_view, std::size_t> index_;
};

}  // namespace

const Revision* Graph::find(std::string_view id) const {
    const auto it = std::lower_bound(
        revisions.begin(), revisions.end(), id, [](const Revision& one, std::string_view wanted) {
            return one.id < wanted;
        });
    return it != revisions.end() && it->id == id ? &*it : nullptr;
}

std::string_view app_of(std::string_view id) {
    return id.substr(0, id.find('.'));
}

std::vector<std::string> Graph::heads() const {
    std::vector<std::string_view> named;
    for (const Revision& one : revisions) {
        std::copy_if(one.parents.begin(),
                     one.parents.end(),
                     std::back_inserter(named),
                     [&](const std::string& parent) {
                         return convention != Convention::django
                                || app_of(parent) == app_of(one.id);
                     });
    }
    std::sort(named.begin(), named.end());
    std::vector<std::string> heads;
    for (const Revision& one : revisions) {
        if (!std::binary_search(named.begin(), named.end(), one.id)) {
            heads.push_back(one.id);
        }
    }
    return heads;
}

void finish(Reading& reading) {
    auto& all = reading.graph.revisions;
    std::sort(all.begin(), all.end(), [](const Revision& a, const Revision& b) {
        return a.id != b.id ? a.id < b.id : a.file < b.file;
    });
    refuse_twins(reading);
    if (reading.graph.convention == Convention::alembic) {
        refuse_ids(reading);
        refuse_labels(reading);
    }
    resolve_labels(reading.graph);
    if (const Revision* stuck = CycleSearch(reading.graph).find(); stuck != nullptr) {
        reading.problems.push_back(
            {stuck->file, stuck->line, fmt::format("{} is its own ancestor", stuck->id)});
    }
}

std::string_view name_of(Verdict verdict) {
    static constexpr std::string_view k_names[] = {
        "refused", "incomplete", "unknown_head", "skipped", "lost", "several_heads", "clean"};
    return k_names[static_cast<std::size_t>(verdict)];
}

std::string_view name_of(WayDown way_down) {
    static constexpr std::string_view k_names[] = {
        "real", "empty", "missing", "refuses", "unknown"};
    return k_names[static_cast<std::size_t>(way_down)];
}

std::string_view name_of(Convention convention) {
    static constexpr std::string_view k_names[] = {
        "alembic", "django", "flyway", "golang-migrate", "rails"};
    return k_names[static_cast<std::size_t>(convention)];
}

}  // namespace drydock::chain
