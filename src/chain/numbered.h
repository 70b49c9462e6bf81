// Conventions with numbers in file names as their order: Flyway, golang-migrate, Rails.
//
// The parent of a revision is the revision with the next lower number.
#pragma once

#include "chain/chain.h"
#include "chain/package.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::chain {

// Returns the convention of a file by its name alone; nullopt for names of no such convention.
[[nodiscard]] std::optional<Convention> numbered_convention(std::string_view path);

// Returns the folder of the environment that the file belongs to. Rails looks into all folders
// below `migrate`.
[[nodiscard]] std::string_view numbered_home(Convention convention, std::string_view path);

// Reads the files of one environment into the graph of `reading`.
void read_numbered(Convention convention, const Texts& texts, Reading& reading);

}  // namespace drydock::chain
