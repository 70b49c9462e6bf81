// Takes backy2's locks with flock, as backy2 does.
//
// The global lock comes first, so no command of backy2 can begin afterwards. A backup that began
// before holds the lock of its version. So each version's lock is tried then: success proves that
// no backup is under way.
#include "mover/blocks/locks.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <filesystem>

namespace drydock::mover::blocks {
namespace {

namespace fs = std::filesystem;

tl::unexpected<Error> busy(const std::string& path) {
    return fail("blocks.busy",
                fmt::format("{} is locked: backy2 or another drydock works on the store", path),
                "let it end, start nothing new, and say it again");
}

Result<os::Fd> take_flock(const std::string& path) {
    DRYDOCK_TRY_ASSIGN(os::Fd file, os::open_plain(path, O_RDONLY | O_CREAT | O_NOFOLLOW, 0644));
    if (flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
        return busy(path);
    }
    return file;
}

// Tries the lock of each version. It is dropped at once: new backups cannot begin.
Status check_version_locks(const std::string& folder, const std::string& global) {
    std::error_code error;
    for (fs::directory_iterator iterator(folder, error);
         !error && iterator != fs::directory_iterator();
         iterator.increment(error)) {
        const std::string name = iterator->path().filename().string();
        if (name != global && name.starts_with("backy_") && name.ends_with(".lock")) {
            DRYDOCK_TRY_ASSIGN(const os::Fd version_lock, take_flock(iterator->path().string()));
        }
    }
    return {};
}

}  // namespace

Result<StoreLock> StoreLock::take(const std::string& lock_dir) {
    StoreLock lock;
    if (!lock_dir.empty()) {
        const std::string global = "backy_backy.lock";
        DRYDOCK_TRY_ASSIGN(lock.global_, take_flock(lock_dir + "/" + global));
        DRYDOCK_TRY(check_version_locks(lock_dir, global));
    }
    return lock;
}

}  // namespace drydock::mover::blocks
