// The bytes of one file: read, hashed and written in one pass, with holes kept as holes.
//
// Thread-safe; a workspace belongs to one thread. Error codes: "tree.read", "tree.write",
// "tree.disk_full" (no space, or the quota is used up).
#pragma once

#include "base/result.h"
#include "mover/tree/digest.h"
#include "mover/tree/entry.h"
#include "mover/tree/workers.h"

#include <cstdint>
#include <string>

namespace drydock::mover::tree {

struct FileData {
    std::string digest;
    std::int64_t bytes = 0;  // that were there; fewer than expected if the file was cut meanwhile
};

inline constexpr int k_no_target = -1;

// Lets an empty file share the blocks of another one. False, and errno, if their file system
// cannot.
[[nodiscard]] bool clone_data(int source, int target);

// Reads all of a file, at most `entry.bytes`, and writes it to an empty file.
[[nodiscard]] Result<FileData>
copy_data(int source, int target, const Entry& entry, DigestKind kind, Workspace& workspace);

// Does the same with one chunk of a large file. The digest of a hole is empty.
[[nodiscard]] Result<FileData> copy_chunk(int source,
                                          int target,
                                          const Entry& entry,
                                          std::int64_t chunk,
                                          DigestKind kind,
                                          Workspace& workspace);

// Returns the digest of a whole file, as a copy of it would get.
[[nodiscard]] Result<FileData>
digest_file(int file, const Entry& entry, DigestKind kind, Workspace& workspace);

// Makes the error of a failed write.
[[nodiscard]] tl::unexpected<Error> fail_write(const char* action, int error_number);
// The same of an entry that could not be made. "tree.collides" if something else of this copy has
// its name: the target takes both names for one.
[[nodiscard]] tl::unexpected<Error> fail_make(const char* action, int error_number);

}  // namespace drydock::mover::tree
