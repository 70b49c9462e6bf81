// A walk that visits keys and does nothing with them.
#include "mover/s3/key_count.h"

namespace drydock::mover::s3 {

Result<std::int64_t> count_keys(HttpLoop& loop,
                                const Listing& listing,
                                std::size_t ranges_max,
                                const std::vector<KeyRange>& ranges,
                                const Progressed& progressed,
                                const std::function<bool()>& is_to_stop) {
    std::int64_t keys = 0;
    RangeWalk walk(
        listing, {}, ranges_max, [&](const KeyGroup*, const KeyGroup*, const Ticket&) { ++keys; });
    walk.start(ranges);
    drive(loop, {listing.client}, [&] {
        const bool is_stopping = is_to_stop && is_to_stop();
        if (is_stopping) {
            walk.stop();
        }
        walk.advance();
        if (progressed) {
            progressed({.done = 0, .known = keys, .total = keys});
        }
        return walk.is_done() || (is_stopping && listing.client->is_idle());
    });
    if (walk.error()) {
        return tl::unexpected(*walk.error());
    }
    return keys;
}

}  // namespace drydock::mover::s3
