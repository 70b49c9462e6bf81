// Search: breadth first through all that can happen, on one or two threads.
//
// Rows belong to one of the stores by a bit of their hash. A level is worked through in pieces:
// first all threads expand, each its part, and sort what they find by store; then each fills its
// own store. No lock, no atomic, and the same result every time.
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

// A way that breaks a property: from the row `from`, the first of its choices that does.
struct Breach {
    std::uint32_t from = k_nobody;
    Choice choice;
};

class Search {
public:
    Search(const Site& site, const Options& options);

    // True if all was visited; false if memory ran out. `wanted` are the properties to look for.
    bool run(Broken properties);

    [[nodiscard]] const std::optional<Breach>& breach(Property property) const {
        return breaches_[static_cast<std::size_t>(property)];
    }

    // By which rows are sorted, to be copied.
    [[nodiscard]] const Symmetry& symmetry() const { return hands_.front().symmetry; }

    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] const Byte* row(std::uint32_t id) const;
    [[nodiscard]] std::uint32_t parent(std::uint32_t id) const;
    [[nodiscard]] std::uint32_t find(const Byte* row) const;

    // A row to which this one leads without a fault, if `stuck` was wanted and one was noted.
    [[nodiscard]] std::uint32_t onward(std::uint32_t id) const {
        return id < onward_.size() ? onward_[id] : k_nobody;
    }

    // Ids in the order in which they were reached, level by level.
    [[nodiscard]] std::vector<std::uint32_t> in_order() const;

    [[nodiscard]] int depth() const { return static_cast<int>(levels_.size()) - 1; }

    [[nodiscard]] std::uint64_t transitions() const;
    [[nodiscard]] std::size_t bytes() const;

    // The first action with which a law that closes the way back could hold.
    [[nodiscard]] const std::optional<Breach>& closing() const { return closing_; }

private:
    static constexpr std::size_t k_shards = 2;

    // A candidate of the store.
    struct Kept {
        std::size_t shard = 0;
        std::uint32_t candidate = 0;
    };

    // What one thread needs for itself.
    struct Hand {
        Hand(const Site& site, const Options& options, const Symmetry& sorts);
        Explorer explorer;
        Symmetry symmetry;
        Batch batch;
        std::vector<int> first;             // of members in the same state
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
