// Look: what an entry of a tree has, as a manifest tells it.
#pragma once

#include "base/result.h"
#include "mover/tree/digest.h"
#include "mover/tree/manifest.h"
#include "mover/tree/names.h"
#include "mover/tree/workers.h"

#include <string>

namespace drydock::mover::tree {

struct Look {
    DigestKind digest = DigestKind::xxh3;
    bool reads_disk = false;  // drops what is in the page cache of a file before it is read

    // Looks at what is no folder, by its name in an open one. `path` is told with it. Errors:
    // "tree.vanished", "tree.open", "tree.read" and what belongs to attributes.
    [[nodiscard]] Result<ManifestEntry>
    at(Workspace& workspace, int folder, const Name& name, std::string path) const;

    // The same of an open folder.
    [[nodiscard]] static Result<ManifestEntry>
    at_folder(int folder, const Entry& entry, std::string path);

private:
    [[nodiscard]] Result<ManifestEntry>
    at_file(Workspace& workspace, int folder, const std::string& name, std::string path) const;
};

}  // namespace drydock::mover::tree
