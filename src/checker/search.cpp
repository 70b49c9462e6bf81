#include "checker/search.h"

#include <algorithm>
#include <thread>

namespace drydock::checker {

namespace {

constexpr std::size_t k_piece = 16'384;  // rows that are expanded before stores are filled
constexpr std::size_t k_alone = 1'024;   // fewer rows are not worth a second thread

std::size_t shard_of(std::uint64_t hash) {
    return hash & 1U;
}

bool any(const Faults& faults) {
    return faults.failures + faults.unknown + faults.crashes + faults.member + faults.host > 0;
}

std::uint32_t id_of(std::size_t index, std::size_t shard) {
    return static_cast<std::uint32_t>(index << 1U | shard);
}

}  // namespace

Search::Hand::Hand(const Site& site, const Options& options, const Symmetry& sorts)
    : explorer(
          site, options.faults, options.persons, static_cast<bool>(options.back), options.shortcuts)
    , symmetry(sorts)
    , batch(site.size) {
}

Search::Search(const Site& site, const Options& options)
    : site_(site)
    , options_(options)
    , stores_{Rows(site.size, options.keeps_spent), Rows(site.size, options.keeps_spent)} {
    const Symmetry sorts(site, options.symmetry, options.late_names && any(options.faults));
    hands_.reserve(k_shards);
    for (std::size_t i = 0; i < k_shards; ++i) {
        hands_.emplace_back(site, options, sorts);
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

std::uint32_t Search::find(const Byte* row) const {
    const std::uint64_t hash = stores_[0].hash_of(row);
    const std::size_t shard = shard_of(hash);
    const std::uint32_t index = stores_[shard].find(row, hash);
    return index == k_nobody ? k_nobody : id_of(index, shard);
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
    return hands_[0].transitions + hands_[1].transitions;
}

std::size_t Search::bytes() const {
    return stores_[0].bytes() + stores_[1].bytes();
}

// What the last expansion found: noted if it breaks something, kept for its store.
void Search::take(Hand& hand, std::uint32_t from, std::size_t first) {
    for (std::size_t i = first; i < hand.batch.size(); ++i) {
        const auto broken = static_cast<Broken>(hand.batch.broken(i) & wanted_);
        for (std::size_t p = 0; broken != 0 && p < k_properties; ++p) {
            if (((broken >> p) & 1U) != 0 && !hand.breaches[p]) {
                hand.breaches[p] = {from, hand.batch.choice(i)};
            }
        }
        const bool effect = hand.batch.choice(i).kind == Kind::done
                            || hand.batch.choice(i).kind == Kind::died_after
                            || hand.batch.choice(i).kind == Kind::failed_late;
        if (effect && !hand.closing && is_closing(site_, hand.batch.row(i))
            && !is_closing(site_, row(from))) {
            hand.closing = {from, hand.batch.choice(i)};
        }
        const auto versions = hand.symmetry.versions(row(from), hand.batch.row(i));
        for (std::size_t at = 0; at < versions.size(); at += site_.size) {
            keep(hand, from, &versions[at]);
        }
    }
    hand.transitions += hand.batch.size() - first;
}

void Search::keep(Hand& hand, std::uint32_t from, const Byte* row) {
    const std::uint64_t hash = stores_[0].hash_of(row);
    const std::size_t shard = shard_of(hash);
    auto& rows = hand.rows[shard];
    rows.insert(rows.end(), row, row + site_.size);
    hand.found[shard].push_back({hash, from, nullptr});
}

void Search::expand(Hand& hand, std::size_t first, std::size_t last) {
    for (std::size_t shard = 0; shard < k_shards; ++shard) {
        hand.rows[shard].clear();
        hand.found[shard].clear();
    }
    for (std::size_t i = first; i < last; ++i) {
        if (i + 1 < last) {
            __builtin_prefetch(row(level_[i + 1]));
        }
        hand.batch.clear();
        hand.explorer.expand(row(level_[i]), hand.batch);
        take(hand, level_[i], 0);
    }
}

// In the order of the hands, so that nothing depends on who was faster.
void Search::gather(std::size_t shard) {
    for (Hand& hand : hands_) {
        auto& found = hand.found[shard];
        for (std::size_t i = 0; i < found.size(); ++i) {
            found[i].row = &hand.rows[shard][i * site_.size];
        }
        stores_[shard].insert(found);
    }
}

void Search::piece(std::size_t first, std::size_t last) {
    const bool alone = options_.threads < 2 || last - first < k_alone;
    const std::size_t middle = alone ? last : first + (last - first) / 2;
    const auto in_two = [&](const auto& one, const auto& other) {
        if (alone) {
            one();
            other();
            return;
        }
        std::thread second(other);
        one();
        second.join();
    };
    in_two([&] { expand(hands_[0], first, middle); }, [&] { expand(hands_[1], middle, last); });
    in_two([&] { gather(0); }, [&] { gather(1); });
}

// Breadth first: the first that breaks a property is the shortest.
void Search::note_breaches() {
    for (Hand& hand : hands_) {
        for (std::size_t p = 0; p < k_properties; ++p) {
            breaches_[p] = breaches_[p] ? breaches_[p] : hand.breaches[p];
        }
        closing_ = closing_ ? closing_ : hand.closing;
    }
}

bool Search::next_level() {
    const std::array<std::size_t, k_shards> before = {stores_[0].size(), stores_[1].size()};
    for (std::size_t first = 0; first < level_.size(); first += k_piece) {
        piece(first, std::min(first + k_piece, level_.size()));
        if (bytes() > options_.memory_max) {
            return false;
        }
    }
    note_breaches();
    level_.clear();
    for (std::size_t shard = 0; shard < k_shards; ++shard) {
        for (std::size_t i = before[shard]; i < stores_[shard].size(); ++i) {
            level_.push_back(id_of(i, shard));
        }
    }
    if (!level_.empty()) {
        levels_.push_back(before);
    }
    return true;
}

bool Search::run(Broken wanted) {
    wanted_ = wanted;
    std::vector<Byte> first = site_.first;
    hands_[0].symmetry.sort(first.data());
    const std::uint64_t hash = stores_[0].hash_of(first.data());
    const std::size_t shard = shard_of(hash);
    const Candidate candidate = {hash, k_nobody, first.data()};
    stores_[shard].insert({&candidate, 1});
    levels_.push_back({0, 0});
    level_.push_back(id_of(0, shard));
    while (!level_.empty()) {
        if (!next_level()) {
            note_breaches();
            return false;
        }
    }
    return true;
}

}  // namespace drydock::checker
