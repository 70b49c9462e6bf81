// The parts of the cluster reader. Each member resolves its own and its role's service, release and
// settings (read_member.cpp); check_members.cpp compares the members with each other.
#pragma once

#include "model/cluster.h"
#include "model/pack.h"
#include "pack/load.h"
#include "pack/yaml.h"

#include <string>

namespace drydock::pack {

struct ClusterReader {
    model::Cluster& cluster;
    const model::Pack& pack;
    std::string folder;  // of the cluster file, absolute
    Diagnostics& diagnostics;
    HostUse hosts = HostUse::real;
    std::size_t expanded_bytes = 0;  // bytes of all strings after interpolation

    [[nodiscard]] std::string absolute(const std::string& path) const;

    void
    error(std::string code, const Position& position, std::string summary, std::string suggestion) {
        diagnostics.error(std::move(code), position, std::move(summary), std::move(suggestion));
    }

    // Reports what goes wrong on hosts only. Where no host is asked it is a warning.
    void error_on_hosts(std::string code,
                        const Position& position,
                        std::string summary,
                        std::string suggestion) {
        if (hosts == HostUse::real) {
            return error(std::move(code), position, std::move(summary), std::move(suggestion));
        }
        diagnostics.warning(std::move(code), position, std::move(summary), std::move(suggestion));
    }
};

// Reads one member. `node` is its entry; `role` is the entry that all members of its role share,
// which may be missing.
void read_member(const Node& node, const Node& role, ClusterReader& reader);
// Checks conditions over several members: names, sides, quorum, two members in one place.
void check_members(const Node& document, ClusterReader& reader);

}  // namespace drydock::pack
