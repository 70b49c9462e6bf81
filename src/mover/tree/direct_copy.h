// Direct copies: large files whose bytes are not in memory go past the page cache, from disk to
// disk. That costs a tenth of the processor time, and leaves the memory to the cluster whose data
// are moved.
//
// Thread-safe; a workspace belongs to one thread.
#pragma once

#include "base/result.h"
#include "mover/tree/digest.h"
#include "mover/tree/entry.h"
#include "mover/tree/file_data.h"
#include "mover/tree/workers.h"
#include "os/files.h"

#include <cstdint>
#include <optional>

namespace drydock::mover::tree {

class DirectCopy {
public:
    // Opens both files once more for direct reads and writes. Returns nothing if the file is small,
    // has holes or is in memory already, or if a file system has no direct reads and writes.
    [[nodiscard]] static std::optional<DirectCopy> open(int source, int target, const Entry& entry);

    // Copies one chunk. Bytes behind the end of the file may be written: the size is set last.
    [[nodiscard]] Result<FileData>
    copy_chunk(const Entry& entry, std::int64_t chunk, DigestKind kind, Workspace& workspace) const;

private:
    DirectCopy(os::Fd source, os::Fd target)
        : source_(std::move(source))
        , target_(std::move(target)) {}

    os::Fd source_;
    os::Fd target_;
};

}  // namespace drydock::mover::tree
