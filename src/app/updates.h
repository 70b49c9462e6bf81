// The use case of `drydock route --graph`: a route over an imported update graph. No cluster is
// asked.
#pragma once

#include "app/app.h"

#include <string>
#include <vector>

namespace drydock::app {

struct UpdateRoute {
    std::string start;
    std::string target;
    std::size_t versions = 0;
    std::size_t rules = 0;
    std::vector<std::string> stops;  // after `from`; empty: there already, or no way
    bool has_way = false;
    std::vector<std::string> objections;  // warnings against the direct edge
    std::vector<std::string>
        nearest_versions;  // the newest versions that are reached, if there is no way
};

// Finds the route. `folder` holds OpenShift's graph data. Refuses a version that it does not have.
[[nodiscard]] AppResult<UpdateRoute>
update_route(const std::string& folder, const std::string& start, const std::string& target);

}  // namespace drydock::app
