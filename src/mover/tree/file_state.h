// The state of a file before and behind a read, and the new file that takes its bytes.
#pragma once

#include "base/result.h"
#include "mover/tree/entry.h"
#include "mover/tree/walk.h"
#include "os/files.h"

#include <cstdint>
#include <string>

namespace drydock::mover::tree {

// True if size, time of modification or time of the inode differ from those before the read, or
// fewer bytes were read than there were.
[[nodiscard]] bool has_changed(const os::Fd& source, const Entry& before, std::int64_t bytes_read);

// Makes a new file in the staged folder that nobody else can open. With `resumes`, what an earlier
// run left half done is removed. Errors: "tree.write", "tree.disk_full".
[[nodiscard]] Result<os::Fd>
make_staged(const Folder& folder, const std::string& name, bool resumes);

}  // namespace drydock::mover::tree
