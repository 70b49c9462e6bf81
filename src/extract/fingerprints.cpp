// An open hash table with linear probing. The marks are the two low bits of a slot.
#include "extract/fingerprints.h"

#include "base/hash.h"

#include <algorithm>
#include <span>

namespace drydock::extract {

namespace {

constexpr std::uint64_t k_marks = 3;
constexpr std::uint64_t k_key_of_zero = 4;  // a slot of a name is never 0
constexpr std::size_t k_slots_first = 1024;
constexpr std::uint64_t k_mixer = 0x9e3779b97f4a7c15U;  // odd, of the golden ratio

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

std::size_t FingerprintTable::find(std::uint64_t key) const {
    const std::size_t mask = slots_.size() - 1;
    std::size_t position = (key >> 2) & mask;
    while (slots_[position] != 0 && (slots_[position] & ~k_marks) != key) {
        position = (position + 1) & mask;
    }
    return position;
}

// Three slots of four are used at most: beyond that the runs of full slots grow long.
std::uint64_t FingerprintTable::mark(std::uint64_t fingerprint, Mark mark) {
    if (size_ * 4 >= slots_.size() * 3) {
        grow();
    }
    const std::uint64_t key = key_of(fingerprint);
    std::uint64_t& slot = slots_[find(key)];
    const std::uint64_t before = slot & k_marks;
    if (slot == 0) {
        if (size_ >= k_names_max) {
            is_full_ = true;
            return 0;
        }
        ++size_;
    }
    slot |= key | mark;
    return before;
}

bool FingerprintTable::has(std::uint64_t fingerprint, Mark mark) const {
    return !slots_.empty() && (slots_[find(key_of(fingerprint))] & mark) != 0;
}

std::int64_t FingerprintTable::count_exactly(std::uint64_t marks) const {
    return std::count_if(slots_.begin(), slots_.end(), [&](std::uint64_t slot) {
        return slot != 0 && (slot & k_marks) == marks;
    });
}

std::int64_t FingerprintTable::count(Mark mark) const {
    return std::count_if(
        slots_.begin(), slots_.end(), [&](std::uint64_t slot) { return (slot & mark) != 0; });
}

void FingerprintTable::grow() {
    std::vector<std::uint64_t> old(std::max(k_slots_first, slots_.size() * 2));
    old.swap(slots_);
    for (const std::uint64_t slot : old) {
        if (slot != 0) {
            slots_[find(slot & ~k_marks)] = slot;
        }
    }
}

}  // namespace drydock::extract
