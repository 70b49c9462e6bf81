// Packs and cluster files: from YAML to checked data, every problem at once and at its place.
//
// Reading never throws and never stops at the first problem: `diagnostics` holds all of them,
// sorted by position, each with its cause and what to write instead. `value` is set only if there
// is no error among them. What the files may hold is described once, by the tables of tables_*.cpp;
// the reader, its messages and the JSON Schemas all come from those. Limits: a file has at most 1
// MiB and nests at most 32 deep; anchors, aliases and tags are refused.
#pragma once

#include "base/diagnostics.h"
#include "base/json.h"
#include "model/cluster.h"
#include "model/pack.h"

#include <map>
#include <optional>
#include <string>

namespace drydock::pack {

template <class T>
struct Loaded {
    std::optional<T> value;
    Diagnostics diagnostics;
};

// The pack in `folder`: pack.yaml, releases.yaml, procedures/*.yaml, scripts/*. Other files are
// passed over.
[[nodiscard]] Loaded<model::Pack> load_pack(const std::string& folder);
// The same from memory: `files` by their name in the pack ("procedures/upgrade.yaml").
[[nodiscard]] Loaded<model::Pack> read_pack(const std::string& folder,
                                            const std::map<std::string, std::string>& files);

// The cluster file, checked against the pack of its system. Relative paths are taken from the
// folder of the file and come out absolute; nothing else of the file system is looked at.
[[nodiscard]] Loaded<model::Cluster> load_cluster(const std::string& file, const model::Pack& pack);
[[nodiscard]] Loaded<model::Cluster>
read_cluster(const std::string& file, std::string_view text, const model::Pack& pack);

// Only the `system:` of a cluster file, to find its pack. Errors: the file cannot be read, or is no
// YAML with that key.
[[nodiscard]] Result<std::string> cluster_system(const std::string& file);

// JSON Schemas (draft 7) of pack.yaml, one document of procedures/*.yaml, releases.yaml and the
// cluster file.
[[nodiscard]] Json pack_schema();
[[nodiscard]] Json procedure_schema();
[[nodiscard]] Json releases_schema();
[[nodiscard]] Json cluster_schema();

}  // namespace drydock::pack
