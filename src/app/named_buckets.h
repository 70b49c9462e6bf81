// The names of buckets that a cluster file gives, put in the place of what would be typed.
#pragma once

#include "app/buckets.h"

namespace drydock::app {

// Replaces "s3://NAME[/PREFIX]" of the sides by what `options.cluster_file` says of NAME, and reads
// the secrets of their keys. Without a cluster file, nothing changes. Refuses a name that the file
// does not have, settings that were typed besides, and a file that this account does not trust.
[[nodiscard]] AppResult<void> resolve_buckets(const Options& options,
                                              std::initializer_list<BucketSide*> sides);

}  // namespace drydock::app
