// What the graph of a reading must be, and sets of ids as bits.
#pragma once

#include "chain/chain.h"
#include "chain/package.h"

#include <string>

namespace drydock::chain {

// Sorts the revisions; an id twice and a circle become problems. A dependency on a label becomes
// one on the revision that has it.
void finish(Reading& reading);

// The app of a migration of Django: "shop.0001_initial" -> "shop".
[[nodiscard]] std::string_view app_of(std::string_view id);

// read_chain() of files that are at hand, for tests and the fuzzer.
[[nodiscard]] Reading
read_texts(const std::string& name, Texts texts, const std::string& environment = {});

}  // namespace drydock::chain
