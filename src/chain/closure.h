// Sets of revisions below and above others, over the ids of two graphs.
#pragma once

#include "chain/chain.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::chain {

using Marks = std::vector<bool>;  // by position

// All ids of two graphs and all that these name, sorted; an id's place in it is its position.
class Ids {
public:
    Ids(const Graph& a, const Graph& b);

    [[nodiscard]] std::size_t size() const { return names_.size(); }

    [[nodiscard]] std::size_t at(std::string_view id) const;  // CHECKs that it is there

    [[nodiscard]] std::string name(std::size_t position) const {
        return std::string(names_[position]);
    }

private:
    std::vector<std::string_view> names_;
};

// The parents and dependencies of one graph; those of an id that it lacks are the other's.
class Edges {
public:
    Edges(const Ids& ids, const Graph& graph, const Graph* fallback);

    [[nodiscard]] const Marks& own() const { return own_; }

    // The starts and all below them.
    [[nodiscard]] Marks below(const std::vector<std::size_t>& start) const;
    // All above the starts, without these.
    [[nodiscard]] Marks above(const std::vector<std::size_t>& start) const;
    // Parents first.
    [[nodiscard]] std::vector<std::string> names_in_order(const Marks& marks) const;

    [[nodiscard]] const std::vector<std::size_t>& order() const { return order_; }

    [[nodiscard]] const std::vector<std::uint32_t>& lower(std::size_t position) const {
        return lower_[position];
    }

private:
    void add(const Ids& ids, const Graph& graph);
    void sort();

    const Ids& ids_;
    Marks own_;
    std::vector<std::vector<std::uint32_t>> lower_;
    std::vector<std::size_t> order_;  // parents first
};

// For each id, all below it, as bits.
class Closures {
public:
    explicit Closures(const Edges& edges);

    [[nodiscard]] bool is_same(const Closures& closures, std::size_t position) const;
    // How many, with itself.
    [[nodiscard]] std::size_t size(std::size_t position) const;

private:
    std::size_t words_;
    std::vector<std::uint64_t> bits_;
};

}  // namespace drydock::chain
