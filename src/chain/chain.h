// Start here: the graph of schema revisions that a package ships, and the comparison of two.
//
//   read_chain   package.h (files), environments.h (which of them), then one convention each:
//                alembic.h, django.h, numbered.h; graph.h checks the result, a Reading
//   compare      closure.h (ancestors and descendants): two readings give a Comparison, the verdict
//                with all that leads to it
//   explain      explain.h: the effect of running the migration tool now, and the repair
//   draw         draw.h: a picture of both graphs
//   many         catalogue.h (graphs of many releases as text), detour.h (clean ways around a hop)
//
// Python is read by python_source.h (tokens), python_value.h (values) and python_module.h (names).
// Nothing of a package is run. A file that cannot be read for sure is a Problem with its place.
// docs/chains.md describes verdicts and conventions.
#pragma once

#include "base/json.h"

#include <string>
#include <string_view>
#include <vector>

namespace drydock::chain {

struct Problem {
    std::string file;  // path in the package; the package's own name for a problem of no file
    int line = 0;      // from 1; 0: the whole file
    std::string text;
};

// The effect of a revision's downgrade, as far as its text shows.
enum class WayDown {
    real,     // it has statements
    empty,    // it does nothing: tables of `upgrade` stay, dropped ones stay lost
    missing,  // no downgrade exists
    refuses,  // it raises an exception
    unknown,  // only running the file would show it
};

struct Revision {
    std::string id;
    std::vector<std::string> parents;
    std::vector<std::string> depends_on;  // applied before it, but no parents
    std::vector<std::string> labels;
    std::string doc;  // first line of its description
    WayDown way_down = WayDown::real;
    std::string file;
    int line = 0;  // line of the id
};

enum class Convention { alembic, django, flyway, golang_migrate, rails };

// The revisions of one environment, sorted by id; each id once.
struct Graph {
    Convention convention = Convention::alembic;
    std::string environment;  // its folder in the package; "." for the package itself
    std::vector<Revision> revisions;

    [[nodiscard]] const Revision* find(std::string_view id) const;
    // Returns the ids that are no parent of any revision, sorted. Dependencies do not affect heads.
    [[nodiscard]] std::vector<std::string> heads() const;
};

struct Reading {
    std::string package;  // the name that the user gave
    Graph graph;
    std::vector<std::string> environments;  // all environments of the package
    std::vector<Problem> problems;          // not empty: no verdict may be given
};

// Reads the chain of `package`: a wheel, a zip, an sdist, or a folder. Several packages with commas
// between them are one graph. `environment` is a folder in the package, or the end of its path;
// empty chooses the only environment.
[[nodiscard]] Reading read_chain(const std::string& package, const std::string& environment = {});

// Sorted by severity, the gravest first.
enum class Verdict { refused, incomplete, unknown_head, skipped, lost, several_heads, clean };

struct Comparison {
    Verdict verdict = Verdict::clean;
    std::vector<std::string> old_heads;  // the database's revisions
    std::vector<std::string> new_heads;
    std::vector<std::string> skipped;        // parents first
    std::vector<std::string> skipped_roots;  // skipped revisions without a parent
    std::vector<std::string> lost;
    std::vector<std::string> unknown_heads;
    std::vector<std::string> runs;       // revisions that the upgrade runs, parents first
    std::vector<std::string> reordered;  // runs that do not descend from a head of OLD
    std::vector<std::string> moved;      // revisions of both with other parents in NEW
    std::string meeting_point;           // newest revision with the same ancestors in both
    std::vector<Problem> problems;
};

// Compares OLD with NEW. `database` has the revisions of the database; empty: OLD's heads.
[[nodiscard]] Comparison compare(const Reading& old_reading,
                                 const Reading& new_reading,
                                 const std::vector<std::string>& database = {});

[[nodiscard]] std::string_view name_of(Verdict verdict);
[[nodiscard]] std::string_view name_of(WayDown way_down);
[[nodiscard]] std::string_view name_of(Convention convention);

}  // namespace drydock::chain
