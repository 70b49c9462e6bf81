// An update graph from a directory of OpenShift's graph data: channels/*.yaml,
// blocked-edges/*.yaml.
//
// The directory does not say which updates a release allows; the release images do. Here each
// version may be updated to every newer one of the same or next minor in its channels, unless the
// edge is blocked. A blocked edge with `matchingRules` is a known risk, which matters on some
// clusters only. Such edges are not in the graph; objections() returns them.
#pragma once

#include "base/result.h"
#include "updates/graph.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::updates {

struct BlockedEdge {
    std::string name;     // "LeakedMachineConfigBlocksMCO"; empty: the file has none
    std::string message;  // first line
    std::string url;
    std::string file;
    std::string fixed_in;
    std::string condition;  // "Always", "PromQL"; empty: no condition, it always holds
    Bits sources;           // versions that the edge leads from
};

struct OpenShiftGraph {
    UpdateGraph graph;                                        // updates without objections
    std::map<std::size_t, std::vector<BlockedEdge>> blocked;  // by the target version
    std::size_t rules = 0;

    // Returns the blocked edges between the two versions, in order of their files.
    [[nodiscard]] std::vector<const BlockedEdge*> objections(std::size_t source,
                                                             std::size_t target) const;
};

using GraphFiles = std::map<std::string, std::string>;  // "channels/stable-4.12.yaml" -> text

// The error "updates.input" has every problem of the files.
[[nodiscard]] Result<OpenShiftGraph> read_openshift(const GraphFiles& files);
[[nodiscard]] Result<OpenShiftGraph> load_openshift(const std::string& folder);

}  // namespace drydock::updates
