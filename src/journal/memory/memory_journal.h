// The journal in memory, for tests and the simulator. It has the same meaning as the durable
// journal.
//
// The records live in a MemoryStore, which outlives the Journal objects opened on it. To drop one
// object and open another has the effect of a crash and a resume. A store and its journals belong
// to one thread.
#pragma once

#include "journal/journal.h"

#include <memory>
#include <string>

namespace drydock::journal {

struct MemoryStore;  // opaque

// `id` names the journal; a simulation draws none, so that its runs repeat.
[[nodiscard]] std::shared_ptr<MemoryStore> make_memory_store(std::string id = "memory");

// Returns the equivalent of a copied state folder: the same id and records, and no conductor.
[[nodiscard]] std::shared_ptr<MemoryStore> copy_memory_store(const MemoryStore& store);

// Opens a journal that shares the store: the last owner of the two ends it.
[[nodiscard]] std::unique_ptr<Journal> open_memory(std::shared_ptr<MemoryStore> store);

}  // namespace drydock::journal
