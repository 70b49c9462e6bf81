// How many keys a listing has: one more walk over it, for a total, a percentage and a rest.
#pragma once

#include "mover/s3/clone.h"
#include "mover/s3/range_walk.h"

#include <cstdint>
#include <functional>
#include <vector>

namespace drydock::mover::s3 {

// Returns the number of keys in these ranges, or of those seen so far if `is_to_stop` said so.
// Errors: those of the listing.
[[nodiscard]] Result<std::int64_t> count_keys(HttpLoop& loop,
                                              const Listing& listing,
                                              std::size_t ranges_max,
                                              const std::vector<KeyRange>& ranges,
                                              const Progressed& progressed,
                                              const std::function<bool()>& is_to_stop);

}  // namespace drydock::mover::s3
