// New blobs of the file backend: written, made durable together, and read back from the disk.
//
// Thread-safe.
#pragma once

#include "mover/blocks/blob.h"

#include <string>
#include <string_view>

namespace drydock::mover::blocks {

// Writes a new file; it is durable after sync_blobs(). Errors: "os.disk_full" and others of
// writing, "blocks.exists", "blocks.uid". After an error there is no such file.
[[nodiscard]] Status
write_blob(const BlobReader& store, const std::string& uid, std::string_view bytes);
// Makes all files and folders of the store's file system durable. Error: "os.sync".
[[nodiscard]] Status sync_blobs(const BlobReader& store);
// Drops what memory has of the file, so that it is read from the disk next.
void forget_cached(const BlobReader& store, const std::string& uid);
// True if there was such a file. Error: "os.unlink".
[[nodiscard]] Result<bool> remove_blob(const BlobReader& store, const std::string& uid);
// Of the file; 0 if there is none.
[[nodiscard]] std::int64_t blob_file_bytes(const BlobReader& store, const std::string& uid);

}  // namespace drydock::mover::blocks
