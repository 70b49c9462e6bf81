// The journal in memory: for tests and the simulator; the same meaning as the durable one.
//
// The records live in a MemoryStore, which outlives the Journal objects opened on it: dropping one
// and opening another is what a crash and a resume are for the durable journal. A store and its
// journals belong to one thread.
#pragma once

#include "journal/journal.h"

#include <memory>
#include <string>

namespace drydock::journal {

struct MemoryStore;  // opaque

// `id` names the journal; a simulation draws none, so that its runs repeat.
[[nodiscard]] std::shared_ptr<MemoryStore> make_memory_store(std::string id = "memory");

// What a copied state folder is: the same id and records, and nobody conducts.
[[nodiscard]] std::shared_ptr<MemoryStore> copy_memory_store(const MemoryStore& store);

// The journal shares the store: whichever of the two is dropped last ends it.
[[nodiscard]] std::unique_ptr<Journal> open_memory(std::shared_ptr<MemoryStore> store);

}  // namespace drydock::journal
