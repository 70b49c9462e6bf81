// The comparison of two chains. All sets are sets of positions in one sorted list of all ids.
//
// The database stands on heads of OLD. alembic counts every ancestor of these heads, by NEW's
// edges, as applied. A revision of NEW that is an ancestor there, and was not one in OLD, is
// skipped: it never runs. The other ancestors of NEW's heads run. Lost revisions are in OLD and not
// in NEW.
//
// The verdict is the gravest of the results. A reading with problems, or a database on a revision
// that only NEW has, gives `refused` instead. docs/chains.md describes the verdicts.
#include "chain/chain.h"
#include "chain/closure.h"
#include "chain/graph.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::chain {

namespace {

constexpr std::size_t k_meeting_max = 10'000;  // ids; the search takes their square in bits

class Comparer {
public:
    Comparer(const Reading& old_reading, const Reading& new_reading)
        : old_reading_(old_reading)
        , new_reading_(new_reading)
        , ids_(old_reading.graph, new_reading.graph)
        , old_edges_(ids_, old_reading.graph, &new_reading.graph)
        , new_edges_(ids_, new_reading.graph, &old_reading.graph) {}

    // Problems of a reading refuse before anything is computed. A missing parent is found later and
    // gives `incomplete`, with the sets that could be computed.
    Comparison run(const std::vector<std::string>& database) {
        result_.old_heads = database.empty() ? old_reading_.graph.heads() : database;
        result_.new_heads = new_reading_.graph.heads();
        find_forked_apps();
        result_.problems = old_reading_.problems;
        result_.problems.insert(
            result_.problems.end(), new_reading_.problems.begin(), new_reading_.problems.end());
        const bool may_judge = result_.problems.empty();
        const bool knows_database = find_start(!database.empty());
        if (!may_judge || !knows_database) {
            result_.verdict = Verdict::refused;
            return std::move(result_);
        }
        const bool is_complete = find_missing(old_reading_) && find_missing(new_reading_);
        compare_sets();
        result_.verdict = verdict(is_complete);
        return std::move(result_);
    }

private:
    // Each app of Django has its own head. The heads are sorted, so that the heads of one app are
    // neighbours.
    void find_forked_apps() {
        const auto& heads = result_.new_heads;
        for (std::size_t i = 1; i < heads.size(); ++i) {
            const std::string app(app_of(heads[i]));
            const bool is_new = result_.forked_apps.empty() || result_.forked_apps.back() != app;
            if (new_reading_.graph.convention == Convention::django && is_new
                && app_of(heads[i - 1]) == app) {
                result_.forked_apps.push_back(app);
            }
        }
    }

    [[nodiscard]] bool has_several_heads() const {
        return new_reading_.graph.convention == Convention::django ? !result_.forked_apps.empty()
                                                                   : result_.new_heads.size() > 1;
    }

    // Finds the positions of the database's revisions; returns false if one of them is in NEW only.
    // OLD did not apply that revision, so its companions in the database are unknown.
    bool find_start(bool is_given) {
        bool is_known = true;
        for (const std::string& head : result_.old_heads) {
            const bool in_old = old_reading_.graph.find(head) != nullptr;
            const bool in_new = new_reading_.graph.find(head) != nullptr;
            if (!in_new) {
                result_.unknown_heads.push_back(head);
            }
            if (is_given && !in_old) {
                add_unknown_revision(head, in_new);
                is_known = is_known && !in_new;
            }
            if (in_old || in_new) {
                start_.push_back(ids_.position_of(head));
            }
        }
        return is_known;
    }

    // The problem is named in any case. It refuses a verdict only if NEW has the revision.
    void add_unknown_revision(const std::string& head, bool in_new) {
        const char* words = in_new ? "the database stands on {}, which only NEW has"
                                   : "the database stands on {}, which neither package has";
        result_.problems.push_back(
            {old_reading_.package, 0, fmt::format(fmt::runtime(words), head)});
    }

    // Returns false if a parent or dependency is in neither package. A parent in the other package
    // is enough: the edges of each graph fill in for those of the other.
    bool find_missing(const Reading& reading) {
        const std::size_t count = result_.problems.size();
        for (const Revision& revision : reading.graph.revisions) {
            for (const std::string& id : revision.parents) {
                note_missing(revision, id, "parent");
            }
            for (const std::string& id : revision.depends_on) {
                note_missing(revision, id, "dependency");
            }
        }
        return result_.problems.size() == count;
    }

    // The user must find such an id in a third package.
    void note_missing(const Revision& revision, const std::string& id, const char* relation) {
        if (old_reading_.graph.find(id) == nullptr && new_reading_.graph.find(id) == nullptr) {
            result_.problems.push_back(
                {revision.file,
                 revision.line,
                 fmt::format("{}: its {} {} lies in neither package", revision.id, relation, id)});
        }
    }

    // skipped: in NEW, ancestor of the database's heads by NEW, not applied by OLD. runs: in NEW,
    // ancestor of NEW's heads, neither applied nor skipped. If NEW lacks a head of the database,
    // nothing runs.
    void compare_sets() {
        const Marks applied = old_edges_.ancestors_of(start_);
        const Marks in_old = old_edges_.members();
        const Marks in_new = new_edges_.members();
        const Marks below_start = new_edges_.ancestors_of(start_);
        const Marks below_heads = new_edges_.ancestors_of(positions(result_.new_heads));
        Marks skipped(ids_.size());
        Marks runs(ids_.size());
        for (std::size_t i = 0; i < ids_.size(); ++i) {
            skipped[i] = in_new[i] && below_start[i] && !applied[i];
            runs[i] = in_new[i] && below_heads[i] && !applied[i] && !skipped[i];
            if (in_old[i] && !in_new[i]) {
                result_.lost.push_back(ids_.name(i));
            }
        }
        result_.skipped = new_edges_.names_in_order(skipped);
        for (const std::string& id : result_.skipped) {
            if (new_reading_.graph.find(id)->parents.empty()) {
                result_.skipped_roots.push_back(id);
            }
        }
        if (result_.unknown_heads.empty()) {
            result_.runs = new_edges_.names_in_order(runs);
            find_reordered(runs);
        }
        find_moved();
        if (!result_.skipped.empty() || !result_.unknown_heads.empty()) {
            find_meeting_point(applied);
        }
    }

    [[nodiscard]] std::vector<std::size_t> positions(const std::vector<std::string>& names) const {
        std::vector<std::size_t> indices;
        indices.reserve(names.size());
        for (const std::string& name : names) {
            indices.push_back(ids_.position_of(name));
        }
        return indices;
    }

    // A revision that runs without descending from the database's heads came in by a merge. It was
    // written for a schema without the revisions that are applied already.
    void find_reordered(const Marks& runs) {
        const Marks above = new_edges_.descendants_of(start_);
        Marks reordered(ids_.size());
        for (std::size_t i = 0; i < ids_.size(); ++i) {
            reordered[i] = runs[i] && !above[i] && !start_.empty();
        }
        result_.reordered = new_edges_.names_in_order(reordered);
    }

    // Parents are compared as sets: their order in the file has no meaning.
    void find_moved() {
        for (const Revision& revision : new_reading_.graph.revisions) {
            const Revision* old_revision = old_reading_.graph.find(revision.id);
            if (old_revision == nullptr) {
                continue;
            }
            auto new_parents = revision.parents;
            auto old_parents = old_revision->parents;
            std::sort(new_parents.begin(), new_parents.end());
            std::sort(old_parents.begin(), old_parents.end());
            if (new_parents != old_parents) {
                result_.reparented.push_back(revision.id);
            }
        }
    }

    // Finds the revision for a repair: downgrade to it with OLD, then upgrade from it with NEW.
    // Every revision runs once if it has the same ancestors in both, and if all other applied
    // revisions descend from it. The revision with the most ancestors is the newest such point.
    void find_meeting_point(const Marks& applied) {
        if (ids_.size() > k_meeting_max) {
            return;
        }
        const Closures old_below(old_edges_);
        const Closures new_below(new_edges_);
        const auto applied_count =
            static_cast<std::size_t>(std::count(applied.begin(), applied.end(), true));
        std::size_t best = 0;
        for (const Revision& revision : old_reading_.graph.revisions) {
            const std::size_t i = ids_.position_of(revision.id);
            if (!applied[i] || new_reading_.graph.find(revision.id) == nullptr
                || !old_below.is_same(new_below, i)) {
                continue;
            }
            const std::size_t size = old_below.size(i);
            if (size > best && count_descendants(i, applied) + size == applied_count) {
                best = size;
                result_.meeting_point = revision.id;
            }
        }
    }

    // Returns the number of applied descendants of one revision in OLD.
    [[nodiscard]] std::size_t count_descendants(std::size_t position, const Marks& applied) const {
        const Marks above = old_edges_.descendants_of({position});
        std::size_t count = 0;
        for (std::size_t i = 0; i < ids_.size(); ++i) {
            count += above[i] && applied[i] ? 1U : 0U;
        }
        return count;
    }

    // The order of the conditions is the order of severity in Verdict.
    [[nodiscard]] Verdict verdict(bool is_complete) const {
        return !is_complete                     ? Verdict::incomplete
               : !result_.unknown_heads.empty() ? Verdict::unknown_head
               : !result_.skipped.empty()       ? Verdict::skipped
               : !result_.lost.empty()          ? Verdict::lost
               : has_several_heads()            ? Verdict::several_heads
                                                : Verdict::clean;
    }

    const Reading& old_reading_;
    const Reading& new_reading_;
    Ids ids_;
    Edges old_edges_;
    Edges new_edges_;
    std::vector<std::size_t> start_;
    Comparison result_;
};

}  // namespace

Comparison compare(const Reading& old_reading,
                   const Reading& new_reading,
                   const std::vector<std::string>& database) {
    return Comparer(old_reading, new_reading).run(database);
}

}  // namespace drydock::chain
