// The volume's root directory, held open, and its version.txt.
//
// syncfs() on the root makes a whole batch of renames durable at once. With fsync each folder would
// need a sync of two directories.
#include "mover/rename/volume.h"

#include "base/text.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace drydock::mover::rename {
namespace {

constexpr std::size_t k_version_bytes_max = 64;
constexpr std::size_t k_mounts_bytes_max = 16U << 20U;
constexpr mode_t k_file_bits = 0666;

}  // namespace

// Refuses a volume with a mount below it: the kernel refuses renames between filesystems.
Result<Volume> Volume::open(const std::string& root) {
    Volume volume;
    DRYDOCK_TRY_ASSIGN(volume.root, os::open_file(root, O_RDONLY | O_DIRECTORY));
    volume.path = os::real_path_of(root);
    struct stat attributes{};

    if (fstat(volume.root.get(), &attributes) != 0) {
        return fail_errno("rename.read", "look at " + root, errno);
    }
    volume.device = attributes.st_dev;
    volume.inode = attributes.st_ino;
    DRYDOCK_TRY_ASSIGN(const std::string mounts,
                       os::read_file("/proc/self/mountinfo", k_mounts_bytes_max));
    DRYDOCK_TRY(check_mounts(mounts, volume.path));
    return volume;
}

Status Volume::sync() const {
    return syncfs(root.get()) == 0 ? Status() : fail_errno("rename.move", "sync " + path, errno);
}

Result<std::optional<std::string>> Volume::version() const {
    const auto text = os::read_file(path + "/version.txt", k_version_bytes_max);
    if (!text) {
        return text.error().code == "os.missing" ? Result<std::optional<std::string>>(std::nullopt)
                                                 : tl::unexpected(text.error());
    }
    const std::string layout = trim(*text);
    if (layout != "2" && layout != "3") {
        return fail("rename.version",
                    fmt::format("{}/version.txt names layout {}", path, layout),
                    "drydock knows layouts 2 and 3");
    }
    return *text;
}

Status Volume::set_version(const std::optional<std::string>& text, const Ownership& owner) const {
    const std::string file = path + "/version.txt";
    if (!text) {
        if (unlink(file.c_str()) != 0 && errno != ENOENT) {
            return fail_errno("rename.move", "remove " + file, errno);
        }
        return os::sync_folder(path);
    }
    return os::write_file_durable(file, *text, owner.mode & k_file_bits);
}

// Tries to remove each possible directory: rmdir refuses those that are not empty, so no directory
// is listed first.
Result<std::int64_t> Volume::remove_empty_fans() const {
    constexpr int k_fans = 256;
    std::int64_t removed_count = 0;
    for (int outer = 0; outer < k_fans; ++outer) {
        const std::string first = fmt::format("{:02x}", outer);
        if (faccessat(root.get(), first.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) != 0) {
            continue;
        }
        for (int inner = 0; inner < k_fans; ++inner) {
            const std::string second = fmt::format("{}/{:02x}", first, inner);
            removed_count += unlinkat(root.get(), second.c_str(), AT_REMOVEDIR) == 0 ? 1 : 0;
        }
        removed_count += unlinkat(root.get(), first.c_str(), AT_REMOVEDIR) == 0 ? 1 : 0;
    }
    DRYDOCK_TRY(sync());
    return removed_count;
}

}  // namespace drydock::mover::rename
