// Search: breadth-first exploration of all reachable states, on one or two threads.
//
// A bit of its hash assigns each row to one of two stores (shards). A level is worked through in
// chunks. Each thread expands its half and buffers the successors by store; then each thread fills
// one store. There is no lock and no atomic, and every search has the same result.
#pragma once

#include "checker/explorer.h"
#include "checker/finds.h"
#include "checker/rows.h"
#include "checker/symmetry.h"

#include <array>
#include <functional>
#include <optional>
#include <vector>

namespace drydock::checker {

// A step that violates a property: the first such transition from the row `source`.
struct Breach {
    std::uint32_t from = k_nobody;
    Choice choice;
};

class Search {
public:
    Search(const Site& site, const Options& options);

    // Returns true if all states were visited, false if memory ran out. `properties` are those to
    // check.
    bool run(Broken properties);

    [[nodiscard]] const std::optional<Breach>& breach(Property property) const {
        return breaches_[static_cast<std::size_t>(property)];
    }

    // Returns the symmetry by which rows are sorted; callers copy it.
    [[nodiscard]] const Symmetry& symmetry() const { return hands_.front().symmetry; }

    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] const Byte* row(std::uint32_t id) const;
    [[nodiscard]] std::uint32_t parent(std::uint32_t id) const;
    [[nodiscard]] std::uint32_t find(const Byte* row) const;

    // Returns a successor that costs no fault, if `stuck` is checked and the search noted one.
    [[nodiscard]] std::uint32_t onward(std::uint32_t id) const {
        return id < onward_.size() ? onward_[id] : k_nobody;
    }

    // Returns the ids in the order in which they were reached, level by level.
    [[nodiscard]] std::vector<std::uint32_t> in_order() const;

    [[nodiscard]] int depth() const { return static_cast<int>(levels_.size()) - 1; }

    [[nodiscard]] std::uint64_t transitions() const;
    [[nodiscard]] std::size_t bytes() const;

    // Returns the first action that enables a law which closes the way back.
    [[nodiscard]] const std::optional<Breach>& closing() const { return closing_; }

private:
    // The number of stores, and of threads.
    static constexpr std::size_t k_shards = 2;

    // A candidate in the buffer of one store.
    struct Kept {
        std::size_t shard = 0;
        std::uint32_t candidate = 0;
    };

    // The working memory of one thread.
    struct Hand {
        Hand(const Site& site, const Options& options, const Symmetry& sorts);
        Explorer explorer;
        Symmetry symmetry;
        Batch batch;
        std::vector<int> first;             // by member: the first member in the same state
        std::array<Finds, k_shards> found;  // by store
        std::array<std::optional<Breach>, k_properties> breaches;
        std::optional<Breach> closing;
        std::uint64_t transitions = 0;
    };

    [[nodiscard]] const Byte* row_before(std::uint32_t id) const;

    [[nodiscard]] bool asks_for_ends() const { return (wanted_ & bit_of(Property::stuck)) != 0; }

    void expand(Hand& hand, std::size_t first, std::size_t last);
    void note(Hand& hand, std::uint32_t source, std::size_t i) const;
    [[nodiscard]] Kept keep(Hand& hand, std::uint32_t source, const Byte* row) const;
    void take(Hand& hand, std::uint32_t source) const;
    void gather(std::size_t shard);
    void piece(std::size_t first, std::size_t last);
    void note_breaches();
    [[nodiscard]] std::size_t rows_at_once(std::size_t expanded) const;
    bool next_level();

    const Site& site_;
    const Options& options_;
    Broken wanted_ = 0;
    std::vector<Hand> hands_;
    std::array<Rows, k_shards> stores_;
    std::vector<std::uint32_t> level_;   // ids of the rows that are expanded now
    std::vector<std::uint32_t> onward_;  // by id
    std::vector<std::array<std::size_t, k_shards>> levels_;  // sizes of the stores before each
    std::array<std::optional<Breach>, k_properties> breaches_;
    std::optional<Breach> closing_;
};

}  // namespace drydock::checker
