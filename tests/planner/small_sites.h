// Sites of small packs of tests/packs whose point of no return no law tells of.
#pragma once

#include "planner/site.h"

namespace drydock::planner {

// tests/packs/copied with one member, whose old server takes writes.
[[nodiscard]] Site copied_site();
// tests/packs/beside: o1 on 1.0 serves, n1 on 2.0 stands beside it.
[[nodiscard]] Site beside_site();
// tests/packs/sealed with two members.
[[nodiscard]] Site sealed_site();
[[nodiscard]] Site packaged_site();
[[nodiscard]] Site pruned_site();

}  // namespace drydock::planner
