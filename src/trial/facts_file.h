// Facts that stand in a file, in the place of a survey.
//
//   every: {running: "1.0", ready: true}   of each member that has such a fact
//   role server: {zone: a}                 of the members of a role
//   m3: {running: null}                    of one member; null: there is none
//   system: {level: "1"}
//
// The more special words win: a member's own, then its role's, then those of every member. A fact
// that no file names was not read, and is unknown.
#pragma once

#include "model/cluster.h"
#include "model/fact.h"
#include "model/pack.h"
#include "trial/input.h"

#include <string>
#include <vector>

namespace drydock::trial {

// One file: values by fact, by the name of whom they are told.
struct FactsFile {
    std::string file;
    Json values;
};

// Reads a file for this pack and cluster. Refuses names that nobody has, facts that are computed
// from others, and values that are not of the fact's type.
[[nodiscard]] InputResult<FactsFile>
read_facts_file(const std::string& file, const model::Pack& pack, const model::Cluster& cluster);

// Returns what a survey of these sources would find, derived facts too. Of two files the later one
// wins where both speak of the same members.
[[nodiscard]] model::FactBook observe(const std::vector<FactsFile>& files,
                                      const model::FactSources& sources,
                                      const model::Cluster& cluster);

}  // namespace drydock::trial
