// An Ozone cluster for planner tests: packs/ozone with scm1, dn1 to dn3, om1, a Recon and an S3
// gateway, and the facts of a survey in which all is at rest on one release. Tests change single
// facts and compile.
#pragma once

#include "planner/fixture.h"

namespace drydock::planner {

// `own` is a release that only the cluster file knows, with the layouts HDDS 4 and OM 3.
inline constexpr const char* k_ozone_own = "2.2.0-h4o3";

// Everybody runs `version`, finalized. `oms` Ozone Managers.
[[nodiscard]] Fixture ozone_fixture(const std::string& version, int oms = 1);
// Members of a role, or all of them for "".
[[nodiscard]] std::vector<std::string> members_of(const Fixture& site, const std::string& role);
// What Ozone's servers tell after a stop, and after a start of what is installed, on the layouts
// that are on disk.
void ozone_stop(Fixture& site, const std::string& member);
void ozone_start(Fixture& site, const std::string& member);
// The layouts on the disks of SCM and datanodes, and of OMs.
void ozone_layouts(Fixture& site, const std::string& hdds, const std::string& om);

}  // namespace drydock::planner
