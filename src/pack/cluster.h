// The parts of the cluster reader: members resolve their role's and their own service, release and
// settings; checks look at all members together.
#pragma once

#include "model/cluster.h"
#include "model/pack.h"
#include "pack/yaml.h"

#include <string>

namespace drydock::pack {

struct ClusterReader {
    model::Cluster& cluster;
    const model::Pack& pack;
    std::string folder;  // of the cluster file, absolute
    Diagnostics& diagnostics;
    std::size_t expanded_bytes = 0;  // of all strings whose ${names} were replaced

    [[nodiscard]] std::string absolute(const std::string& path) const;

    void
    error(std::string code, const Position& position, std::string summary, std::string suggestion) {
        diagnostics.error(std::move(code), position, std::move(summary), std::move(suggestion));
    }
};

// One member: `node` is its entry, `role` what its role says for all (may be nothing).
void read_member(const Node& node, const Node& role, ClusterReader& reader);
// What no member can tell alone: names, quorum, two members in one folder.
void check_members(const Node& document, ClusterReader& reader);

}  // namespace drydock::pack
