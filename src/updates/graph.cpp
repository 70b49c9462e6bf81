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
    const auto it = std::lower_bound(
        by_name_.begin(), by_name_.end(), version, [](const auto& entry, std::string_view wanted) {
            return entry.first < wanted;
        });
    return it != by_name_.end() && it->first == version ? it->second : k_nowhere;
}

// Breadth first over whole words: what is new is what can be reached and has not been.
std::vector<std::size_t> UpdateGraph::tree(std::size_t from) const {
    std::vector<std::size_t> before(versions_.size(), k_nowhere);
    Bits open(versions_.size());
    for (std::size_t i = 0; i < versions_.size(); ++i) {
        open.set(i);
    }
    open.clear(from);
    std::vector<std::size_t> queue = {from};
    queue.reserve(versions_.size());
    for (std::size_t head = 0; head < queue.size(); ++head) {
        const std::size_t at = queue[head];
        const auto& next = next_[at].words();
        for (std::size_t word = next.size(); word-- > 0;) {
            std::uint64_t found = next[word] & open.words()[word];
            open.words()[word] &= ~found;
            while (found != 0) {
                const auto bit = static_cast<std::size_t>(63 - std::countl_zero(found));
                found &= ~(1ULL << bit);
                before[word * 64 + bit] = at;
                queue.push_back(word * 64 + bit);
            }
        }
    }
    return before;
}

std::vector<std::size_t> UpdateGraph::route(std::size_t from, std::size_t to) const {
    std::vector<std::size_t> stops;
    if (from == to) {
        return stops;
    }
    const auto before = tree(from);
    for (std::size_t at = to; at != k_nowhere && at != from; at = before[at]) {
        stops.push_back(at);
    }
    if (before[to] == k_nowhere) {
        stops.clear();
    }
    std::reverse(stops.begin(), stops.end());
    return stops;
}

}  // namespace drydock::updates
