// Of steps that have nothing to do with each other one order is tried: the same rows are reached,
// at the same depth, as when all orders are.
//
// DRYDOCK_SEEDS: five times as many plans (default 500). DRYDOCK_SEED: only this one.
#include "checker/search.h"
#include "reference/random.h"
#include "reference/random_plan.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

namespace drydock::checker {
namespace {

using reference::number_from;

struct Reached {
    std::map<std::string, int> depth;  // by row
    std::uint64_t transitions = 0;
    bool whole = false;
};

Reached reach(const Model& site, const Options& options, PropertySet wanted) {
    Search search(site, options);
    Reached reached;
    reached.whole = search.run(wanted);
    if (!reached.whole) {
        return reached;
    }
    reached.transitions = search.transitions();
    std::map<std::uint32_t, int> depths;
    for (const std::uint32_t id : search.in_order()) {
        const std::uint32_t before = search.parent(id);
        const int depth = before == k_no_state ? 0 : depths.at(before) + 1;
        depths[id] = depth;
        reached.depth.emplace(std::string(reinterpret_cast<const char*>(search.row(id)), site.size),
                              depth);
    }
    return reached;
}

struct Tally {
    std::uint64_t plans = 0;
    std::uint64_t fewer = 0;  // transitions
};

// With what was spent told apart, so that the rows do not depend on which was found first.
void compare(std::uint64_t seed, Tally& tally) {
    const reference::Drawn drawn = reference::draw_errands(seed);
    const Model site(drawn.plan);
    Options options;
    options.faults = drawn.faults;
    options.compile_downgrade = drawn.back;
    options.no_dominance_pruning = true;
    options.threads = 1;
    options.memory_max = std::size_t{4} << 20U;
    for (const unsigned kind : {0U, 1U, 2U, 3U, 4U, 5U, 6U, 7U}) {
        options.symmetry = (kind & 1U) != 0;
        options.resolve_local = (kind & 2U) != 0;
        options.partial_order_reduction = false;
        const PropertySet wanted = (kind & 4U) != 0 ? mask_of(Property::stuck) : PropertySet{0};
        const Reached all = reach(site, options, wanted);
        if (!all.whole) {
            continue;
        }
        options.partial_order_reduction = true;
        const Reached one = reach(site, options, wanted);
        ++tally.plans;
        tally.fewer += one.transitions < all.transitions ? 1 : 0;
        EXPECT_LE(one.transitions, all.transitions) << "seed " << seed << ", kind " << kind;
        EXPECT_EQ(one.depth.size(), all.depth.size()) << "seed " << seed << ", kind " << kind;
        EXPECT_TRUE(one.depth == all.depth) << "seed " << seed << ", kind " << kind;
    }
}

TEST(PartialOrderReduction, ReachesTheSameRowsAtTheSameDepth) {
    Tally tally;
    if (const std::uint64_t only = number_from("DRYDOCK_SEED", 0); only != 0) {
        compare(only, tally);
        return;
    }
    for (std::uint64_t seed = 1; seed <= number_from("DRYDOCK_SEEDS", 500) / 5; ++seed) {
        compare(seed, tally);
    }
    fmt::print(stderr, "{} searches, {} with fewer transitions\n", tally.plans, tally.fewer);
    EXPECT_GT(3 * tally.fewer, tally.plans);
}

}  // namespace
}  // namespace drydock::checker
