// Shortest routes by a breadth-first search over bits.
//
// A graph may have thousands of versions, and edges by the square of that. Each version has a row
// of bits, one for each version that it may be updated to. A step of the search takes 64 edges at a
// time: successors that are not reached yet are `row & unreached`. Versions are in order of age, so
// that reading each word from its highest bit reaches the newest versions first.
#include "updates/graph.h"

#include <algorithm>
#include <bit>

namespace drydock::updates {

UpdateGraph::UpdateGraph(std::vector<std::string> versions)
    : versions_(std::move(versions))
    , next_(versions_.size(), Bits(versions_.size())) {
    for (std::size_t i = 0; i < versions_.size(); ++i) {
        by_name_.emplace_back(versions_[i], i);
    }
    std::sort(by_name_.begin(), by_name_.end());
}

std::size_t UpdateGraph::find(std::string_view version) const {
    const auto match = std::lower_bound(
        by_name_.begin(), by_name_.end(), version, [](const auto& entry, std::string_view name) {
            return entry.first < name;
        });
    return match != by_name_.end() && match->first == version ? match->second : k_not_found;
}

// Invariant: `unreached_bits` has exactly the versions without a predecessor, apart from `start`.
std::vector<std::size_t> UpdateGraph::shortest_path_tree(std::size_t start) const {
    std::vector<std::size_t> predecessors(versions_.size(), k_not_found);
    Bits unreached_bits(versions_.size());
    for (std::size_t i = 0; i < versions_.size(); ++i) {
        unreached_bits.set(i);
    }
    unreached_bits.clear(start);
    std::vector<std::size_t> queue = {start};
    queue.reserve(versions_.size());
    // The queue grows in the order of distance, so that the first predecessor is one of a shortest
    // route.
    for (std::size_t head = 0; head < queue.size(); ++head) {
        const std::size_t position = queue[head];
        const auto& next = next_[position].words();
        for (std::size_t word = next.size(); word-- > 0;) {
            std::uint64_t new_bits = next[word] & unreached_bits.words()[word];
            unreached_bits.words()[word] &= ~new_bits;
            while (new_bits != 0) {
                const auto bit = static_cast<std::size_t>(63 - std::countl_zero(new_bits));
                new_bits &= ~(1ULL << bit);
                predecessors[word * 64 + bit] = position;
                queue.push_back(word * 64 + bit);
            }
        }
    }
    return predecessors;
}

// Follows the predecessors back from the goal.
std::vector<std::size_t> UpdateGraph::shortest_route(std::size_t start, std::size_t goal) const {
    std::vector<std::size_t> stops;
    if (start == goal) {
        return stops;
    }
    const auto predecessors = shortest_path_tree(start);
    for (std::size_t position = goal; position != k_not_found && position != start;
         position = predecessors[position]) {
        stops.push_back(position);
    }
    if (predecessors[goal] == k_not_found) {
        stops.clear();
    }
    std::reverse(stops.begin(), stops.end());
    return stops;
}

}  // namespace drydock::updates
