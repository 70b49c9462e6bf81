// The conditions on the graph of a reading. graph.cpp also defines the members of Graph and the
// names of the enums.
#pragma once

#include "chain/chain.h"
#include "chain/package.h"

#include <string>

namespace drydock::chain {

// Sorts the revisions. Duplicate ids, ids and labels that alembic refuses, and cycles become
// problems. A dependency on a label becomes one on the revision with that label.
void finish(Reading& reading);

// Returns the app in the id of a Django migration: "shop.0001_initial" -> "shop".
[[nodiscard]] std::string_view app_of(std::string_view id);

// Does the same as read_chain() for files in memory. Tests and the fuzzer use it.
[[nodiscard]] Reading
read_texts(const std::string& name, Texts texts, const std::string& environment = {});

}  // namespace drydock::chain
