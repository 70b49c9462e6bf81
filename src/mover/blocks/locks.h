// backy2's own locks, held by drydock so that no command of backy2 works meanwhile.
#pragma once

#include "os/files.h"

#include <string>

namespace drydock::mover::blocks {

// Takes backy2's global lock in its `lock_dir` and keeps it while the object lives. Error:
// "blocks.busy" if a command of backy2, or another drydock, works on the store. An empty name means
// that backy2 takes no locks either.
class StoreLock {
public:
    [[nodiscard]] static Result<StoreLock> take(const std::string& lock_dir);

private:
    os::Fd global_;
};

}  // namespace drydock::mover::blocks
