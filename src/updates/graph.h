// Start here: an update graph. For each pair of versions a bit says if the update is allowed.
//
//   scheme.h      the order of versions
//   graph.h       the graph, and shortest routes in it
//   openshift.h   a graph from a directory of OpenShift's graph data
//
// A route has the fewest hops. Among routes of equal length, the search prefers the newest stops.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::updates {

inline constexpr std::size_t k_not_found = static_cast<std::size_t>(-1);

// A set of versions, by position.
class Bits {
public:
    Bits() = default;

    explicit Bits(std::size_t size) : words_((size + 63) / 64) {}

    void set(std::size_t position) { words_[position / 64] |= 1ULL << (position % 64); }

    void clear(std::size_t position) { words_[position / 64] &= ~(1ULL << (position % 64)); }

    [[nodiscard]] bool has(std::size_t position) const {
        return (words_[position / 64] >> (position % 64) & 1U) != 0;
    }

    [[nodiscard]] const std::vector<std::uint64_t>& words() const { return words_; }

    std::vector<std::uint64_t>& words() { return words_; }

private:
    std::vector<std::uint64_t> words_;
};

class UpdateGraph {
public:
    // `versions`: oldest first, each once.
    explicit UpdateGraph(std::vector<std::string> versions);

    [[nodiscard]] const std::vector<std::string>& versions() const { return versions_; }

    [[nodiscard]] std::size_t find(std::string_view version) const;  // k_not_found: unknown

    void allow(std::size_t source, std::size_t target) { next_[source].set(target); }

    void forbid(std::size_t source, std::size_t target) { next_[source].clear(target); }

    [[nodiscard]] bool is_allowed(std::size_t source, std::size_t target) const {
        return next_[source].has(target);
    }

    // Returns the stops after `start`, the last of which is `goal`. It is empty if no route leads
    // there, or if both are the same version.
    [[nodiscard]] std::vector<std::size_t> shortest_route(std::size_t start,
                                                          std::size_t goal) const;

    // Returns for each version its predecessor on the route from `start`; k_not_found: not reached.
    [[nodiscard]] std::vector<std::size_t> shortest_path_tree(std::size_t start) const;

private:
    std::vector<std::string> versions_;
    std::vector<std::pair<std::string, std::size_t>> by_name_;  // sorted
    std::vector<Bits> next_;
};

}  // namespace drydock::updates
