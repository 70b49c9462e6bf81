// A store of backy2 that is opened. Start here: config.h (where it lies), metadata.h (its rows),
// blob.h (one blob); then inspect.h, verify.h, restore.h, upgrade.h, encrypt.h (what is done).
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
// `key`: 32 bytes that replace those of the configuration; empty: none. Errors: those of
// open_metadata, and "blocks.data" if the folder of blobs is absent.
[[nodiscard]] Result<Store>
open_store(const StoreConfig& config, const std::string& key, SqlAccess access);

}  // namespace drydock::mover::blocks
