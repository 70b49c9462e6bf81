// Start here: tries a pack without a cluster. The facts come from a file; each twin of a case is
// taken through lint, route, preflight, check and the ways back, and what stops it is compared with
// what case.yaml says.
//
//   case.h        the folder of a case          facts_file.h  facts in the place of a survey
//   twin.h        one plan of it                stages.h      what a plan goes through
//   new_pack.h    a first case, as texts        input.h       files and their problems
//
// Reads files and contacts no host. Not thread-safe.
#pragma once

#include "trial/stages.h"

#include <string>
#include <vector>

namespace drydock::trial {

struct TwinResult {
    std::string twin;  // failing or passing; empty: of a folder without twins
    std::string from;  // empty: it was stopped by lint
    std::string to;
    Stop stop;
    std::optional<CheckedPlan> checked;  // where it came so far
    std::vector<std::string> warnings;   // of lint
    std::vector<std::string> differs;    // from what is wanted, a sentence each
};

struct Trial {
    Case about;
    std::vector<TwinResult> twins;

    // True if the twins do what case.yaml says; without twins, if nothing stops the plan.
    [[nodiscard]] bool is_as_told() const;
};

// Tries one twin of a case; `which` is a name of Case::twins. Fails as try_folder() does.
[[nodiscard]] InputResult<TwinResult>
try_twin(const Case& about, const std::string& which, const Settings& settings);

// Tries each twin of the folder. Fails with all problems if a file is wrong; a pack with errors is
// a wrong file, unless lint is to stop the failing twin.
[[nodiscard]] InputResult<Trial> try_folder(const std::string& folder, const Settings& settings);

}  // namespace drydock::trial
