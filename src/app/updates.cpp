// Finds a route in an imported update graph, such as OpenShift's, for `drydock route --graph`.
//
// No cluster is asked. Without a route the answer names the newest versions that can be reached,
// and the warnings of the graph's authors against the direct edge.
#include "app/updates.h"

#include "updates/openshift.h"

#include <fmt/format.h>

namespace drydock::app {

namespace {

constexpr std::size_t k_near_max = 3;  // versions to name where there is no way

// Formats one blocked edge. A condition that depends on the cluster cannot be judged here, so it is
// only mentioned.
std::string words_of(const updates::BlockedEdge& edge) {
    const std::string name = edge.name.empty() ? "blocked" : edge.name;
    const std::string condition =
        edge.condition.empty() || edge.condition == "Always" ? "" : ", on some clusters";
    return fmt::format("{}{}: {}{} ({})",
                       name,
                       condition,
                       edge.message.empty() ? "no reason is given" : edge.message,
                       edge.fixed_in.empty() ? "" : ", fixed in " + edge.fixed_in,
                       edge.url.empty() ? edge.file : edge.url);
}

Error unknown_version(const std::string& folder, const std::string& version) {
    return {"route.unknown",
            fmt::format("{} has no version {}", folder, version),
            "name one of its channels' versions",
            ErrorClass::permanent};
}

}  // namespace

AppResult<UpdateRoute>
update_route(const std::string& folder, const std::string& start, const std::string& target) {
    const auto graph_data = updates::load_openshift(folder);
    if (!graph_data) {
        return tl::unexpected(Failure{k_exit_usage, {graph_data.error()}});
    }
    const updates::UpdateGraph& graph = graph_data->graph;
    const std::size_t begin = graph.find(start);
    const std::size_t end = graph.find(target);
    if (begin == updates::k_not_found || end == updates::k_not_found) {
        const std::string& missing = begin == updates::k_not_found ? start : target;
        return tl::unexpected(Failure{k_exit_usage, {unknown_version(folder, missing)}});
    }
    UpdateRoute answer;
    answer.start = start;
    answer.target = target;
    answer.versions = graph.versions().size();
    answer.rules = graph_data->rules;
    for (const std::size_t stop : graph.shortest_route(begin, end)) {
        answer.stops.push_back(graph.versions()[stop]);
    }
    answer.has_way = begin == end || !answer.stops.empty();
    for (const updates::BlockedEdge* edge : graph_data->objections(begin, end)) {
        answer.objections.push_back(words_of(*edge));
    }
    // The versions are in order, so this walks from the newest one below the target to the start.
    const auto tree = graph.shortest_path_tree(begin);
    for (std::size_t version = end;
         version-- > begin + 1 && answer.nearest_versions.size() < k_near_max;) {
        if (!answer.has_way && tree[version] != updates::k_not_found) {
            answer.nearest_versions.push_back(graph.versions()[version]);
        }
    }
    return answer;
}

}  // namespace drydock::app
