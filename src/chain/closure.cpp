#include "chain/closure.h"

#include "base/check.h"

#include <algorithm>
#include <bit>

namespace drydock::chain {

namespace {

constexpr std::size_t k_bits = 64;

void append_names(const Graph& graph, std::vector<std::string_view>& into) {
    for (const Revision& one : graph.revisions) {
        into.push_back(one.id);
        into.insert(into.end(), one.parents.begin(), one.parents.end());
        into.insert(into.end(), one.depends_on.begin(), one.depends_on.end());
    }
}

}  // namespace

Ids::Ids(const Graph& a, const Graph& b) {
    append_names(a, names_);
    append_names(b, names_);
    std::sort(names_.begin(), names_.end());
    names_.erase(std::unique(names_.begin(), names_.end()), names_.end());
}

std::size_t Ids::at(std::string_view id) const {
    const auto it = std::lower_bound(names_.begin(), names_.end(), id);
    CHECK(it != names_.end() && *it == id);
    return static_cast<std::size_t>(it - names_.begin());
}

Edges::Edges(const Ids& ids, const Graph& graph, const Graph* other)
    : ids_(ids)
    , own_(ids.size())
    , lower_(ids.size()) {
    add(ids, graph);
    for (const Revision& one : graph.revisions) {
        own_[ids.at(one.id)] = true;
    }
    if (other != nullptr) {
        add(ids, *other);
    }
    sort();
}

void Edges::add(const Ids& ids, const Graph& graph) {
    for (const Revision& one : graph.revisions) {
        const std::size_t at = ids.at(one.id);
        if (own_[at]) {
            continue;  // the first graph has its own edges there
        }
        for (const auto* list : {&one.parents, &one.depends_on}) {
            for (const std::string& id : *list) {
                lower_[at].push_back(static_cast<std::uint32_t>(ids.at(id)));
            }
        }
    }
}

// Depth first, without recursion: chains are long.
void Edges::sort() {
    Marks seen(lower_.size());
    std::vector<std::pair<std::size_t, std::size_t>> stack;  // position, next of its lower ones
    for (std::size_t i = 0; i < lower_.size(); ++i) {
        if (!seen[i]) {
            seen[i] = true;
            stack.emplace_back(i, 0);
        }
        while (!stack.empty()) {
            auto& [at, next] = stack.back();
            if (next == lower_[at].size()) {
                order_.push_back(at);
                stack.pop_back();
                continue;
            }
            const std::size_t lower = lower_[at][next++];
            if (!seen[lower]) {
                seen[lower] = true;
                stack.emplace_back(lower, 0);
            }
        }
    }
}

Marks Edges::below(const std::vector<std::size_t>& start) const {
    Marks marks(lower_.size());
    std::vector<std::size_t> ahead = start;
    for (const std::size_t at : start) {
        marks[at] = true;
    }
    while (!ahead.empty()) {
        const std::size_t at = ahead.back();
        ahead.pop_back();
        for (const std::size_t lower : lower_[at]) {
            if (!marks[lower]) {
                marks[lower] = true;
                ahead.push_back(lower);
            }
        }
    }
    return marks;
}

Marks Edges::above(const std::vector<std::size_t>& start) const {
    Marks from(lower_.size());
    for (const std::size_t at : start) {
        from[at] = true;
    }
    Marks marks(lower_.size());
    for (const std::size_t at : order_) {
        marks[at] = std::any_of(lower_[at].begin(), lower_[at].end(), [&](std::size_t lower) {
            return from[lower] || marks[lower];
        });
    }
    return marks;
}

std::vector<std::string> Edges::names_in_order(const Marks& marks) const {
    std::vector<std::string> names;
    for (const std::size_t at : order_) {
        if (marks[at]) {
            names.push_back(ids_.name(at));
        }
    }
    return names;
}

Closures::Closures(const Edges& edges)
    : words_((edges.order().size() + k_bits - 1) / k_bits)
    , bits_(edges.order().size() * words_) {
    for (const std::size_t at : edges.order()) {
        std::uint64_t* own = bits_.data() + at * words_;
        own[at / k_bits] |= 1ULL << (at % k_bits);
        for (const std::size_t lower : edges.lower(at)) {
            const std::uint64_t* other = bits_.data() + lower * words_;
            for (std::size_t word = 0; word < words_; ++word) {
                own[word] |= other[word];
            }
        }
    }
}

bool Closures::is_same(const Closures& other, std::size_t at) const {
    const auto begin = bits_.begin() + static_cast<std::ptrdiff_t>(at * words_);
    return std::equal(begin,
                      begin + static_cast<std::ptrdiff_t>(words_),
                      other.bits_.begin() + static_cast<std::ptrdiff_t>(at * words_));
}

std::size_t Closures::size(std::size_t at) const {
    std::size_t count = 0;
    for (std::size_t word = 0; word < words_; ++word) {
        count += static_cast<std::size_t>(std::popcount(bits_[at * words_ + word]));
    }
    return count;
}

}  // namespace drydock::chain
