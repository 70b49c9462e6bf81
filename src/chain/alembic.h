// One revision file of alembic, read without running it.
#pragma once

#include "chain/chain.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::chain {

struct RevisionFile {
    std::optional<Revision> revision;  // nullopt: the file declares none, or has problems
    bool declares = false;             // the file binds one of a revision's names
    std::vector<Problem> problems;
};

// Reads one file. `path` is its path in the package; problems and the revision name it.
[[nodiscard]] RevisionFile read_alembic(const std::string& path, std::string_view text);

}  // namespace drydock::chain
