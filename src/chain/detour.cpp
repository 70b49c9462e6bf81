#include "chain/detour.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

namespace drydock::chain {

namespace {

constexpr std::size_t k_nowhere = static_cast<std::size_t>(-1);

class Search {
public:
    explicit Search(const std::vector<Reading>& releases) : releases_(releases) {}

    [[nodiscard]] std::size_t at(std::string_view name) const {
        const auto it = std::find_if(releases_.begin(), releases_.end(), [&](const Reading& one) {
            return one.package == name;
        });
        return it == releases_.end() ? k_nowhere : static_cast<std::size_t>(it - releases_.begin());
    }

    // The fewest stops between the two; breadth first.
    [[nodiscard]] std::vector<std::string> stops(std::size_t from, std::size_t to) const {
        std::vector<std::size_t> before(releases_.size(), k_nowhere);
        std::deque<std::size_t> ahead = {from};
        while (!ahead.empty() && before[to] == k_nowhere) {
            const std::size_t at = ahead.front();
            ahead.pop_front();
            for (std::size_t next = at + 1; next <= to; ++next) {
                if (before[next] == k_nowhere && is_clean(at, next)) {
                    before[next] = at;
                    ahead.push_back(next);
                }
            }
        }
        std::vector<std::string> found;
        for (std::size_t at = before[to]; at != k_nowhere && at != from; at = before[at]) {
            found.insert(found.begin(), releases_[at].package);
        }
        return found;
    }

    [[nodiscard]] std::string instead(std::size_t from, std::size_t to) const {
        for (std::size_t next = to + 1; next < releases_.size(); ++next) {
            if (is_clean(from, next)) {
                return releases_[next].package;
            }
        }
        return {};
    }

    [[nodiscard]] std::string leave_at(std::size_t from, std::size_t to) const {
        for (std::size_t at = from; at-- > 0;) {
            if (is_clean(at, to)) {
                return releases_[at].package;
            }
        }
        return {};
    }

private:
    [[nodiscard]] bool is_clean(std::size_t from, std::size_t to) const {
        return compare(releases_[from], releases_[to]).verdict == Verdict::clean;
    }

    const std::vector<Reading>& releases_;
};

}  // namespace

std::string Detour::text() const {
    std::vector<std::string> ways;
    if (!stops.empty()) {
        ways.push_back("go by " + join(stops, ", "));
    }
    if (!instead.empty()) {
        ways.push_back(fmt::format("go to {} instead", instead));
    }
    if (!leave_at.empty()) {
        ways.push_back(fmt::format("leave at {}, if the database is not past it yet", leave_at));
    }
    return ways.empty() ? "no release leads round it" : join(ways, "; or ");
}

Detour
find_detour(const std::vector<Reading>& releases, std::string_view from, std::string_view to) {
    const Search search(releases);
    const std::size_t begin = search.at(from);
    const std::size_t end = search.at(to);
    if (begin == k_nowhere || end == k_nowhere || begin >= end) {
        return {};
    }
    return {search.stops(begin, end), search.instead(begin, end), search.leave_at(begin, end)};
}

}  // namespace drydock::chain
