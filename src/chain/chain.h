// Start here: the graph of schema revisions that a package ships, and the comparison of two.
//
//   read_chain      package.h (files) -> environments.h (which of them) -> alembic.h, django.h,
//                   numbered.h (one convention each) -> Reading
//   compare         two readings -> Comparison: the verdict and all that leads to it
//   explain         explain.h: what the tool does when it is run now, and the repair
//   draw            draw.h: a picture of both graphs
//
// Nothing of a package is run. A file that cannot be read for sure is a Problem with its place.
#pragma once

#include "base/json.h"

#include <string>
#include <string_view>
#include <vector>

namespace drydock::chain {

struct Problem {
    std::string file;  // in the package; the package itself where no file is to blame
    int line = 0;      // from 1; 0: the whole file
    std::string text;
};

// What the way down of a revision does, as far as its text tells.
enum class WayDown {
    real,     // it has statements
    empty,    // it only passes: what `upgrade` did stays, and what it dropped is gone
    missing,  // there is none
    refuses,  // it raises
    unknown,  // it is bound in a way that only running could tell
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

    [[nodiscard]] const Revision* find(std::string_view id) const;
    // Ids that are nobody's parent, sorted. A dependency neither makes nor unmakes a head. Django
    // has heads in each app: only parents of the same app count there.
    [[nodiscard]] std::vector<std::string> heads() const;
};

struct Reading {
    std::string package;  // as it was named
    Graph graph;
    std::vector<std::string> environments;  // all that were found
    std::vector<Problem> problems;          // any: no answer may be given
    std::vector<std::string> notes;         // sentences on what was not read
};

// The chain of `package`: a wheel, a zip, an sdist, or a folder; several with commas between them
// are one graph. `environment` is a folder in it, or the end of its path; empty: the only one.
[[nodiscard]] Reading read_chain(const std::string& package, const std::string& environment = {});

// The gravest first.
enum class Verdict { refused, incomplete, unknown_head, skipped, lost, several_heads, clean };

struct Comparison {
    Verdict verdict = Verdict::clean;
    std::vector<std::string> old_heads;  // what the database stands on
    std::vector<std::string> new_heads;
    std::vector<std::string> skipped;        // parents first
    std::vector<std::string> skipped_roots;  // of these, those without a parent
    std::vector<std::string> lost;
    std::vector<std::string> unknown_heads;
    std::vector<std::string> runs;       // what the upgrade runs, parents first
    std::vector<std::string> reordered;  // of these, those not above a head of OLD
    std::vector<std::string> moved;      // in both, with other parents
    std::string meeting_point;           // the newest revision below which both have the same ids
    std::vector<Problem> problems;
    std::vector<std::string> forked_apps;  // Django: those with several heads in NEW
};

// `database`: the revisions that the database stands on; none: OLD's heads.
[[nodiscard]] Comparison compare(const Reading& old_reading,
                                 const Reading& new_reading,
                                 const std::vector<std::string>& database = {});

[[nodiscard]] std::string_view name_of(Verdict verdict);
[[nodiscard]] std::string_view name_of(WayDown way_down);
[[nodiscard]] std::string_view name_of(Convention convention);

}  // namespace drydock::chain
