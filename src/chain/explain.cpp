// Sentences on a verdict: the effect of an upgrade now, the repairs, and notes.
//
// alembic's behaviour was measured with real packages on a real database; the exit codes and
// messages in the sentences are the measured ones. Other tools get one sentence on their behaviour
// and no repair. Repairs are alternatives, the best first: the way over the meeting point, then
// single steps in order, then another release. docs/chains.md shows whole reports of real packages.
#include "chain/explain.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::chain {

namespace {

constexpr std::size_t k_named_max = 6;     // ids in one sentence
constexpr std::size_t k_applied_max = 12;  // single commands in one repair

// Long lists are cut: a sentence with a hundred ids is not read.
std::string named(const std::vector<std::string>& ids) {
    const auto count = std::min(ids.size(), k_named_max);
    std::vector<std::string> first(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(count));
    const std::size_t hidden_count = ids.size() - count;
    return join(first, ", ") + (hidden_count == 0 ? "" : fmt::format(" and {} more", hidden_count));
}

// "1 revision", "2 revisions".
std::string revisions(std::size_t count) {
    return fmt::format("{} {}", count, count == 1 ? "revision" : "revisions");
}

class Explainer {
public:
    Explainer(const Reading& old_reading, const Reading& new_reading, const Comparison& comparison)
        : old_reading_(old_reading)
        , new_reading_(new_reading)
        , comparison_(comparison) {}

    Explanation run() {
        if (comparison_.verdict == Verdict::refused) {
            explanation_.happens.emplace_back("No answer may be given; the problems say why.");
            return std::move(explanation_);
        }
        say_what_happens();
        say_repairs();
        say_notes();
        find_way_back();
        return std::move(explanation_);
    }

private:
    [[nodiscard]] bool is_alembic() const {
        return new_reading_.graph.convention == Convention::alembic;
    }

    void happens(const std::string& sentence) { explanation_.happens.push_back(sentence); }

    void repair(const std::string& sentence) { explanation_.repairs.push_back(sentence); }

    void note(const std::string& sentence) { explanation_.notes.push_back(sentence); }

    // The first condition that holds decides, as alembic stops at its first failure.
    void say_what_happens() {
        if (!is_alembic()) {
            say_what_others_do();
            return;
        }
        if (comparison_.verdict == Verdict::incomplete) {
            happens("alembic stops while it loads NEW: a revision names one that is not there.");
        } else if (!comparison_.unknown_heads.empty()) {
            happens(
                fmt::format("`alembic upgrade head` changes nothing and exits 255: Can't locate "
                            "revision identified by '{}'.",
                            comparison_.unknown_heads.front()));
        } else if (comparison_.new_heads.size() > 1) {
            happens(
                fmt::format("`alembic upgrade head` changes nothing and exits 255: Multiple head "
                            "revisions are present ({}).",
                            named(comparison_.new_heads)));
        } else {
            say_upgrade();
        }
    }

    // The dangerous case is the silent one: alembic exits 0, and skipped revisions show nowhere.
    void say_upgrade() {
        const std::size_t runs = comparison_.runs.size();
        const std::string head = named(comparison_.new_heads);
        happens(runs == 0
                    ? fmt::format("`alembic upgrade head` does nothing and exits 0: the database "
                                  "counts as being at {} already.",
                                  head)
                    : fmt::format("`alembic upgrade head` runs {}, exits 0 and reaches {}.",
                                  revisions(runs),
                                  head));
        if (!comparison_.skipped.empty()) {
            happens(
                fmt::format("{} below the database's revision never {}: {}. Neither the exit code "
                            "nor `alembic current` shows it; it fails only where a later revision "
                            "or a query needs what is not there.",
                            revisions(comparison_.skipped.size()),
                            comparison_.skipped.size() == 1 ? "runs" : "run",
                            named(comparison_.skipped)));
        }
    }

    // For the other tools only skipped and unknown revisions change the outcome.
    void say_what_others_do() {
        if (!comparison_.skipped.empty()) {
            happens(fmt::format("{} below what is applied: {}. {}",
                                revisions(comparison_.skipped.size()),
                                named(comparison_.skipped),
                                fate_of_skipped()));
        } else if (!comparison_.unknown_heads.empty()) {
            happens(fate_of_unknown());
        } else {
            happens(fmt::format("{} will run.", revisions(comparison_.runs.size())));
        }
    }

    // The effect on revisions below the applied ones, by tool.
    [[nodiscard]] std::string fate_of_skipped() const {
        switch (new_reading_.graph.convention) {
        case Convention::django:
            return "`migrate` exits 1: InconsistentMigrationHistory, a migration is applied before "
                   "its dependency.";
        case Convention::flyway:
            return "`migrate` stops: a resolved migration is not applied; with outOfOrder it runs "
                   "them late.";
        case Convention::rails:
            return "`db:migrate` runs them late, after what was written on top of them.";
        case Convention::golang_migrate:
        case Convention::alembic:
            break;
        }
        return "`migrate up` keeps one number only and never runs them; it exits 0.";
    }

    // The effect of an applied revision that NEW does not have, by tool.
    [[nodiscard]] std::string fate_of_unknown() const {
        switch (new_reading_.graph.convention) {
        case Convention::django:
        case Convention::rails:
            return fmt::format(
                "NEW does not have {}: it stays recorded as applied and can no more be "
                "taken back.",
                named(comparison_.unknown_heads));
        case Convention::flyway:
            return fmt::format("`migrate` stops: the applied migration {} is not resolved locally.",
                               named(comparison_.unknown_heads));
        case Convention::golang_migrate:
        case Convention::alembic:
            break;
        }
        return fmt::format("`migrate up` stops: no migration found for version {}.",
                           named(comparison_.unknown_heads));
    }

    // Lost revisions get a note and no repair.
    void say_repairs() {
        if (!is_alembic()) {
            return;
        }
        if (comparison_.verdict == Verdict::incomplete) {
            repair("Read the package that holds the missing revision together with this one "
                   "(`PACKAGE,OTHER`), or ask its makers for it.");
        } else if (!comparison_.skipped.empty() || !comparison_.unknown_heads.empty()) {
            say_step_down();
            say_apply_in_order();
            repair("Go by another release: one whose heads NEW knows and that lacks nothing below "
                   "them (`drydock route` looks for it).");
        } else if (comparison_.new_heads.size() > 1) {
            repair("`alembic upgrade heads` runs all of them; the table then has one row a head. A "
                   "merge revision of the makers is the lasting cure.");
        }
    }

    // Repair by the meeting point. Its steps down are OLD's revisions above the point. Revisions
    // with an empty, missing or refusing downgrade are named, because they may close the way.
    void say_step_down() {
        const std::string& point = comparison_.meeting_point;
        if (point.empty()) {
            return;
        }
        std::vector<std::string> lossy;
        bool are_read = true;
        std::size_t steps = 0;
        const auto below = ancestors(old_reading_.graph, {point});
        for (const std::string& id : ancestors(old_reading_.graph, comparison_.old_heads)) {
            if (std::binary_search(below.begin(), below.end(), id)) {
                continue;
            }
            ++steps;
            const WayDown way_down = old_reading_.graph.find(id)->way_down;
            are_read = are_read && way_down != WayDown::unknown;
            if (way_down != WayDown::real && way_down != WayDown::unknown) {
                lossy.push_back(id);
            }
        }
        repair(fmt::format("With OLD still installed `alembic downgrade {}` ({} down), then with "
                           "NEW `alembic upgrade head`: every revision runs once. {} Whether the "
                           "way down is open shows only on a copy.",
                           point,
                           steps,
                           words_on_ways_down(lossy, are_read)));
    }

    // Only the files are judged: a downgrade with statements may still fail on real data.
    static std::string words_on_ways_down(const std::vector<std::string>& lossy, bool are_read) {
        if (!lossy.empty()) {
            return fmt::format("By the files {} of these ways down {} nothing, or {}: {}.",
                               lossy.size(),
                               lossy.size() == 1 ? "does" : "do",
                               lossy.size() == 1 ? "stops" : "stop",
                               named(lossy));
        }
        return are_read ? "By the files each way down does something."
                        : "What the ways down do was not read.";
    }

    // Repair by single steps. `alembic stamp --purge` makes the version table name the skipped
    // revision's parents, so that `alembic upgrade` runs this one revision.
    void say_apply_in_order() {
        if (comparison_.skipped.empty() || !comparison_.unknown_heads.empty()) {
            return;
        }
        if (comparison_.skipped.size() > k_applied_max) {
            repair(
                "Apply the skipped revisions one by one with NEW, parents first, each from a table "
                "that names its parents (`alembic stamp --purge PARENTS`, `alembic upgrade ID`); "
                "then `alembic stamp --purge` what the database stood on and `alembic upgrade "
                "head`.");
            return;
        }
        std::string commands;
        for (const std::string& id : comparison_.skipped) {
            const auto& parents = new_reading_.graph.find(id)->parents;
            commands += fmt::format("`alembic stamp --purge {}`, `alembic upgrade {}`, ",
                                    parents.empty() ? "base" : join(parents, " "),
                                    id);
        }
        repair(
            fmt::format("Apply in order with NEW, before any `upgrade head`: {}then `alembic stamp "
                        "--purge {}` and `alembic upgrade head`. They were written for an older "
                        "schema: rehearse it on a copy.",
                        commands,
                        join(comparison_.old_heads, " ")));
    }

    // Notes do not change the verdict.
    void say_notes() {
        if (!comparison_.skipped_roots.empty()) {
            note(fmt::format(
                "{} without a parent: mostly the root of a squashed history, which stands "
                "for revisions that the database has under other ids. If so, nothing is "
                "missing there.",
                named(comparison_.skipped_roots)));
        }
        if (!comparison_.lost.empty()) {
            note(fmt::format(
                "{} of OLD are not in NEW: {}. What they did stays in the database; NEW "
                "can take none of it back.",
                revisions(comparison_.lost.size()),
                named(comparison_.lost)));
        }
        if (!comparison_.reordered.empty()) {
            note(fmt::format(
                "{} come by a merge from a branch beside the database's revision and run "
                "after revisions that they were written before: {}.",
                revisions(comparison_.reordered.size()),
                named(comparison_.reordered)));
        }
        if (!comparison_.moved.empty()) {
            note(fmt::format("{} of both have other parents in NEW: {}.",
                             revisions(comparison_.moved.size()),
                             named(comparison_.moved)));
        }
        if (comparison_.old_heads.size() > 1) {
            note(fmt::format("The database has {} rows in its version table.",
                             comparison_.old_heads.size()));
        }
    }

    // Returns the starts and all their ancestors, sorted.
    static std::vector<std::string> ancestors(const Graph& graph,
                                              const std::vector<std::string>& start) {
        std::vector<std::string> ids;
        std::vector<std::string> stack = start;
        while (!stack.empty()) {
            const std::string id = stack.back();
            stack.pop_back();
            const auto place = std::lower_bound(ids.begin(), ids.end(), id);
            const Revision* revision = graph.find(id);
            if (revision == nullptr || (place != ids.end() && *place == id)) {
                continue;
            }
            ids.insert(place, id);
            stack.insert(stack.end(), revision->parents.begin(), revision->parents.end());
            stack.insert(stack.end(), revision->depends_on.begin(), revision->depends_on.end());
        }
        return ids;
    }

    // The way back undoes the revisions that the upgrade ran, newest first. It is judged by the
    // files alone.
    void find_way_back() {
        DowngradePath& way_back = explanation_.way_back;
        way_back.runs.assign(comparison_.runs.rbegin(), comparison_.runs.rend());
        for (const std::string& id : way_back.runs) {
            const WayDown way_down = new_reading_.graph.find(id)->way_down;
            if (way_down == WayDown::empty) {
                way_back.empty.push_back(id);
            } else if (way_down == WayDown::missing) {
                way_back.missing.push_back(id);
            } else if (way_down == WayDown::refuses) {
                way_back.refuses.push_back(id);
            }
        }
        say_way_back(way_back);
    }

    // Only problems are named: a way back without any gets no sentence.
    void say_way_back(const DowngradePath& way_back) {
        const auto say = [&](const std::vector<std::string>& ids, const char* predicate) {
            if (!ids.empty()) {
                note(fmt::format(
                    "The way back: {} {}: {}.", revisions(ids.size()), predicate, named(ids)));
            }
        };
        say(way_back.refuses, "refuse it by an exception");
        say(way_back.missing, "have no way down at all");
        say(way_back.empty, "do nothing on the way down, so it loses what they changed");
    }

    const Reading& old_reading_;
    const Reading& new_reading_;
    const Comparison& comparison_;
    Explanation explanation_;
};

// An empty list stays a list in the report and never becomes null.
Json list_of(const std::vector<std::string>& names) {
    Json list = Json::Array{};
    for (const std::string& name : names) {
        list.push(name);
    }
    return list;
}

// OLD and NEW have the same keys.
Json side_of(const Reading& reading, const std::vector<std::string>& heads) {
    Json side;
    side.set("package", reading.package)
        .set("environment", reading.graph.environment)
        .set("environments", list_of(reading.environments))
        .set("convention", name_of(reading.graph.convention))
        .set("count", static_cast<std::int64_t>(reading.graph.revisions.size()))
        .set("heads", list_of(heads));
    return side;
}

// Descriptions of all revisions in the lists of the report; NEW's text wins where both have one.
Json docs_of(const Reading& old_reading, const Reading& new_reading, const Comparison& comparison) {
    Json docs = Json::Object{};
    for (const auto* list : {&comparison.skipped, &comparison.lost, &comparison.runs}) {
        for (const std::string& id : *list) {
            const Revision* revision = new_reading.graph.find(id);
            revision = revision == nullptr ? old_reading.graph.find(id) : revision;
            docs.set(id, revision->doc);
        }
    }
    return docs;
}

}  // namespace

Explanation
explain(const Reading& old_reading, const Reading& new_reading, const Comparison& comparison) {
    return Explainer(old_reading, new_reading, comparison).run();
}

// The keys are an interface for scripts; docs/chains.md lists them.
Json report(const Reading& old_reading,
            const Reading& new_reading,
            const Comparison& comparison,
            const Explanation& explanation) {
    Json problems = Json::Array{};
    for (const Problem& entry : comparison.problems) {
        Json problem;
        problem.set("file", entry.file).set("line", entry.line).set("text", entry.text);
        problems.push(std::move(problem));
    }
    Json way_back;
    way_back.set("runs", list_of(explanation.way_back.runs))
        .set("empty", list_of(explanation.way_back.empty))
        .set("missing", list_of(explanation.way_back.missing))
        .set("refuses", list_of(explanation.way_back.refuses));
    Json json;
    json.set("old", side_of(old_reading, old_reading.graph.heads()))
        .set("new", side_of(new_reading, comparison.new_heads))
        .set("database", list_of(comparison.old_heads))
        .set("verdict", name_of(comparison.verdict))
        .set("skipped", list_of(comparison.skipped))
        .set("skipped_roots", list_of(comparison.skipped_roots))
        .set("lost", list_of(comparison.lost))
        .set("unknown_heads", list_of(comparison.unknown_heads))
        .set("runs", list_of(comparison.runs))
        .set("reordered", list_of(comparison.reordered))
        .set("moved", list_of(comparison.moved))
        .set("meeting_point", comparison.meeting_point)
        .set("docs", docs_of(old_reading, new_reading, comparison))
        .set("happens", list_of(explanation.happens))
        .set("repairs", list_of(explanation.repairs))
        .set("notes", list_of(explanation.notes))
        .set("way_back", std::move(way_back))
        .set("problems", std::move(problems));
    return json;
}

int exit_code_of(Verdict verdict) {
    return verdict == Verdict::clean ? 0 : verdict == Verdict::refused ? 2 : 1;
}

}  // namespace drydock::chain
