// One revision file of alembic, read without running it.
#pragma once

#include "chain/chain.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::chain {

struct RevisionFile {
    std::optional<Revision> revision;  // nothing: the file declares none, or has problems
    bool declares = false;             // one of a revision's names is bound in it
    std::vector<Problem> problems;
};

// `path`: of the file in its package; problems and the revision name it.
[[nodiscard]] RevisionFile read_alembic(const std::string& path, std::string_view text);

}  // namespace drydock::chain
