// Mirror: what a target has and the source has not, found and removed.
//
// Both trees are walked by names from open folders, as everything here. What the choice of the copy
// leaves out stays, with the folders that it is in. So do `lost+found` at the top, and other file
// systems that are mounted in the target.
#pragma once

#include "base/result.h"
#include "mover/tree/entry.h"

#include <functional>
#include <string>

namespace drydock::mover::tree {

struct MirrorRequest {
    int source = -1;  // open folders
    int target = -1;
    bool removes = false;  // else they are only told
    std::function<bool(const std::string& path, bool is_folder)> leaves_out = {};
    std::function<bool()> is_over = {};  // asked often; may be empty
    // Called for each entry that was removed, or would be; a folder behind what is in it.
    std::function<void(const std::string& path, Kind kind)> found;
    std::function<void(const std::string& path, const Error& error)> failed;
};

// Calls `found` and `failed` for all entries, in one thread. Memory is that of one folder's names
// for each level.
void remove_extra(const MirrorRequest& request);

}  // namespace drydock::mover::tree
