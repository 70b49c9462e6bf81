// say() formats lines for people. Text from hosts, packs and files cannot begin a line of its own.
#pragma once

#include "cli/visible.h"

#include <fmt/core.h>

#include <string>
#include <string_view>
#include <type_traits>

namespace drydock::cli {

// The formatted form of an argument: text on one line, any other type as it is.
template <class T>
using FormatArgument =
    std::conditional_t<std::is_convertible_v<const T&, std::string_view>, std::string, T>;

template <class T>
FormatArgument<T> format_argument(const T& value) {
    if constexpr (std::is_convertible_v<const T&, std::string_view>) {
        return one_line(value);
    } else {
        return value;
    }
}

// Formats as fmt::format() does, with arguments kept on one line: only the format string has new
// lines. A check of the tree (tests/tidy) forbids any other formatting of text in this folder.
template <class... T>
std::string say(fmt::format_string<FormatArgument<T>...> form, const T&... values) {
    return fmt::format(form, format_argument(values)...);
}

}  // namespace drydock::cli
