#include "mover/blocks/blob_writer.h"

#include "os/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace drydock::mover::blocks {
namespace {

// Another thread may make the same folder.
Status make_folder(const std::string& path) {
    if (mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) {
        const int number = errno;
        return fail_errno(number == ENOSPC ? "os.disk_full" : "os.mkdir", "mkdir " + path, number);
    }
    return {};
}

// A store's blobs may be readable for a group: a new one gets what its folder has.
mode_t mode_for(const std::string& folder) {
    struct stat found{};
    return stat(folder.c_str(), &found) == 0 ? found.st_mode & 0666U : 0600U;
}

// A new blob belongs to the owner of the store, who may not be the one who runs drydock.
void give_to_owner(const std::string& path, const std::string& like) {
    struct stat found{};
    if (geteuid() == 0 && stat(like.c_str(), &found) == 0) {
        // If it fails the file stays root's, and reading it back tells nothing wrong.
        (void)(lchown(path.c_str(), found.st_uid, found.st_gid) == 0);
    }
}

}  // namespace

Status write_blob(const BlobReader& store, const std::string& uid, std::string_view bytes) {
    DRYDOCK_TRY_ASSIGN(const std::string path, blob_path(store, uid));
    const std::string folder = os::folder_of(path);
    const std::string parent = os::folder_of(folder);
    for (const std::string& one : {parent, folder}) {
        if (!os::exists(one)) {
            DRYDOCK_TRY(make_folder(one));
            give_to_owner(one, store.data);
        }
    }
    DRYDOCK_TRY_ASSIGN(const os::Fd file,
                       os::open_file(path, O_WRONLY | O_CREAT | O_EXCL, mode_for(folder)));
    Status written = os::write_all(file.get(), bytes);
    if (!written) {
        unlink(path.c_str());
        return tl::unexpected(written.error().in("blob " + path));
    }
    give_to_owner(path, store.data);
    return {};
}

Status sync_blobs(const BlobReader& store) {
    DRYDOCK_TRY_ASSIGN(const os::Fd folder, os::open_file(store.data, O_RDONLY | O_DIRECTORY));
    if (syncfs(folder.get()) != 0) {
        return fail_errno("os.sync", "sync " + store.data, errno);
    }
    return {};
}

void forget_cached(const BlobReader& store, const std::string& uid) {
    const auto path = blob_path(store, uid);
    const auto file = path ? os::open_file(*path, O_RDONLY) : tl::unexpected(path.error());
    if (file) {
        posix_fadvise(file->get(), 0, 0, POSIX_FADV_DONTNEED);
    }
}

Result<bool> remove_blob(const BlobReader& store, const std::string& uid) {
    DRYDOCK_TRY_ASSIGN(const std::string path, blob_path(store, uid));
    if (unlink(path.c_str()) != 0) {
        return errno == ENOENT ? Result<bool>(false)
                               : fail_errno("os.unlink", "unlink " + path, errno);
    }
    return true;
}

std::int64_t blob_file_bytes(const BlobReader& store, const std::string& uid) {
    struct stat found{};
    const auto path = blob_path(store, uid);
    return path && stat(path->c_str(), &found) == 0 ? std::int64_t{found.st_size} : 0;
}

}  // namespace drydock::mover::blocks
