// Start here: packs and cluster files, from YAML to checked data, with every problem at its place.
//
//   load.h (this file)   the calls for other folders
//   yaml.h               YAML as a tree that keeps every position
//   value_schema.h       schemas: the form of a value, as data; check() reads them
//   schemas.h            one schema a file: schema_pack, schema_releases, schema_procedure and
//                        schema_cluster.cpp
//   pack_reader.h        the pack reader, a part a file: read_*.cpp and template_names.cpp
//   buckets.h            the buckets of a cluster file, which belong to no plan
//   cluster_reader.h     the cluster reader: load_cluster, read_member and check_members.cpp
//
// Reading never throws and never stops at the first problem. `diagnostics` holds every problem,
// sorted by position, each with its cause and a remedy. `value` is set only if there is no error.
// Limits: a file has at most 1 MiB and nests at most 32 deep; anchors, aliases and tags are
// refused. docs/packs.md describes the files for pack authors.
#pragma once

#include "base/diagnostics.h"
#include "base/json.h"
#include "model/cluster.h"
#include "model/pack.h"

#include <map>
#include <optional>
#include <string>

namespace drydock::pack {

// Whether the hosts of a cluster file are ever asked. In a trial two members with one place, or
// with processes that look alike, harm nobody: they are warned of.
enum class HostUse { real, none };

template <class T>
struct Loaded {
    std::optional<T> value;
    Diagnostics diagnostics;
};

// Reads pack.yaml, releases.yaml, procedures/*.yaml and scripts/* of `folder`. Other files are
// ignored.
[[nodiscard]] Loaded<model::Pack> load_pack(const std::string& folder);
// Returns the name that the pack in this folder gives itself; empty if it cannot be read.
[[nodiscard]] std::string pack_name(const std::string& folder);
// Reads a pack from memory. `files` maps names within the pack ("procedures/upgrade.yaml") to
// texts.
[[nodiscard]] Loaded<model::Pack> read_pack(const std::string& folder,
                                            const std::map<std::string, std::string>& files);

// Reads a cluster file and checks it against the pack of its system. Relative paths become absolute
// by the folder of the file; no other file is looked at.
[[nodiscard]] Loaded<model::Cluster>
load_cluster(const std::string& file, const model::Pack& pack, HostUse hosts = HostUse::real);
[[nodiscard]] Loaded<model::Cluster> read_cluster(const std::string& file,
                                                  std::string_view text,
                                                  const model::Pack& pack,
                                                  HostUse hosts = HostUse::real);

// Returns only the `system:` of a cluster file, which names its pack. Errors: the file cannot be
// read, or is no YAML with that key.
[[nodiscard]] Result<std::string> cluster_system(const std::string& file);

// Return JSON Schemas (draft 7) of pack.yaml, of one document of procedures/*.yaml, of
// releases.yaml and of the cluster file. Editors use them.
[[nodiscard]] Json pack_json_schema();
[[nodiscard]] Json procedure_json_schema();
[[nodiscard]] Json releases_json_schema();
[[nodiscard]] Json cluster_json_schema();

}  // namespace drydock::pack
