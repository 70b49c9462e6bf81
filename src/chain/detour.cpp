// Three searches for a way around a hop that is not clean.
//
// Stops between the two releases come from a breadth-first search, so that they are as few as
// possible. A later goal, and an earlier release to leave from, are found by trying one release
// after the other. Each edge is a whole comparison, which is why edges are computed only when the
// search asks for them. Hops go forward in the list only: a downgrade is no detour.
#include "chain/detour.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

namespace drydock::chain {

namespace {

constexpr std::size_t k_not_found = static_cast<std::size_t>(-1);

class Search {
public:
    explicit Search(const std::vector<Reading>& releases) : releases_(releases) {}

    [[nodiscard]] std::size_t position_of(std::string_view name) const {
        const auto match =
            std::find_if(releases_.begin(), releases_.end(), [&](const Reading& release) {
                return release.package == name;
            });
        return match == releases_.end() ? k_not_found
                                        : static_cast<std::size_t>(match - releases_.begin());
    }

    // Returns the fewest releases between the two with only clean hops; empty if there is no such
    // way. `predecessors` holds the release from which the search first reached each release.
    [[nodiscard]] std::vector<std::string> find_stops(std::size_t start, std::size_t goal) const {
        std::vector<std::size_t> predecessors(releases_.size(), k_not_found);
        std::deque<std::size_t> queue = {start};
        while (!queue.empty() && predecessors[goal] == k_not_found) {
            const std::size_t position = queue.front();
            queue.pop_front();
            for (std::size_t next = position + 1; next <= goal; ++next) {
                if (predecessors[next] == k_not_found && is_clean(position, next)) {
                    predecessors[next] = position;
                    queue.push_back(next);
                }
            }
        }
        std::vector<std::string> route;
        for (std::size_t position = predecessors[goal];
             position != k_not_found && position != start;
             position = predecessors[position]) {
            route.insert(route.begin(), releases_[position].package);
        }
        return route;
    }

    // Tries the releases after the goal, the nearest first.
    [[nodiscard]] std::string find_later_goal(std::size_t start, std::size_t goal) const {
        for (std::size_t next = goal + 1; next < releases_.size(); ++next) {
            if (is_clean(start, next)) {
                return releases_[next].package;
            }
        }
        return {};
    }

    // For a database that is still on an earlier release: from there the goal is one clean hop.
    [[nodiscard]] std::string find_earlier_start(std::size_t start, std::size_t goal) const {
        for (std::size_t position = start; position-- > 0;) {
            if (is_clean(position, goal)) {
                return releases_[position].package;
            }
        }
        return {};
    }

private:
    [[nodiscard]] bool is_clean(std::size_t source, std::size_t target) const {
        return compare(releases_[source], releases_[target]).verdict == Verdict::clean;
    }

    const std::vector<Reading>& releases_;
};

}  // namespace

// Only the ways that exist are named.
std::string Detour::text() const {
    std::vector<std::string> ways;
    if (!stops.empty()) {
        ways.push_back("go by " + join(stops, ", "));
    }
    if (!later_goal.empty()) {
        ways.push_back(fmt::format("go to {} instead", later_goal));
    }
    if (!earlier_start.empty()) {
        ways.push_back(
            fmt::format("leave at {}, if the database is not past it yet", earlier_start));
    }
    return ways.empty() ? "no release leads round it" : join(ways, "; or ");
}

Detour
find_detour(const std::vector<Reading>& releases, std::string_view start, std::string_view goal) {
    const Search search(releases);
    const std::size_t begin = search.position_of(start);
    const std::size_t end = search.position_of(goal);
    if (begin == k_not_found || end == k_not_found || begin >= end) {
        return {};
    }
    return {search.find_stops(begin, end),
            search.find_later_goal(begin, end),
            search.find_earlier_start(begin, end)};
}

}  // namespace drydock::chain
