// Start here: files that survive a crash, private folders, and locks that name their holder. Then
// output_file.h (folders of other users), process.h with fork.h and cgroup.h (processes), clock.h,
// descriptors.h, stream.h, sqlite_files.h, shared_library.h, stop_request.h, syslog.h.
//
// "Durable" means: after the call returned, a power cut does not undo it. The file is synced, then
// its folder. Errors have the code "os.<call>" and errno's sentence; a full disk is "os.disk_full".
// Functions are thread-safe; objects are not.
#pragma once

#include "base/result.h"

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::os {

// Owns a file descriptor and closes it.
class Fd {
public:
    Fd() = default;

    explicit Fd(int number) : number_(number) {}

    Fd(Fd&& source) noexcept : number_(source.release()) {}

    Fd& operator=(Fd&& source) noexcept;
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;

    ~Fd() { close(); }

    [[nodiscard]] int get() const { return number_; }

    explicit operator bool() const { return number_ >= 0; }

    [[nodiscard]] int release();
    void close();

private:
    int number_ = -1;
};

// Makes a new file. An existing one of that name is removed first, so no other process has it open.
[[nodiscard]] Result<Fd> make_file(const std::string& path, int flags, mode_t mode = 0600);
// Opens with O_CLOEXEC and O_NONBLOCK, so a pipe without another end does not block. `flags` and
// `mode` are those of open(2).
[[nodiscard]] Result<Fd> open_file(const std::string& path, int flags, mode_t mode = 0600);
// Opens a regular file. Error: "os.not_plain" for all else, since a pipe or a device may never end.
[[nodiscard]] Result<Fd> open_plain(const std::string& path, int flags, mode_t mode = 0600);

// Returns the read end and the write end, both closed on exec.
[[nodiscard]] Result<std::pair<Fd, Fd>> make_pipe();

// Returns the content of a regular file. Errors: "os.missing", "os.not_plain", "os.too_large" for
// more than `size_max` bytes.
[[nodiscard]] Result<std::string> read_file(const std::string& path, std::size_t size_max);

// Makes a file in memory with these bytes, positioned at its start. The bytes never reach a disk.
[[nodiscard]] Result<Fd> memory_file(std::string_view bytes);

// Returns the content of an open file in memory, from its start.
[[nodiscard]] Result<std::string> read_again(const Fd& file, std::size_t size_max);

// True if the name exists, also as a link to nothing.
[[nodiscard]] bool exists(const std::string& path);

// Replaces the file at once or not at all: temporary name, sync, rename, sync of the folder.
[[nodiscard]] Status
write_file_durable(const std::string& path, std::string_view bytes, mode_t mode = 0600);

[[nodiscard]] Status write_all(int descriptor, std::string_view bytes);
[[nodiscard]] Status sync_folder(const std::string& path);

// Calls mkdir. Returns true if this call made the folder, false if it existed.
[[nodiscard]] Result<bool> make_folder(const std::string& path, mode_t mode = 0700);
// Does the same and syncs the parent.
[[nodiscard]] Result<bool> make_folder_durable(const std::string& path, mode_t mode = 0700);

// Makes the folder and missing parents, durable and with mode 0700. Idempotent. Error:
// "os.not_private" with a remedy if the folder is a symlink or belongs to another user. The same if
// others could replace its content: it, or a parent without sticky bit, is writable by group or
// others.
[[nodiscard]] Status ensure_private_folder(const std::string& path);

[[nodiscard]] Result<std::int64_t> free_bytes(const std::string& path);
[[nodiscard]] Result<double> used_percent(const std::string& path);

// Returns the path with all links followed; empty if there is no such file.
[[nodiscard]] std::string real_path_of(const std::string& path);

// "/a/b/c" -> "/a/b"; "c" -> "."; "/c" -> "/".
[[nodiscard]] std::string folder_of(const std::string& path);
[[nodiscard]] std::string name_of(const std::string& path);

// An exclusive flock on a file, which is made if it is missing. The kernel drops it with the last
// process that inherited the descriptor.
class FileLock {
public:
    // Takes the lock without waiting and writes `holder`, a line for people, into the file. Error:
    // "os.locked" with the present holder's line.
    [[nodiscard]] static Result<FileLock> take(const std::string& path, std::string_view holder);
    // Does the same, but waits up to `timeout_ms` for the lock.
    [[nodiscard]] static Result<FileLock>
    take_within(const std::string& path, std::string_view holder, std::int64_t timeout_ms);

    // Locks a file that is open already; `path` is for messages.
    [[nodiscard]] static Result<FileLock>
    take_open(Fd file, const std::string& path, std::string_view holder);

    [[nodiscard]] int descriptor() const { return file_.get(); }

private:
    explicit FileLock(Fd file) : file_(std::move(file)) {}

    Fd file_;
};

// True if a process holds the lock at `path`; false if the file is missing.
[[nodiscard]] Result<bool> is_locked(const std::string& path);

}  // namespace drydock::os
