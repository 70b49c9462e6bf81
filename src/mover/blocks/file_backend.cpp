// Blobs in a folder.
//
// A blob is written in one piece under its final name. That is safe because the journal has the
// name before, and no row refers to the blob until it is durable and proved. Blobs are made durable
// together by syncfs(), and not by an fsync for each.
//
// New files and folders get the owner and the mode of the store, so that backy2 can read them if
// root runs drydock.
#include "base/text.h"
#include "mover/blocks/data_backend.h"
#include "mover/blocks/file_names.h"
#include "os/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <mutex>

namespace drydock::mover::blocks {
namespace {

// Makes a folder. Another thread may make the same one at once.
Status make_folder(const std::string& path) {
    if (mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) {
        const int number = errno;
        return fail_errno(number == ENOSPC ? "os.disk_full" : "os.mkdir", "mkdir " + path, number);
    }
    return {};
}

// The owner of new blobs is the store's, and may be another user than drydock's.
struct Owner {
    bool is_other = false;
    uid_t user = 0;
    gid_t group = 0;
};

Owner owner_of(const std::string& folder) {
    struct stat attributes{};
    if (geteuid() != 0 || stat(folder.c_str(), &attributes) != 0) {
        return {};
    }
    return {attributes.st_uid != 0 || attributes.st_gid != getegid(),
            attributes.st_uid,
            attributes.st_gid};
}

constexpr const char* k_other_copy =
    "the block is lost here: take it from another copy of the store";

constexpr const char* k_look = "look at the disk and at permissions";

// Fills the buffer from a file. If the file becomes shorter meanwhile, so does the buffer.
Status fill(int descriptor, Buffer& bytes) {
    std::size_t offset = 0;
    while (offset < bytes.size()) {
        const auto size = ::read(descriptor, bytes.data() + offset, bytes.size() - offset);
        if (size < 0 && errno != EINTR) {
            return fail_errno("blocks.read", "read", errno);
        }
        if (size == 0) {
            bytes.shrink(offset);
        }
        offset += size > 0 ? static_cast<std::size_t>(size) : 0;
    }
    return {};
}

constexpr std::size_t k_large_bytes = 1U << 20U;  // smaller blobs are not worth the call

// Starts the write-back at once, so sync() has less to wait for.
void start_writing(int descriptor, std::size_t bytes) {
    if (bytes >= k_large_bytes) {
        (void)sync_file_range(descriptor, 0, 0, SYNC_FILE_RANGE_WRITE);
    }
}

// Drops the pages of a blob after its only read: they would displace pages of other programs. Pages
// that are not on the disk yet stay.
void leave_cache(int descriptor, std::size_t bytes) {
    if (bytes >= k_large_bytes) {
        posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
    }
}

class FileBackend final : public DataBackend {
public:
    explicit FileBackend(std::string folder) : folder_(std::move(folder)) {}

    [[nodiscard]] const std::string& name() const override { return folder_; }

    [[nodiscard]] Result<std::string> place_of(const std::string& uid) const override;
    [[nodiscard]] Status check() const override;
    [[nodiscard]] Status
    read(const std::string& uid, std::size_t bytes_max, Buffer& bytes) const override;
    [[nodiscard]] Status write(const std::string& uid, std::string_view bytes) const override;
    [[nodiscard]] Status sync() const override;
    void forget_cached(const std::string& uid) const override;
    [[nodiscard]] Result<bool> remove(const std::string& uid) const override;
    [[nodiscard]] Result<std::optional<std::int64_t>>
    bytes_of(const std::string& uid) const override;

    [[nodiscard]] std::unique_ptr<BlobNames> names() const override {
        return std::make_unique<FileNames>(folder_);
    }

private:
    [[nodiscard]] Result<mode_t> mode_in(const std::string& folder) const;
    [[nodiscard]] Status make_folders(const std::string& folder) const;
    [[nodiscard]] const Owner& owner() const;

    std::string folder_;
    mutable std::once_flag has_owner_;
    mutable Owner owner_;  // looked up at the first write
};

Result<std::string> FileBackend::place_of(const std::string& uid) const {
    if (!is_blob_uid(uid)) {
        return fail("blocks.uid", "the uid of a blob is no plain name", "look at the table blocks");
    }
    return fmt::format("{}/{}/{}/{}.blob", folder_, uid.substr(0, 2), uid.substr(2, 2), uid);
}

Status FileBackend::check() const {
    std::error_code unreadable;
    if (!std::filesystem::is_directory(folder_, unreadable)) {
        return fail("blocks.data",
                    fmt::format("{} is no folder that can be read", folder_),
                    "look at [DataBackend] path, and mount what belongs there");
    }
    return {};
}

// O_NONBLOCK and the check for a regular file keep a FIFO from blocking a worker. The size is
// compared before the buffer grows.
Status FileBackend::read(const std::string& uid, std::size_t bytes_max, Buffer& bytes) const {
    DRYDOCK_TRY_ASSIGN(const std::string path, place_of(uid));
    const auto file = os::open_file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (!file) {
        const bool is_missing = file.error().code == "os.missing";
        return is_missing ? fail("blocks.missing", "there is no such file", k_other_copy)
                          : fail("blocks.read", file.error().message, k_look);
    }
    struct stat attributes{};
    if (fstat(file->get(), &attributes) != 0 || !S_ISREG(attributes.st_mode)) {
        return fail("blocks.read", path + " is no plain file", k_look);
    }
    if (static_cast<std::size_t>(attributes.st_size) > bytes_max) {
        return fail("blocks.size",
                    fmt::format("the file is longer than {} bytes", bytes_max),
                    k_other_copy);
    }
    bytes.reset(static_cast<std::size_t>(attributes.st_size));
    DRYDOCK_TRY(fill(file->get(), bytes));
    leave_cache(file->get(), bytes.size());
    return {};
}

const Owner& FileBackend::owner() const {
    std::call_once(has_owner_, [this] { owner_ = owner_of(folder_); });
    return owner_;
}

// Makes the two levels of folders. If the owner cannot be set, the folder stays root's, and the
// blobs in it are still right.
Status FileBackend::make_folders(const std::string& folder) const {
    for (const std::string& path : {os::folder_of(folder), folder}) {
        if (!os::exists(path)) {
            DRYDOCK_TRY(make_folder(path));
            (void)(owner().is_other && lchown(path.c_str(), owner().user, owner().group) == 0);
        }
    }
    return {};
}

// Returns the mode of new blobs: that of their folder without execution, since a group may have to
// read them. Makes the folder if it is absent.
Result<mode_t> FileBackend::mode_in(const std::string& folder) const {
    struct stat attributes{};
    if (stat(folder.c_str(), &attributes) == 0) {
        return attributes.st_mode & 0666U;
    }
    DRYDOCK_TRY(make_folders(folder));
    return stat(folder.c_str(), &attributes) == 0 ? attributes.st_mode & 0666U : 0600U;
}

// O_EXCL refuses an existing blob: uids are drawn at random, so a clash means a fault.
Status FileBackend::write(const std::string& uid, std::string_view bytes) const {
    DRYDOCK_TRY_ASSIGN(const std::string path, place_of(uid));
    const std::string folder = os::folder_of(path);
    DRYDOCK_TRY_ASSIGN(const mode_t mode, mode_in(folder));
    DRYDOCK_TRY_ASSIGN(const os::Fd file, os::open_file(path, O_WRONLY | O_CREAT | O_EXCL, mode));
    Status written = os::write_all(file.get(), bytes);
    if (!written) {
        unlink(path.c_str());
        return tl::unexpected(written.error().with_context("blob " + path));
    }
    start_writing(file.get(), bytes.size());
    (void)(owner().is_other && fchown(file.get(), owner().user, owner().group) == 0);
    return {};
}

Status FileBackend::sync() const {
    DRYDOCK_TRY_ASSIGN(const os::Fd folder, os::open_file(folder_, O_RDONLY | O_DIRECTORY));
    if (syncfs(folder.get()) != 0) {
        return fail_errno("os.sync", "sync " + folder_, errno);
    }
    return {};
}

void FileBackend::forget_cached(const std::string& uid) const {
    const auto path = place_of(uid);
    const auto file = path ? os::open_file(*path, O_RDONLY) : tl::unexpected(path.error());
    if (file) {
        posix_fadvise(file->get(), 0, 0, POSIX_FADV_DONTNEED);
    }
}

Result<bool> FileBackend::remove(const std::string& uid) const {
    DRYDOCK_TRY_ASSIGN(const std::string path, place_of(uid));
    if (unlink(path.c_str()) != 0) {
        return errno == ENOENT ? Result<bool>(false)
                               : fail_errno("os.unlink", "unlink " + path, errno);
    }
    return true;
}

Result<std::optional<std::int64_t>> FileBackend::bytes_of(const std::string& uid) const {
    DRYDOCK_TRY_ASSIGN(const std::string path, place_of(uid));
    struct stat attributes{};
    if (stat(path.c_str(), &attributes) == 0) {
        return std::optional(std::int64_t{attributes.st_size});
    }
    return errno == ENOENT || errno == ENOTDIR ? Result<std::optional<std::int64_t>>(std::nullopt)
                                               : fail_errno("blocks.read", "stat " + path, errno);
}

}  // namespace

bool is_blob_uid(const std::string& uid) {
    return uid.size() >= 4 && uid.size() <= 64 && is_plain_name(uid, "");
}

Blobs file_backend(const std::string& folder) {
    return std::make_shared<FileBackend>(folder);
}

}  // namespace drydock::mover::blocks
