// Symbolic links, fifos, sockets and devices: what has no content.
#pragma once

#include "mover/tree/entry.h"
#include "mover/tree/manifest.h"

#include <string>

namespace drydock::mover::tree {

// Makes a link or a special file. False: errno tells why.
[[nodiscard]] bool make_special(int folder,
                                const std::string& name,
                                const Entry& entry,
                                const std::string& link_target);

// True for the errno of a call that a file system has not, or allows nobody.
[[nodiscard]] bool is_unknown_to_target(int error);

// True if an open folder has this link, device, fifo or socket already.
[[nodiscard]] bool
is_special_there(int folder, const std::string& name, const ManifestEntry& found);

}  // namespace drydock::mover::tree
