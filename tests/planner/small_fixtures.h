// Sites of small packs of tests/packs whose point of no return no law tells of.
#pragma once

#include "planner/fixture.h"

namespace drydock::planner {

// tests/packs/copied with one member, whose old server takes writes.
[[nodiscard]] Fixture copied_site();
// tests/packs/beside: o1 on 1.0 serves, n1 on 2.0 stands beside it.
[[nodiscard]] Fixture beside_site();
// tests/packs/sealed with two members.
[[nodiscard]] Fixture sealed_site();
[[nodiscard]] Fixture packaged_site();
[[nodiscard]] Fixture pruned_site();

}  // namespace drydock::planner
