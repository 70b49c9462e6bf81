// Clusters of packs/pachyderm for tests: two sides of 1.x, one installation of 1.x, one of 2.x.
#pragma once

#include "planner/fixture.h"

namespace drydock::planner {

// Blue serves 1.9.12; green is not deployed. All pipelines of blue are started.
[[nodiscard]] Fixture pachyderm_sides();
// One installation of 1.x that runs this release, with folders of both.
[[nodiscard]] Fixture pachyderm_server(const std::string& release);
// One installation of 2.x.
[[nodiscard]] Fixture pachyderm_chart(const std::string& release);

}  // namespace drydock::planner
