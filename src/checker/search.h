// Search: breadth-first exploration of all reachable states, on one or two threads.
//
// A bit of its hash assigns each row to one of two stores (shards). A level is worked through in
// chunks. Each thread expands its half and buffers the successors by store; then each thread fills
// one store. There is no lock and no atomic, and every search has the same result.
#pragma once

#include "checker/insert_buffer.h"
#include "checker/state_store.h"
#include "checker/successor_generator.h"
#include "checker/symmetry.h"

#include <array>
#include <functional>
#include <optional>
#include <vector>

namespace drydock::checker {

// A step that violates a property: the first such transition from the row `source`.
struct ViolatingStep {
    std::uint32_t source = k_no_state;
    Transition transition;
};

class Search {
public:
    Search(const Model& model, const Options& options);

    // Returns true if all states were visited, false if memory ran out. `properties` are those to
    // check.
    bool run(PropertySet properties);

    [[nodiscard]] const std::optional<ViolatingStep>& violation(Property property) const {
        return violations_[ordinal(property)];
    }

    // Returns the symmetry by which rows are sorted; callers copy it.
    [[nodiscard]] const Symmetry& symmetry() const { return workers_.front().symmetry; }

    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] const Byte* row(std::uint32_t id) const;
    [[nodiscard]] std::uint32_t parent(std::uint32_t id) const;
    [[nodiscard]] std::uint32_t find(const Byte* row) const;

    // Returns a successor that costs no fault, if `stuck` is checked and the search noted one.
    [[nodiscard]] std::uint32_t witness_successor(std::uint32_t id) const {
        return id < witness_successors_.size() ? witness_successors_[id] : k_no_state;
    }

    // Returns the ids in the order in which they were reached, level by level.
    [[nodiscard]] std::vector<std::uint32_t> in_order() const;

    [[nodiscard]] int depth() const { return static_cast<int>(levels_.size()) - 1; }

    [[nodiscard]] std::uint64_t transitions() const;
    [[nodiscard]] std::size_t bytes() const;

    // Returns the first action that enables a law which closes the way back.
    [[nodiscard]] const std::optional<ViolatingStep>& return_point() const { return return_point_; }

private:
    // The number of stores, and of threads.
    static constexpr std::size_t k_shards = 2;

    // A candidate in the buffer of one store.
    struct BufferedRow {
        std::size_t shard = 0;
        std::uint32_t candidate = 0;
    };

    // The working memory of one thread.
    struct Worker {
        Worker(const Model& model, const Options& options, const Symmetry& sorts);
        SuccessorGenerator explorer;
        Symmetry symmetry;
        Successors batch;
        std::vector<Index> representatives;  // by member: the first member in the same state
        std::array<InsertBuffer, k_shards> buffers;  // by store
        std::array<std::optional<ViolatingStep>, k_properties> violations;
        std::optional<ViolatingStep> return_point;
        std::uint64_t transitions = 0;
    };

    [[nodiscard]] const Byte* row_before(std::uint32_t id) const;

    [[nodiscard]] bool asks_for_ends() const {
        return (properties_ & mask_of(Property::stuck)) != 0;
    }

    void expand(Worker& hand, std::size_t first, std::size_t last);
    void note(Worker& hand, std::uint32_t source, std::size_t i) const;
    [[nodiscard]] BufferedRow buffer_row(Worker& hand, std::uint32_t source, const Byte* row) const;
    void insert(Worker& hand, std::uint32_t source) const;
    void merge_shard(std::size_t shard);
    void expand_chunk(std::size_t first, std::size_t last);
    void note_violations();
    [[nodiscard]] std::size_t rows_at_once(std::size_t expanded) const;
    bool next_level();

    const Model& model_;
    const Options& options_;
    PropertySet properties_ = 0;
    std::vector<Worker> workers_;
    std::array<StateStore, k_shards> stores_;
    std::vector<std::uint32_t> level_;               // ids of the rows that are expanded now
    std::vector<std::uint32_t> witness_successors_;  // by id
    std::vector<std::array<std::size_t, k_shards>> levels_;  // sizes of the stores before each
    std::array<std::optional<ViolatingStep>, k_properties> violations_;
    std::optional<ViolatingStep> return_point_;
};

}  // namespace drydock::checker
