// An open hash table with linear probing, in 64 parts. The marks are the two low bits of a slot.
//
// The first six bits of a hash choose the part. The others, read as a fraction, choose the slot:
// so a part may have any number of slots, and grows by a quarter.
//
// A mark that may wait stands in a ring of 16 while the memory of its slot is fetched. Each new one
// takes the place of the oldest, which is then carried out. Questions look at the ring first.
#include "extract/fingerprints.h"

#include "base/hash.h"

#include <algorithm>
#include <span>

namespace drydock::extract {

namespace {

constexpr std::uint64_t k_marks = 3;
constexpr std::uint64_t k_key_of_zero = 4;  // a slot of a name is never 0
constexpr int k_part_bits = 6;
constexpr std::size_t k_slots_first = 16;
constexpr std::uint64_t k_mixer = 0x9e3779b97f4a7c15U;  // odd, of the golden ratio

std::size_t part_of(std::uint64_t key) {
    return key >> (64 - k_part_bits);
}

// Returns `fraction` / 2^64 of the size. 32 bits are enough: no part has more slots.
std::size_t scaled(std::uint64_t fraction, std::size_t size) {
    return ((fraction >> 32) * size) >> 32;
}

std::uint64_t key_of(std::uint64_t fingerprint) {
    const std::uint64_t key = fingerprint & ~k_marks;
    return key == 0 ? k_key_of_zero : key;
}

}  // namespace

std::uint64_t fingerprint(std::string_view name) {
    return xxh3({reinterpret_cast<const std::uint8_t*>(name.data()), name.size()});
}

std::uint64_t fingerprint(std::string_view scope, std::string_view name) {
    return fingerprint(scope) * k_mixer + fingerprint(name);
}

std::size_t FingerprintTable::Part::find(std::uint64_t key) const {
    std::size_t position = scaled(key << k_part_bits, slots.size());
    while (slots[position] != 0 && (slots[position] & ~k_marks) != key) {
        position = position + 1 == slots.size() ? 0 : position + 1;
    }
    return position;
}

std::uint64_t FingerprintTable::mark(std::uint64_t fingerprint, Mark mark) {
    settle_all();
    return put(key_of(fingerprint), mark);
}

// Four slots of five are used at most: beyond that the runs of full slots grow long.
std::uint64_t FingerprintTable::put(std::uint64_t key, Mark mark) {
    Part& part = parts_[part_of(key)];
    if (part.size * 5 >= part.slots.size() * 4) {
        part.grow();
    }
    std::uint64_t& slot = part.slots[part.find(key)];
    const std::uint64_t before = slot & k_marks;
    if (slot == 0) {
        if (size_ >= k_names_max) {
            is_full_ = true;
            return 0;
        }
        ++size_;
        ++part.size;
    }
    slot |= key | mark;
    return before;
}

void FingerprintTable::mark_later(std::uint64_t fingerprint, Mark mark) {
    fetch(fingerprint);
    settle(waiting_[next_]);
    waiting_[next_] = key_of(fingerprint) | mark;
    next_ = (next_ + 1) % k_waiting_max;
}

void FingerprintTable::settle(std::uint64_t& waiting) {
    if (waiting == 0) {
        return;
    }
    const auto wanted = static_cast<Mark>(waiting & k_marks);
    const std::uint64_t before = put(waiting & ~k_marks, wanted);
    repeats_ += wanted == k_defined && (before & k_defined) != 0 ? 1 : 0;
    waiting = 0;
}

void FingerprintTable::settle_all() {
    for (std::uint64_t& waiting : waiting_) {
        settle(waiting);
    }
}

void FingerprintTable::fetch(std::uint64_t fingerprint) const {
    const std::uint64_t key = key_of(fingerprint);
    const Part& part = parts_[part_of(key)];
    __builtin_prefetch(part.slots.data() + scaled(key << k_part_bits, part.slots.size()));
}

bool FingerprintTable::has(std::uint64_t fingerprint, Mark mark) const {
    const std::uint64_t key = key_of(fingerprint);
    const auto is_it = [&](std::uint64_t waiting) {
        return (waiting & ~k_marks) == key && (waiting & mark) != 0;
    };
    if (std::any_of(waiting_.begin(), waiting_.end(), is_it)) {
        return true;
    }
    const Part& part = parts_[part_of(key)];
    return !part.slots.empty() && (part.slots[part.find(key)] & mark) != 0;
}

std::int64_t FingerprintTable::count_exactly(std::uint64_t marks) {
    settle_all();
    std::int64_t count = 0;
    for (const Part& part : parts_) {
        count += std::count_if(part.slots.begin(), part.slots.end(), [&](std::uint64_t slot) {
            return slot != 0 && (slot & k_marks) == marks;
        });
    }
    return count;
}

std::int64_t FingerprintTable::count(Mark mark) {
    return count_exactly(mark) + count_exactly(k_defined | k_referenced);
}

std::int64_t FingerprintTable::repeats() {
    settle_all();
    return repeats_;
}

void FingerprintTable::Part::grow() {
    std::vector<std::uint64_t> old(std::max(k_slots_first, slots.size() + slots.size() / 4));
    old.swap(slots);
    for (const std::uint64_t slot : old) {
        if (slot != 0) {
            slots[find(slot & ~k_marks)] = slot;
        }
    }
}

}  // namespace drydock::extract
