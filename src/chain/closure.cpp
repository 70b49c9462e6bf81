// Reachability over two graphs, with ids as positions in one sorted list.
//
// A comparison asks for few sets, so ancestors_of() and descendants_of() walk the edges each time,
// in linear time. Only the search for the meeting point needs the ancestors of every revision.
// Closures computes them once, parents first, by uniting the bits of the parents. Both graphs share
// the positions, so that sets of OLD and NEW can be compared word by word.
#include "chain/closure.h"

#include "base/check.h"

#include <algorithm>
#include <bit>

namespace drydock::chain {

namespace {

constexpr std::size_t k_bits = 64;

// Parents and dependencies get positions too, even if neither graph has them as revisions.
void append_names(const Graph& graph, std::vector<std::string_view>& names) {
    for (const Revision& revision : graph.revisions) {
        names.push_back(revision.id);
        names.insert(names.end(), revision.parents.begin(), revision.parents.end());
        names.insert(names.end(), revision.depends_on.begin(), revision.depends_on.end());
    }
}

}  // namespace

Ids::Ids(const Graph& a, const Graph& b) {
    append_names(a, names_);
    append_names(b, names_);
    std::sort(names_.begin(), names_.end());
    names_.erase(std::unique(names_.begin(), names_.end()), names_.end());
}

// A binary search: the names are sorted once.
std::size_t Ids::position_of(std::string_view id) const {
    const auto match = std::lower_bound(names_.begin(), names_.end(), id);
    CHECK(match != names_.end() && *match == id);
    return static_cast<std::size_t>(match - names_.begin());
}

// The graph's own edges come first. Edges of the fallback fill in ids that only it has: a lost
// revision still has its ancestors.
Edges::Edges(const Ids& ids, const Graph& graph, const Graph* fallback)
    : ids_(ids)
    , members_(ids.size())
    , predecessors_(ids.size()) {
    add(ids, graph);
    for (const Revision& revision : graph.revisions) {
        members_[ids.position_of(revision.id)] = true;
    }
    if (fallback != nullptr) {
        add(ids, *fallback);
    }
    sort();
}

void Edges::add(const Ids& ids, const Graph& graph) {
    for (const Revision& revision : graph.revisions) {
        const std::size_t position = ids.position_of(revision.id);
        if (members_[position]) {
            continue;  // the first graph has its own edges there
        }
        for (const auto* list : {&revision.parents, &revision.depends_on}) {
            for (const std::string& id : *list) {
                predecessors_[position].push_back(static_cast<std::uint32_t>(ids.position_of(id)));
            }
        }
    }
}

// Depth first without recursion, because a chain may be thousands of revisions long.
void Edges::sort() {
    Marks is_visited(predecessors_.size());
    std::vector<std::pair<std::size_t, std::size_t>> stack;  // position, next of its lower ones
    for (std::size_t i = 0; i < predecessors_.size(); ++i) {
        if (!is_visited[i]) {
            is_visited[i] = true;
            stack.emplace_back(i, 0);
        }
        while (!stack.empty()) {
            auto& [position, next] = stack.back();
            if (next == predecessors_[position].size()) {
                order_.push_back(position);
                stack.pop_back();
                continue;
            }
            const std::size_t lower = predecessors_[position][next++];
            if (!is_visited[lower]) {
                is_visited[lower] = true;
                stack.emplace_back(lower, 0);
            }
        }
    }
}

// Walks with a stack; each revision is marked before it is pushed, so that it is pushed once.
Marks Edges::ancestors_of(const std::vector<std::size_t>& start) const {
    Marks marks(predecessors_.size());
    std::vector<std::size_t> stack = start;
    for (const std::size_t position : start) {
        marks[position] = true;
    }
    while (!stack.empty()) {
        const std::size_t position = stack.back();
        stack.pop_back();
        for (const std::size_t lower : predecessors_[position]) {
            if (!marks[lower]) {
                marks[lower] = true;
                stack.push_back(lower);
            }
        }
    }
    return marks;
}

// One pass suffices, because `order_` has parents first. A revision descends from the starts if a
// parent is a start or descends from one.
Marks Edges::descendants_of(const std::vector<std::size_t>& start) const {
    Marks is_start(predecessors_.size());
    for (const std::size_t position : start) {
        is_start[position] = true;
    }
    Marks marks(predecessors_.size());
    for (const std::size_t position : order_) {
        marks[position] =
            std::any_of(predecessors_[position].begin(),
                        predecessors_[position].end(),
                        [&](std::size_t lower) { return is_start[lower] || marks[lower]; });
    }
    return marks;
}

std::vector<std::string> Edges::names_in_order(const Marks& marks) const {
    std::vector<std::string> names;
    for (const std::size_t position : order_) {
        if (marks[position]) {
            names.push_back(ids_.name(position));
        }
    }
    return names;
}

// Parents come first in the order, so that their bits are complete when a child takes them over.
Closures::Closures(const Edges& edges)
    : words_((edges.order().size() + k_bits - 1) / k_bits)
    , bits_(edges.order().size() * words_) {
    for (const std::size_t position : edges.order()) {
        std::uint64_t* target_words = bits_.data() + position * words_;
        target_words[position / k_bits] |= 1ULL << (position % k_bits);
        for (const std::size_t lower : edges.predecessors_of(position)) {
            const std::uint64_t* source_words = bits_.data() + lower * words_;
            for (std::size_t word = 0; word < words_; ++word) {
                target_words[word] |= source_words[word];
            }
        }
    }
}

bool Closures::is_same(const Closures& closures, std::size_t position) const {
    const auto begin = bits_.begin() + static_cast<std::ptrdiff_t>(position * words_);
    return std::equal(begin,
                      begin + static_cast<std::ptrdiff_t>(words_),
                      closures.bits_.begin() + static_cast<std::ptrdiff_t>(position * words_));
}

std::size_t Closures::size(std::size_t position) const {
    std::size_t count = 0;
    for (std::size_t word = 0; word < words_; ++word) {
        count += static_cast<std::size_t>(std::popcount(bits_[position * words_ + word]));
    }
    return count;
}

}  // namespace drydock::chain
