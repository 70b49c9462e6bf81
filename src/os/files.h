// Files that must survive a crash, folders that must be private, and locks that say who holds them.
//
// "Durable" means: after the call returned, a power cut does not undo it (file, then folder, are
// synced). Errors have the code "os.<call>" and errno's sentence; a full disk is "os.disk_full".
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

// Makes a file that nobody else had a hand in: what has the name is removed before.
[[nodiscard]] Result<Fd> make_file(const std::string& path, int flags, mode_t mode = 0600);
// Opens with O_CLOEXEC, and waits for nobody: a pipe without another end is no reason to hang.
// `flags` and `mode` as open(2) takes them.
[[nodiscard]] Result<Fd> open_file(const std::string& path, int flags, mode_t mode = 0600);
// The same of a regular file. "os.not_plain" for all else: a pipe or a device may never end.
[[nodiscard]] Result<Fd> open_plain(const std::string& path, int flags, mode_t mode = 0600);

// The end to read from and the end to write to, both closed on exec.
[[nodiscard]] Result<std::pair<Fd, Fd>> make_pipe();

// The whole of a regular file. "os.missing" when there is none, "os.not_plain", "os.too_large" when
// it has over `size_max` bytes.
[[nodiscard]] Result<std::string> read_file(const std::string& path, std::size_t size_max);

// A file in memory with these bytes, at its start; no disk ever sees them.
[[nodiscard]] Result<Fd> memory_file(std::string_view bytes);

// The whole of an open file that can be read again from its start.
[[nodiscard]] Result<std::string> read_again(const Fd& file, std::size_t size_max);

// True if something has that name, also a link that leads nowhere.
[[nodiscard]] bool exists(const std::string& path);

// Replaces the file at once or not at all: temporary name, sync, rename, sync of the folder.
[[nodiscard]] Status
write_file_durable(const std::string& path, std::string_view bytes, mode_t mode = 0600);

[[nodiscard]] Status write_all(int descriptor, std::string_view bytes);
[[nodiscard]] Status sync_folder(const std::string& path);

// mkdir. Answers true when this call made it, false when it existed.
[[nodiscard]] Result<bool> make_folder(const std::string& path, mode_t mode = 0700);
// The same, and a sync of the parent.
[[nodiscard]] Result<bool> make_folder_durable(const std::string& path, mode_t mode = 0700);

// Makes the folder (and missing parents) with mode 0700 and durable. Refuses ("os.not_private",
// with a remedy) when it is a symlink, somebody else's, or when others could put something in its
// place: it, or a parent without sticky bit, is writable by group or others. Idempotent.
[[nodiscard]] Status ensure_private_folder(const std::string& path);

[[nodiscard]] Result<std::int64_t> free_bytes(const std::string& path);
[[nodiscard]] Result<double> used_percent(const std::string& path);

// The path with all links followed; empty if there is no such file.
[[nodiscard]] std::string real_path_of(const std::string& path);

// "/a/b/c" -> "/a/b"; "c" -> "."; "/c" -> "/".
[[nodiscard]] std::string folder_of(const std::string& path);
[[nodiscard]] std::string name_of(const std::string& path);

// An exclusive flock on a file (made if missing), held until destroyed or until the last process
// that inherited the descriptor ends.
class FileLock {
public:
    // Takes the lock without waiting and writes `holder` (a line for people) into the file.
    // "os.locked" when somebody else has it; the message has the holder's line.
    [[nodiscard]] static Result<FileLock> take(const std::string& path, std::string_view holder);
    // The same, waiting up to `timeout_ms`.
    [[nodiscard]] static Result<FileLock>
    take_within(const std::string& path, std::string_view holder, std::int64_t timeout_ms);

    // The same of a file that is open already; `path` is for messages.
    [[nodiscard]] static Result<FileLock>
    take_open(Fd file, const std::string& path, std::string_view holder);

    [[nodiscard]] int descriptor() const { return file_.get(); }

private:
    explicit FileLock(Fd file) : file_(std::move(file)) {}

    Fd file_;
};

// True when some process holds the lock at `path`; false too when the file is missing.
[[nodiscard]] Result<bool> is_locked(const std::string& path);

}  // namespace drydock::os
