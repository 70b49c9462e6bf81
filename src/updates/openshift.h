// An update graph from a folder of OpenShift's graph data: channels/*.yaml and
// blocked-edges/*.yaml.
//
// The folder does not say which updates a release allows (that stands in the releases): here each
// version may be left for every newer one of the same or the next minor that shares a channel with
// it, unless an edge is blocked. A blocked edge with `matchingRules` is a known risk: whether it
// matters depends on the cluster. Such edges are not in the graph; they are told when asked for.
#pragma once

#include "base/result.h"
#include "updates/graph.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::updates {

struct BlockedEdge {
    std::string name;     // "LeakedMachineConfigBlocksMCO"; empty: none was given
    std::string message;  // first line
    std::string url;
    std::string file;
    std::string fixed_in;
    std::string condition;  // "Always", "PromQL"; empty: it holds without any
    Bits from;              // versions that it is for
};

struct OpenShiftGraph {
    UpdateGraph graph;                                        // what nothing speaks against
    std::map<std::size_t, std::vector<BlockedEdge>> blocked;  // by the version it leads to
    std::size_t rules = 0;

    // What speaks against the edge, by file.
    [[nodiscard]] std::vector<const BlockedEdge*> objections(std::size_t source,
                                                             std::size_t target) const;
};

using GraphFiles = std::map<std::string, std::string>;  // "channels/stable-4.12.yaml" -> text

// "updates.input" with every problem of the files.
[[nodiscard]] Result<OpenShiftGraph> read_openshift(const GraphFiles& files);
[[nodiscard]] Result<OpenShiftGraph> load_openshift(const std::string& folder);

}  // namespace drydock::updates
