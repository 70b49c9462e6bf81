// Restore: gives a tree what a manifest has, and what it lost where it was meanwhile: owners,
// modes, extended attributes with ACLs, times, flags; links, fifos and devices; further names of
// files.
//
// So a copy that went to a file system with few abilities comes back as it was. Content is not
// touched: it is what was copied.
#pragma once

#include "base/result.h"
#include "mover/tree/copy.h"

#include <string>

namespace drydock::mover::tree {

// Reads the manifest three times. Counts what was restored in the report, and lists there what is
// missing, has another size or kind, or was refused. Memory: a path for each file with several
// names. Errors: "tree.manifest", "tree.open".
[[nodiscard]] Status
restore_attributes(const std::string& manifest, const std::string& target, CopyReport& report);

}  // namespace drydock::mover::tree
