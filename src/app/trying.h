// The use cases of `drydock pack try` and `drydock pack new`: packs that are tried without a
// cluster. Files are read and written; no host is contacted and nothing is executed.
#pragma once

#include "app/app.h"
#include "trial/trial.h"

#include <string>
#include <vector>

namespace drydock::app {

// Tries the case in a folder (trial/case.h). `to` is the version to reach; empty: as plan.yaml
// says. Wrong files are a failure with the exit code 2.
[[nodiscard]] AppResult<trial::Trial>
try_pack(const std::string& folder, const std::string& to, const std::string& program);

struct NewPack {
    std::string folder;
    std::vector<std::string> files;  // their names below it
};

// Writes a first case with a pack of that name, which passes lint and trial. A dry run writes
// nothing. Errors: "pack.name"; "pack.exists" if there is something in the folder already.
[[nodiscard]] AppResult<NewPack>
new_pack(const std::string& folder, const std::string& name, bool dry_run);

}  // namespace drydock::app
