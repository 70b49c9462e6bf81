// What routes over an imported update graph cost: `updates_bench FOLDER` prints one line of JSON.
//
// - milliseconds to read the folder of graph data
// - milliseconds a route takes: the worst of many pairs
// - milliseconds for the routes of all pairs
#include "bench/must.h"
#include "updates/openshift.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace {

using drydock::bench::must;
namespace updates = drydock::updates;

double now_ms() {
    using Clock = std::chrono::steady_clock;
    return std::chrono::duration<double, std::milli>(Clock::now().time_since_epoch()).count();
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: updates_bench FOLDER\n");
        return 2;
    }
    const double begin = now_ms();
    const updates::OpenShiftGraph found = must(updates::load_openshift(argv[1]));
    const double load_ms = now_ms() - begin;
    const std::size_t count = found.graph.versions().size();
    double worst_ms = 0;
    std::size_t hops_max = 0;
    for (std::size_t i = 0; i < count; i += 7) {
        const double start = now_ms();
        const auto stops = found.graph.shortest_route(i, count - 1 - i / 2);
        worst_ms = std::max(worst_ms, now_ms() - start);
        hops_max = std::max(hops_max, stops.size());
    }
    const double all_begin = now_ms();
    std::size_t reached = 0;
    for (std::size_t from = 0; from < count; ++from) {
        for (const std::size_t before : found.graph.shortest_path_tree(from)) {
            reached += before == updates::k_not_found ? 0U : 1U;
        }
    }
    std::printf(
        "{\"bench\": \"route\", \"versions\": %zu, \"rules\": %zu, \"load_ms\": %.0f, "
        "\"route_worst_ms\": %.2f, \"hops_max\": %zu, \"all_pairs_ms\": %.0f, \"reached\": %zu}\n",
        count,
        found.rules,
        load_ms,
        worst_ms,
        hops_max,
        now_ms() - all_begin,
        reached);
    return 0;
}
