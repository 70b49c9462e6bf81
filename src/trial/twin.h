// A twin: one plan of a case, as the files describe it. read_project() lints its pack and cluster
// file; read_twin() adds the facts and the way.
#pragma once

#include "model/cluster.h"
#include "model/fact.h"
#include "model/pack.h"
#include "trial/case.h"
#include "trial/facts_file.h"

#include <optional>
#include <string>
#include <vector>

namespace drydock::trial {

// What a caller adds to the files of a case.
struct Settings {
    std::string packs;  // the folder of the installed packs, for `pack: packs/NAME`
    std::string to;     // the version to reach; empty: as plan.yaml says
};

// The pack and the cluster file, if they are without errors, and all that lint says of both.
struct Project {
    std::optional<model::Pack> pack;
    std::optional<model::Cluster> cluster;
    Diagnostics problems;
};

struct Twin {
    model::Pack pack;
    model::Cluster cluster;
    std::vector<FactsFile> told;  // the shared facts.yaml and the twin's own
    model::FactBook facts;        // as a survey finds them, derived ones too
    std::string from;
    std::string to;
};

// `which` is a name of Case::twins. Fails only where there are no files to lint.
[[nodiscard]] InputResult<Project>
read_project(const Case& about, const std::string& which, const Settings& settings);
// The project must be without errors.
[[nodiscard]] InputResult<Twin>
read_twin(const Case& about, const std::string& which, const Settings& settings, Project project);

// Adds the facts that only a survey for a plan reads: paths of the new release, the run's own
// folder.
[[nodiscard]] Status survey_for_plan(Twin& twin);

// Plans name places by the folder of the pack: "packs/etcd/releases.yaml:9:3". Returns the text
// with the files that were really read.
[[nodiscard]] std::string with_places(const Case& about,
                                      const std::string& which,
                                      const Settings& settings,
                                      const model::Pack& pack,
                                      std::string text);

}  // namespace drydock::trial
