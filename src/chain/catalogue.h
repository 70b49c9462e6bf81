// Catalogue: the graphs of many releases of one system as plain text, small enough to commit.
//
//   release 23.09.10
//   + ID PARENT... ; DEPENDENCY...     a new revision, or one with other parents than before
//   - ID                               a revision of the release before that is gone
//
// Each release is written as its difference to the release before. Lines with # are comments.
#pragma once

#include "base/result.h"
#include "chain/chain.h"

#include <string>
#include <string_view>
#include <vector>

namespace drydock::chain {

struct CatalogueEntry {
    std::string release;
    Graph graph;
};

using Catalogue = std::vector<CatalogueEntry>;

[[nodiscard]] std::string write_catalogue(const Catalogue& catalogue);
// Reads a catalogue. The error "chain.catalogue" names the line.
[[nodiscard]] Result<Catalogue> read_catalogue(std::string_view text);

// Returns an entry as if it had been read from a package.
[[nodiscard]] Reading reading_of(const CatalogueEntry& entry);

}  // namespace drydock::chain
