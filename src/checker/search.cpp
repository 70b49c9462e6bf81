// Breadth-first search by levels, chunks and shards.
//
// The order of a chunk: expand() lets each worker expand its half and buffer the successors;
// merge_shard() lets each worker fill one store from both buffers. Buffers are merged in the order
// of the workers, so ids do not depend on timing. Ids are (index in the store) * 2 + shard.
//
// A level is complete before the next begins. So the parent of a row lies one level above it, and
// the first violation of a property has a shortest path. Stores change only while no worker
// expands. See docs/design/0004, "Two threads without a lock".
#include "checker/search.h"

#include <algorithm>
#include <cstring>
#include <thread>

namespace drydock::checker {

namespace {

constexpr std::size_t k_piece = 65'536;  // rows that are expanded before stores are filled
constexpr std::size_t k_single_thread_below = 1'024;  // fewer rows are not worth a second thread
constexpr std::size_t k_found_bytes_max = std::size_t{512} << 20U;  // of a piece, about
constexpr std::size_t k_rows_min = 64;

std::size_t shard_of(std::uint64_t hash) {
    return hash & 1U;
}

bool has_faults(const Faults& faults) {
    return faults.failures + faults.unknown + faults.crashes + faults.member + faults.host
               + faults.restart
           > 0;
}

std::uint32_t id_of(std::size_t index, std::size_t shard) {
    return to_id(index << 1U | shard);
}

}  // namespace

Search::Worker::Worker(const Model& model, const Options& options, const Symmetry& sorts)
    : explorer(model,
               options.faults,
               options.operator_repairs,
               options.compile_downgrade != nullptr,
               options.resolve_local)
    , symmetry(sorts)
    , batch(model.size)
    , buffers{InsertBuffer(model.size), InsertBuffer(model.size)} {
    if (options.judges_restarts) {
        explorer.judge_restarts();
    }
}

Search::Search(const Model& model, const Options& options)
    : model_(model)
    , options_(options)
    , stores_{StateStore(model.size, options.no_dominance_pruning),
              StateStore(model.size, options.no_dominance_pruning)} {
    const Symmetry sorts(
        model, options.symmetry, options.lazy_identity && has_faults(options.faults));
    workers_.reserve(k_shards);
    for (std::size_t i = 0; i < k_shards; ++i) {
        workers_.emplace_back(model, options, sorts);
    }
}

std::size_t Search::size() const {
    return stores_[0].size() + stores_[1].size();
}

const Byte* Search::row(std::uint32_t id) const {
    return stores_[id & 1U].row(id >> 1U);
}

std::uint32_t Search::parent(std::uint32_t id) const {
    return stores_[id & 1U].parent(id >> 1U);
}

// Returns the row from which this one was reached; null for the initial row.
const Byte* Search::row_before(std::uint32_t id) const {
    const std::uint32_t parent_id = parent(id);
    return parent_id == k_no_state ? nullptr : row(parent_id);
}

std::uint32_t Search::find(const Byte* row) const {
    const std::uint64_t hash = stores_[0].hash_of(row);
    const std::size_t shard = shard_of(hash);
    const std::uint32_t index = stores_[shard].find(row, hash);
    return index == k_no_state ? k_no_state : id_of(index, shard);
}

std::vector<std::uint32_t> Search::in_order() const {
    std::vector<std::uint32_t> ids;
    ids.reserve(size());
    for (std::size_t level = 0; level < levels_.size(); ++level) {
        for (std::size_t shard = 0; shard < k_shards; ++shard) {
            const std::size_t end =
                level + 1 < levels_.size() ? levels_[level + 1][shard] : stores_[shard].size();
            for (std::size_t i = levels_[level][shard]; i < end; ++i) {
                ids.push_back(id_of(i, shard));
            }
        }
    }
    return ids;
}

std::uint64_t Search::transitions() const {
    return workers_[0].transitions + workers_[1].transitions;
}

std::size_t Search::bytes() const {
    return stores_[0].bytes() + stores_[1].bytes()
           + witness_successors_.size() * sizeof witness_successors_[0];
}

// Keeps the first violation of each property in this chunk, and the first effect that enables a law
// which closes the way back.
void Search::note(Worker& hand, std::uint32_t source, std::size_t i) const {
    const PropertySet broken = hand.batch.violated(i) & properties_;
    for (std::size_t p = 0; broken != 0 && p < k_properties; ++p) {
        if (((broken >> p) & 1U) != 0 && !hand.violations[p]) {
            hand.violations[p] = {source, hand.batch.transition(i)};
        }
    }
    const TransitionKind kind = hand.batch.transition(i).kind;
    const bool effect = kind == TransitionKind::done || kind == TransitionKind::died_after
                        || kind == TransitionKind::failed_late;
    if (effect && !hand.return_point && is_closing(model_, hand.batch.row(i))
        && !is_closing(model_, row(source))) {
        hand.return_point = {source, hand.batch.transition(i)};
    }
}

// Buffers a sorted row. Returns its candidate.
Search::BufferedRow Search::buffer_row(Worker& hand, std::uint32_t source, const Byte* row) const {
    const std::uint64_t hash = stores_[0].hash_of(row);
    const std::size_t shard = shard_of(hash);
    return {shard, hand.buffers[shard].add(stores_[0], row, hash, source)};
}

// Takes over the successors of one row: notes violations, sorts, buffers. The first successor that
// costs no fault and has a single instance becomes the witness of the row. With several instances,
// an end would have to be reachable from each, and one edge cannot say so.
void Search::insert(Worker& hand, std::uint32_t source) const {
    const std::size_t usage = model_.size - k_fault_usage_size;
    const Byte* source_row = row(source);
    bool links = !witness_successors_.empty();
    for (std::size_t i = 0; i < hand.batch.size(); ++i) {
        Byte* successor = hand.batch.row(i);
        note(hand, source, i);
        if (!hand.batch.is_followed(i)) {
            continue;
        }
        ++hand.transitions;
        const auto versions = hand.symmetry.instantiate(source_row, successor);
        BufferedRow entry;
        for (std::size_t position = 0; position < versions.size(); position += model_.size) {
            entry = buffer_row(hand, source, &versions[position]);
        }
        if (links && versions.size() == model_.size
            && std::memcmp(successor + usage, source_row + usage, k_fault_usage_size) == 0) {
            hand.buffers[entry.shard].link({source, entry.candidate});
            links = false;
        }
    }
    hand.batch.clear();
}

// Prefetches the row after next. The parent of the next row is needed only by the partial order
// reduction.
void Search::expand(Worker& hand, std::size_t first, std::size_t last) {
    for (InsertBuffer& buffer : hand.buffers) {
        buffer.clear();
    }
    const bool is_reduced = hand.explorer.order().is_enabled();
    for (std::size_t i = first; i < last; ++i) {
        if (i + 2 < last) {
            __builtin_prefetch(row(level_[i + 2]));
        }
        if (is_reduced && i + 1 < last) {
            __builtin_prefetch(row_before(level_[i + 1]));
        }
        const Byte* expanded_row = row(level_[i]);
        if (options_.symmetry) {
            hand.symmetry.find_first(expanded_row, hand.representatives);
        }
        const Byte* previous_row = is_reduced ? row_before(level_[i]) : nullptr;
        hand.explorer.expand(expanded_row, hand.batch, hand.representatives, previous_row);
        insert(hand, level_[i]);
    }
}

// Merges in the order of the workers, so that no id depends on their speed.
void Search::merge_shard(std::size_t shard) {
    for (Worker& hand : workers_) {
        InsertBuffer& buffer = hand.buffers[shard];
        buffer.hand_over(stores_[shard]);
        for (const WitnessEdge& link : buffer.links()) {
            witness_successors_[link.source] = id_of(buffer.index(link.candidate), shard);
        }
    }
}

// Small chunks are not worth a thread. Both phases end before the next begins, so no lock is
// needed.
void Search::expand_chunk(std::size_t first, std::size_t last) {
    const bool alone = options_.threads < 2 || last - first < k_single_thread_below;
    const std::size_t middle = alone ? last : first + (last - first) / 2;
    const auto in_two = [&](const auto& first_task, const auto& second_task) {
        if (alone) {
            first_task();
            second_task();
            return;
        }
        std::thread second(second_task);
        first_task();
        second.join();
    };
    in_two([&] { expand(workers_[0], first, middle); }, [&] { expand(workers_[1], middle, last); });
    in_two([&] { merge_shard(0); }, [&] { merge_shard(1); });
}

// Keeps the result of an earlier level: the search is breadth first, so its path is the shortest.
void Search::note_violations() {
    for (Worker& hand : workers_) {
        for (std::size_t p = 0; p < k_properties; ++p) {
            violations_[p] = violations_[p] ? violations_[p] : hand.violations[p];
        }
        return_point_ = return_point_ ? return_point_ : hand.return_point;
    }
}

// Returns the size of the next chunk, such that its successors fit the memory for buffers. In a
// wide plan one row has hundreds. The estimate is the mean so far: `expanded` rows had
// transitions() successors.
std::size_t Search::rows_at_once(std::size_t expanded) const {
    const std::size_t by_row = expanded == 0 ? model_.actions.size() : 1 + transitions() / expanded;
    const std::size_t found_by_row = model_.size * std::max<std::size_t>(by_row, 1);
    return std::clamp<std::size_t>(k_found_bytes_max / found_by_row, k_rows_min, k_piece);
}

// Returns false if memory ran out. The memory is checked after each chunk, so it is exceeded by one
// chunk at most.
bool Search::next_level() {
    const std::array<std::size_t, k_shards> old_sizes = {stores_[0].size(), stores_[1].size()};
    if (asks_for_ends()) {
        witness_successors_.resize(k_shards * std::max(old_sizes[0], old_sizes[1]), k_no_state);
    }
    const std::size_t earlier_rows =
        old_sizes[0] + old_sizes[1] - level_.size();  // rows of the levels before
    for (std::size_t first = 0; first < level_.size();) {
        const std::size_t end = std::min(first + rows_at_once(earlier_rows + first), level_.size());
        expand_chunk(first, end);
        first = end;
        if (bytes() > options_.memory_max) {
            return false;
        }
    }
    note_violations();
    level_.clear();
    for (std::size_t shard = 0; shard < k_shards; ++shard) {
        for (std::size_t i = old_sizes[shard]; i < stores_[shard].size(); ++i) {
            level_.push_back(id_of(i, shard));
        }
    }
    if (!level_.empty()) {
        levels_.push_back(old_sizes);
    }
    return true;
}

bool Search::run(PropertySet properties) {
    properties_ = properties;
    if (options_.partial_order_reduction) {
        const std::vector<bool> exchanged = symmetry().symmetric_members();
        for (Worker& hand : workers_) {
            hand.explorer.order().enable(exchanged, asks_for_ends());
        }
    }
    std::vector<Byte> first = model_.initial;
    workers_[0].symmetry.sort(first.data());
    const std::uint64_t hash = stores_[0].hash_of(first.data());
    const std::size_t shard = shard_of(hash);
    Candidate candidate = {hash, k_no_state, k_no_state};
    stores_[shard].insert({&candidate, 1}, first.data());
    levels_.push_back({0, 0});
    level_.push_back(id_of(0, shard));
    while (!level_.empty()) {
        if (!next_level()) {
            note_violations();
            return false;
        }
    }
    return true;
}

}  // namespace drydock::checker
