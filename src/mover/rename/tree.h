// Walks the directories of a volume in both layouts, without looking into any folder.
#pragma once

#include "mover/rename/layout.h"
#include "os/files.h"

#include <functional>
#include <string>

namespace drydock::mover::rename {

struct TreeVisitor {
    // Called for a folder at ROOT/aa/bb/REST.
    std::function<void(const Id& folder)> on_layout_2;
    // Called for a folder at ROOT/SCOPE/aa/bb/REST.
    std::function<void(const Id& folder, const Id& scope)> on_layout_3;
    // Called for ROOT/SCOPE, before the folders in it.
    std::function<void(const Id& scope)> on_scope;
    // Called for a directory's name that belongs to another kind of file, with a path below ROOT.
    std::function<void(const std::string& path)> on_not_directory;
    // Called for any other name beside or among the folders, with a path below ROOT.
    std::function<void(const std::string& path)> on_other;
};

// Walks the tree. Error: "rename.read" for a directory that cannot be read.
[[nodiscard]] Status walk_tree(const os::Fd& root, const TreeVisitor& visitor);

}  // namespace drydock::mover::rename
