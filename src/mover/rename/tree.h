// Walks the directories of a volume in both layouts, without looking into any folder.
#pragma once

#include "mover/rename/layout.h"
#include "os/files.h"

#include <functional>
#include <string>

namespace drydock::mover::rename {

struct TreeVisitor {
    // A folder at ROOT/aa/bb/REST.
    std::function<void(const Id& folder)> on_layout_2;
    // A folder at ROOT/SCOPE/aa/bb/REST.
    std::function<void(const Id& folder, const Id& scope)> on_layout_3;
    // ROOT/SCOPE, before the folders in it.
    std::function<void(const Id& scope)> on_scope;
    // A name that the layouts give to a directory, and that is something else: a path below ROOT.
    std::function<void(const std::string& path)> on_not_directory;
    // Any other name beside or among the folders: a path below ROOT.
    std::function<void(const std::string& path)> on_other;
};

// Errors: "rename.read" for a directory that cannot be read.
[[nodiscard]] Status walk_tree(const os::Fd& root, const TreeVisitor& visitor);

}  // namespace drydock::mover::rename
