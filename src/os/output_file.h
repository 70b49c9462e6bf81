// Writes files in folders that may belong to another user.
//
// The folder is walked part by part and then held open, so the checked folder is the one that is
// written to. A link on the way is followed only if root or the caller owns it. The file itself
// must be a regular file with one name, owned by the caller, and no link. Not thread-safe.
#pragma once

#include "base/result.h"
#include "os/files.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace drydock::os {

class OutputFolder {
public:
    // Opens the folder of `path`, the absolute path of a file. Error: "os.strange_link" names a
    // link of another user.
    [[nodiscard]] static Result<OutputFolder> of(const std::string& path);

    // Opens or makes the file of that name; `flags` are those of open(2), with O_CREAT added.
    // Error: "os.strange_file" if it is a link, has a second name, or belongs to another user.
    [[nodiscard]] Result<Fd> open(const std::string& name, int flags, mode_t mode = 0600) const;

    // Replaces the file at once or not at all, as write_file_durable() does.
    [[nodiscard]] Status
    write(const std::string& name, std::string_view bytes, mode_t mode = 0600) const;

    // Makes or replaces a symbolic link atomically; durable when it returns.
    [[nodiscard]] Status link(const std::string& target, const std::string& name) const;

    // Renames within this folder; durable when it returns.
    [[nodiscard]] Status rename(const std::string& old_name, const std::string& new_name) const;
    void remove(const std::string& name) const;
    [[nodiscard]] Status sync() const;

private:
    OutputFolder(Fd folder, std::string path)
        : folder_(std::move(folder))
        , path_(std::move(path)) {}

    [[nodiscard]] Status
    write_part(const std::string& part, std::string_view bytes, mode_t mode) const;

    Fd folder_;
    std::string path_;  // for messages
};

// Calls OutputFolder::write() of the folder of `path`.
[[nodiscard]] Status
write_output_durable(const std::string& path, std::string_view bytes, mode_t mode = 0600);

// Removes the file, if its folder can be opened.
void remove_output(const std::string& path);

// Does what FileLock::take_within() does, with a file that OutputFolder::open() opens.
[[nodiscard]] Result<FileLock>
lock_output_within(const std::string& path, std::string_view holder, std::int64_t timeout_ms);

}  // namespace drydock::os
