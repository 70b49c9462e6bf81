// The schemas of all files, and the word lists that several of them share.
#pragma once

#include "model/pack.h"
#include "pack/value_schema.h"

#include <string>
#include <vector>

namespace drydock::pack {

[[nodiscard]] const Schema& pack_file_schema();
[[nodiscard]] const Schema& releases_file_schema();
[[nodiscard]] const Schema& procedure_file_schema();  // one document of procedures/*.yaml
[[nodiscard]] const Schema& cluster_file_schema();

[[nodiscard]] Schema condition_schema();
[[nodiscard]] Schema release_schema();
// Returns the keys of a step that its role may give: those that do not say which step it is.
[[nodiscard]] Schema step_defaults_schema();
[[nodiscard]] const std::vector<std::string>& probe_kinds();
// Of the probe, and of the request of a step, to a Kubernetes API server.
[[nodiscard]] Schema kubernetes_probe();
[[nodiscard]] Schema kubernetes_request();

}  // namespace drydock::pack
