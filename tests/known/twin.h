// A twin: one of the two plans of a case of tests/known, as its files describe it.
//
// A case is a folder. What both twins share lies in it: case.yaml (what it is), pack/ (or a pack of
// the repository, named by `pack:`), cluster.yaml, facts.yaml (what a survey finds) and plan.yaml
// (where to). Each of failing/ and passing/ holds the one file in which the twins differ; facts are
// merged member by member, other files take the place of the shared one.
#pragma once

#include "base/result.h"
#include "model/cluster.h"
#include "model/fact.h"
#include "model/pack.h"

#include <string>
#include <vector>

namespace drydock::known {

// case.yaml
struct Case {
    std::string name;  // the folder
    std::string title;
    std::string report;             // where it is told of in public: "etcd-io/etcd#11716"
    std::string stage;              // what stops it: route, preflight or check
    std::string stop;               // by which name: a policy, requirement, risk or property
    std::vector<std::string> says;  // words that the story or the remedy must hold
    std::string pack;               // folder of a pack of the repository; empty: pack/
};

struct Twin {
    model::Pack pack;
    model::Cluster cluster;
    std::vector<Json> said;  // facts.yaml, the shared one and its own
    model::FactBook facts;   // as a survey finds them, derived ones too
    std::string from;
    std::string to;
};

// All cases of tests/known, by name. Errors name the file.
[[nodiscard]] Result<std::vector<Case>> read_cases();
// `which` is "failing" or "passing".
[[nodiscard]] Result<Twin> read_twin(const Case& about, const std::string& which);
// Reads what only a survey for a plan reads (paths of the new release, the run's own folder).
[[nodiscard]] Status survey_for_plan(Twin& twin);
// The files of one twin's own folder.
[[nodiscard]] std::vector<std::string> own_files(const Case& about, const std::string& which);

}  // namespace drydock::known
