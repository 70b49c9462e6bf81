// EnumNames is the one table of the names of an enum, as files and messages have them. Reader,
// writer and schema share it.
//
//   enum class Order : std::uint8_t { serial, all };
//   inline constexpr EnumNames<Order, Order::all> k_orders({"serial", "all"});
//
// The names follow the order of the enumerators; a missing one does not compile. An enumerator
// "none" may have an empty name.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drydock {

template <class Enum, Enum last>
class EnumNames {
public:
    static constexpr std::size_t k_count = static_cast<std::size_t>(last) + 1;

    template <std::size_t count>
    consteval explicit EnumNames(const std::string_view (&names)[count]) {
        static_assert(count == k_count, "each enumerator has one name");
        std::copy_n(names, count, names_.begin());
    }

    [[nodiscard]] constexpr std::string_view of(Enum value) const {
        return names_.at(static_cast<std::size_t>(value));
    }

    // Returns the value with that name; nothing if there is none.
    [[nodiscard]] constexpr std::optional<Enum> parse(std::string_view name) const {
        const auto position = std::find(names_.begin(), names_.end(), name);
        return position == names_.end()
                   ? std::nullopt
                   : std::optional(static_cast<Enum>(position - names_.begin()));
    }

    [[nodiscard]] constexpr const std::array<std::string_view, k_count>& all() const {
        return names_;
    }

    // Returns the names up to that of `end`, without empty ones: the choices of a schema.
    [[nodiscard]] std::vector<std::string> choices(Enum end = last) const {
        std::vector<std::string> choices(names_.begin(),
                                         names_.begin() + static_cast<std::ptrdiff_t>(end) + 1);
        std::erase(choices, "");
        return choices;
    }

private:
    std::array<std::string_view, k_count> names_ = {};
};

}  // namespace drydock
