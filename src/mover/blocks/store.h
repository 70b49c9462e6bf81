// Start here: an open store of backy2. Then config.h (the place of a store), metadata.h with sql.h
// and schema.h (its rows), blob.h with data_backend.h, cipher.h and seal.h (one blob). The work is
// in inspect.h, verify.h, restore.h, transfer.h, upgrade.h, and in rewrite.h with
// rewrite_journal.h, rewrite_rows.h and rewrite_batch.h (encryption and keys).
//
// An object belongs to one thread; BlobReader may be shared.
#pragma once

#include "mover/blocks/blob.h"
#include "mover/blocks/config.h"
#include "mover/blocks/metadata.h"

#include <memory>
#include <string>

namespace drydock::mover::blocks {

struct Store {
    StoreConfig config;
    std::unique_ptr<Metadata> metadata;
    BlobReader reader;
};

// Connects to the database of the configuration.
[[nodiscard]] Result<std::unique_ptr<Sql>> connect(const StoreConfig& config, SqlAccess access);
// Opens a store. `key` has 32 bytes and replaces the key of the configuration; empty: that key is
// used. Errors: those of open_metadata, and "blocks.data" if the folder of blobs is absent.
[[nodiscard]] Result<Store>
open_store(const StoreConfig& config, const std::string& key, SqlAccess access);

}  // namespace drydock::mover::blocks
