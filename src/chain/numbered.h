// Conventions whose order is that of numbers in file names: Flyway, golang-migrate, Rails.
//
// A revision's parent is the one with the next lower number.
#pragma once

#include "chain/chain.h"
#include "chain/package.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::chain {

// The convention of a file by its name alone; nothing: none of these.
[[nodiscard]] std::optional<Convention> numbered_convention(std::string_view path);

void read_numbered(Convention convention, const Texts& texts, Reading& reading);

}  // namespace drydock::chain
