// Index: the one type of indices in the model, and the few conversions to narrower types.
//
// Actions, members, hosts, roles, stores and groups are numbered from zero, in the plan's order. A
// vector is indexed without a cast. `k_no_index` stands for none; as a member it stands for the
// system.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace drydock::checker {

using Byte = std::uint8_t;
using Offset = std::uint32_t;  // of a byte in the row
using Index = std::size_t;

inline constexpr Offset k_no_offset = 0xFFFFFFFFU;
inline constexpr Index k_no_index = std::numeric_limits<Index>::max();

// Narrows a number or an enumerator that is known to fit a byte.
template <class T>
[[nodiscard]] constexpr Byte to_byte(T value) {
    return static_cast<Byte>(value);
}

// Returns the position of an enumerator in its enumeration.
template <class Enum>
[[nodiscard]] constexpr Index ordinal(Enum value) {
    return static_cast<Index>(value);
}

// Returns the distance between two iterators in order.
template <class Iterator>
[[nodiscard]] constexpr Index distance_between(Iterator first, Iterator last) {
    return static_cast<Index>(last - first);
}

// Returns the index of the first equal element; k_no_index: none is equal.
template <class Range, class T>
[[nodiscard]] Index index_in(const Range& range, const T& value) {
    const auto position = std::find(range.begin(), range.end(), value);
    return position == range.end() ? k_no_index : distance_between(range.begin(), position);
}

}  // namespace drydock::checker
