// Completes a reading: sorts its revisions, resolves labels, and refuses duplicate ids and cycles.
//
// All comparisons rely on this: find() is a binary search, and the walks in closure.cpp assume a
// graph without cycles. A cycle can only be a mistake of the package or of the reading, so that it
// refuses the reading. Dependencies are edges as parents are, but not for heads().
#include "chain/graph.h"

#include "chain/paths.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>

namespace drydock::chain {

namespace {

// Two folders with the same ids are often two environments, which `--env` reads one at a time.
std::string advice(std::string_view file, std::string_view twin_file) {
    return folder_of(file) == folder_of(twin_file)
               ? ""
               : fmt::format("; `--env {}` reads one folder alone", folder_of(file));
}

// Runs after the sort, so that equal ids are neighbours.
void refuse_twins(Reading& reading) {
    const auto& revisions = reading.graph.revisions;
    for (std::size_t i = 1; i < revisions.size(); ++i) {
        if (revisions[i].id == revisions[i - 1].id) {
            reading.problems.push_back(
                {revisions[i].file,
                 revisions[i].line,
                 fmt::format("the id {} is there twice; the other is in {}{}",
                             revisions[i].id,
                             revisions[i - 1].file,
                             advice(revisions[i].file, revisions[i - 1].file))});
        }
    }
}

// Refuses ids that alembic does not load, or reads as another thing on its command line.
void refuse_ids(Reading& reading) {
    static constexpr std::string_view k_forbidden = "@-+:";
    for (const Revision& revision : reading.graph.revisions) {
        const auto position = revision.id.find_first_of(k_forbidden);
        if (position != revision.id.npos) {
            reading.problems.push_back({revision.file,
                                        revision.line,
                                        fmt::format("alembic allows no `{}` in the id {}",
                                                    revision.id[position],
                                                    revision.id)});
        }
        if (revision.id == "base" || revision.id == "head" || revision.id == "heads") {
            reading.problems.push_back(
                {revision.file,
                 revision.line,
                 fmt::format("the id {} has a meaning of its own for alembic", revision.id)});
        }
    }
}

// A label is a name like an id: each may stand for one revision only.
void refuse_labels(Reading& reading) {
    std::map<std::string_view, const Revision*> owners;
    for (const Revision& revision : reading.graph.revisions) {
        owners[revision.id] = &revision;
    }
    for (const Revision& revision : reading.graph.revisions) {
        for (const std::string& label : revision.labels) {
            const auto [owner, is_new] = owners.emplace(label, &revision);
            if (!is_new) {
                reading.problems.push_back(
                    {revision.file,
                     revision.line,
                     fmt::format("the label {} is a name of {} already; alembic stops at it",
                                 label,
                                 owner->second->id)});
            }
        }
    }
}

// A dependency may name a branch label instead of an id; an id of that name wins.
void resolve_labels(Graph& graph) {
    std::map<std::string, std::string> by_label;
    for (const Revision& revision : graph.revisions) {
        for (const std::string& label : revision.labels) {
            by_label[label] = revision.id;
        }
    }
    if (by_label.empty()) {
        return;
    }
    for (Revision& revision : graph.revisions) {
        for (std::string& dependency : revision.depends_on) {
            const auto entry = by_label.find(dependency);
            if (entry != by_label.end() && graph.find(dependency) == nullptr) {
                dependency = entry->second;
            }
        }
    }
}

// Kahn's algorithm: removes revisions without parents again and again. A remaining revision lies on
// a cycle or descends from one.
class CycleSearch {
public:
    explicit CycleSearch(const Graph& graph) : graph_(graph) {
        for (std::size_t i = 0; i < graph.revisions.size(); ++i) {
            index_[graph.revisions[i].id] = i;
        }
    }

    // Returns any revision of a cycle; nullptr if there is none.
    const Revision* find() {
        const auto& revisions = graph_.revisions;
        std::vector<std::vector<std::size_t>> children(revisions.size());
        std::vector<std::size_t> parent_counts(revisions.size());
        for (std::size_t i = 0; i < revisions.size(); ++i) {
            for (const auto* list : {&revisions[i].parents, &revisions[i].depends_on}) {
                for (const std::string& id : *list) {
                    if (const auto entry = index_.find(id); entry != index_.end()) {
                        children[entry->second].push_back(i);
                        ++parent_counts[i];
                    }
                }
            }
        }
        std::vector<std::size_t> queue;
        for (std::size_t i = 0; i < revisions.size(); ++i) {
            if (parent_counts[i] == 0) {
                queue.push_back(i);
            }
        }
        for (std::size_t position = 0; position < queue.size(); ++position) {
            for (const std::size_t child : children[queue[position]]) {
                if (--parent_counts[child] == 0) {
                    queue.push_back(child);
                }
            }
        }
        return queue.size() == revisions.size() ? nullptr : walk_down(parent_counts);
    }

private:
    // Follows remaining parents for as many steps as there are revisions. By then the walk is on
    // the cycle and not on a path into it.
    [[nodiscard]] const Revision* walk_down(const std::vector<std::size_t>& parent_counts) const {
        const auto& revisions = graph_.revisions;
        auto position =
            static_cast<std::size_t>(std::find_if(parent_counts.begin(),
                                                  parent_counts.end(),
                                                  [](std::size_t count) { return count > 0; })
                                     - parent_counts.begin());
        for (std::size_t steps = 0; steps < revisions.size(); ++steps) {
            position = stuck_below(revisions[position], parent_counts, position);
        }
        return &revisions[position];
    }

    // Returns a parent that remained. Each remaining revision has one, so that `fallback` is only
    // formal.
    [[nodiscard]] std::size_t stuck_below(const Revision& revision,
                                          const std::vector<std::size_t>& parent_counts,
                                          std::size_t fallback) const {
        for (const auto* list : {&revision.parents, &revision.depends_on}) {
            for (const std::string& id : *list) {
                const auto entry = index_.find(id);
                if (entry != index_.end() && parent_counts[entry->second] > 0) {
                    return entry->second;
                }
            }
        }
        return fallback;
    }

    const Graph& graph_;
    std::unordered_map<std::string_view, std::size_t> index_;
};

}  // namespace

// Relies on the order that finish() makes.
const Revision* Graph::find(std::string_view id) const {
    const auto match = std::lower_bound(
        revisions.begin(), revisions.end(), id, [](const Revision& revision, std::string_view key) {
            return revision.id < key;
        });
    return match != revisions.end() && match->id == id ? &*match : nullptr;
}

std::string_view app_of(std::string_view id) {
    return id.substr(0, id.find('.'));
}

// Computed anew by each call, with all parents in one sorted list.
std::vector<std::string> Graph::heads() const {
    std::vector<std::string_view> parents;
    for (const Revision& revision : revisions) {
        std::copy_if(revision.parents.begin(),
                     revision.parents.end(),
                     std::back_inserter(parents),
                     [&](const std::string& parent) {
                         return convention != Convention::django
                                || app_of(parent) == app_of(revision.id);
                     });
    }
    std::sort(parents.begin(), parents.end());
    std::vector<std::string> heads;
    for (const Revision& revision : revisions) {
        if (!std::binary_search(parents.begin(), parents.end(), revision.id)) {
            heads.push_back(revision.id);
        }
    }
    return heads;
}

// Labels are resolved after they were checked, and cycles are searched for with the resolved edges.
void finish(Reading& reading) {
    auto& revisions = reading.graph.revisions;
    std::sort(revisions.begin(), revisions.end(), [](const Revision& a, const Revision& b) {
        return a.id != b.id ? a.id < b.id : a.file < b.file;
    });
    refuse_twins(reading);
    if (reading.graph.convention == Convention::alembic) {
        refuse_ids(reading);
        refuse_labels(reading);
    }
    resolve_labels(reading.graph);
    if (const Revision* revision = CycleSearch(reading.graph).find(); revision != nullptr) {
        reading.problems.push_back(
            {revision->file, revision->line, fmt::format("{} is its own ancestor", revision->id)});
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
