// Sets of revisions below and above others (ancestors and descendants), over the ids of two graphs.
#pragma once

#include "chain/chain.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::chain {

using Marks = std::vector<bool>;  // a set of ids, by position

// All ids of two graphs and all ids that these name, sorted. The position of an id is its place
// there.
class Ids {
public:
    Ids(const Graph& a, const Graph& b);

    [[nodiscard]] std::size_t size() const { return names_.size(); }

    [[nodiscard]] std::size_t position_of(std::string_view id) const;  // CHECKs that the id exists

    [[nodiscard]] std::string name(std::size_t position) const {
        return std::string(names_[position]);
    }

private:
    std::vector<std::string_view> names_;
};

// The parents and dependencies of one graph. An id that the graph lacks has those of the other
// graph.
class Edges {
public:
    Edges(const Ids& ids, const Graph& graph, const Graph* fallback);

    [[nodiscard]] const Marks& members() const { return members_; }

    // Returns the starts and all their ancestors.
    [[nodiscard]] Marks ancestors_of(const std::vector<std::size_t>& start) const;
    // Returns all descendants of the starts, without the starts.
    [[nodiscard]] Marks descendants_of(const std::vector<std::size_t>& start) const;
    // Returns the marked ids, parents first.
    [[nodiscard]] std::vector<std::string> names_in_order(const Marks& marks) const;

    [[nodiscard]] const std::vector<std::size_t>& order() const { return order_; }

    [[nodiscard]] const std::vector<std::uint32_t>& predecessors_of(std::size_t position) const {
        return predecessors_[position];
    }

private:
    void add(const Ids& ids, const Graph& graph);
    void sort();

    const Ids& ids_;
    Marks members_;
    std::vector<std::vector<std::uint32_t>> predecessors_;
    std::vector<std::size_t> order_;  // parents first
};

// All ancestors of each id, as bits. The size is quadratic in the number of ids.
class Closures {
public:
    explicit Closures(const Edges& edges);

    // Returns true if the id has the same ancestors in both.
    [[nodiscard]] bool is_same(const Closures& closures, std::size_t position) const;
    // Returns the number of ancestors, the id included.
    [[nodiscard]] std::size_t size(std::size_t position) const;

private:
    std::size_t words_;
    std::vector<std::uint64_t> bits_;
};

}  // namespace drydock::chain
