// The conditions on the graph of a reading. graph.cpp also defines the members of Graph and the
// names of the enums.
#pragma once

#include "chain/chain.h"
#include "chain/package.h"

#include <string>

namespace drydock::chain {

// Sorts the revisions. Duplicate ids and cycles become problems. A dependency on a label becomes
// one on the revision with that label.
void finish(Reading& reading);

// Does the same as read_chain() for files in memory. Tests and the fuzzer use it.
[[nodiscard]] Reading
read_texts(const std::string& name, Texts texts, const std::string& environment = {});

}  // namespace drydock::chain
