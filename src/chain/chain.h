// Start here: the graph of schema revisions that a package ships, and the comparison of two.
//
//   read_chain   read.cpp: package.h (files), environments.h (folders with migrations), then one
//                convention each: alembic.h, django.h, numbered.h; graph.h checks the result
//   compare      compare.cpp, closure.h (ancestors and descendants): two readings give a Comparison
//   explain      explain.h: the effect of running the migration tool now, and the repair
//   draw         draw.h: a picture of both graphs
//   many         catalogue.h (graphs of many releases as text), detour.h (clean ways around a hop)
//
// Python is read in layers. python_source.h has the tokens of a line, python_grammar.h its
// mistakes, python_value.h literals and python_assignment.h statements. Blocks are followed by
// python_module.h. Changes that no statement shows are found by python_rebinding.h. Archives are
// read by archive.cpp, unpack.h and zip.h. docs/chains.md describes verdicts and conventions.
//
// Nothing of a package is run. A file that cannot be read for sure is a Problem with its place.
#pragma once

#include "base/json.h"

#include <string>
#include <string_view>
#include <vector>

namespace drydock::chain {

struct Problem {
    std::string file;  // in the package; the package itself if no file is the cause
    int line = 0;      // from 1; 0: the whole file
    std::string text;
};

// The effect of a revision's downgrade, as far as its text shows.
enum class WayDown {
    real,     // it has statements with an effect
    empty,    // it only passes: changes of `upgrade` stay, and dropped data is gone
    missing,  // there is no downgrade
    refuses,  // it raises
    unknown,  // the text does not show it
};

struct Revision {
    std::string id;
    std::vector<std::string> parents;
    std::vector<std::string> depends_on;  // applied before, but no parents
    std::vector<std::string> labels;
    std::string doc;  // first line of its description
    WayDown way_down = WayDown::real;
    std::string file;
    int line = 0;  // of the id
};

enum class Convention { alembic, django, flyway, golang_migrate, rails };

// The revisions of one environment, sorted by id; each id once.
struct Graph {
    Convention convention = Convention::alembic;
    std::string environment;  // its folder in the package; "." for the package itself
    std::vector<Revision> revisions;

    // Returns the revision with this id; nullptr if there is none.
    [[nodiscard]] const Revision* find(std::string_view id) const;
    // Returns the ids that are no parent of any revision, sorted. Dependencies do not affect heads.
    // Django has heads in each app: only parents of the same app count there.
    [[nodiscard]] std::vector<std::string> heads() const;
};

struct Reading {
    std::string package;  // the name that the user gave
    Graph graph;
    std::vector<std::string> environments;  // folders of all environments
    std::vector<Problem> problems;          // if there is any, no verdict is given
    std::vector<std::string> notes;         // sentences on files that were not read
};

// Reads the chain of `package`: a wheel, a zip, an sdist, or a folder. Several packages with commas
// between them are one graph. `environment` is a folder in the package, or the end of its path;
// empty chooses the only environment.
[[nodiscard]] Reading read_chain(const std::string& package, const std::string& environment = {});

// Sorted by severity, the gravest first.
enum class Verdict { refused, incomplete, unknown_head, skipped, lost, several_heads, clean };

struct Comparison {
    Verdict verdict = Verdict::clean;
    std::vector<std::string> old_heads;  // revisions of the database
    std::vector<std::string> new_heads;
    std::vector<std::string> skipped;        // parents first
    std::vector<std::string> skipped_roots;  // skipped revisions without a parent
    std::vector<std::string> lost;
    std::vector<std::string> unknown_heads;
    std::vector<std::string> runs;        // revisions that the upgrade runs, parents first
    std::vector<std::string> reordered;   // runs that descend from no head of OLD
    std::vector<std::string> reparented;  // in both graphs, with other parents in NEW
    std::string meeting_point;            // the newest revision with the same ancestors in both
    std::vector<Problem> problems;
    std::vector<std::string> forked_apps;  // Django: apps with several heads in NEW
};

// Compares OLD with NEW. `database` has the revisions of the database; empty: OLD's heads.
[[nodiscard]] Comparison compare(const Reading& old_reading,
                                 const Reading& new_reading,
                                 const std::vector<std::string>& database = {});

[[nodiscard]] std::string_view name_of(Verdict verdict);
[[nodiscard]] std::string_view name_of(WayDown way_down);
[[nodiscard]] std::string_view name_of(Convention convention);

}  // namespace drydock::chain
