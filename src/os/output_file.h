// Files that are written in folders which may be somebody else's.
//
// The folder is walked part by part and then held: what was checked is what is written to. A link
// on the way is followed only if root or the caller owns it. The file itself must be no link, be a
// regular file with one name, and be owned by the caller. Not thread-safe.
#pragma once

#include "base/result.h"
#include "os/files.h"

#include <string>

namespace drydock::os {

class OutputFolder {
public:
    // Opens the folder that `path`, an absolute path of a file, lies in. "os.strange_link" names a
    // link of another user.
    [[nodiscard]] static Result<OutputFolder> of(const std::string& path);

    // Opens or makes the file of that name; `flags` as open(2) takes them, with O_CREAT added.
    // "os.strange_file" if it is a link, has a second name, or belongs to another user.
    [[nodiscard]] Result<Fd> open(const std::string& name, int flags, mode_t mode = 0600) const;

    // Both are names in this folder; durable when it returns.
    [[nodiscard]] Status rename(const std::string& from, const std::string& to) const;
    void remove(const std::string& name) const;

private:
    OutputFolder(Fd folder, std::string path)
        : folder_(std::move(folder))
        , path_(std::move(path)) {}

    Fd folder_;
    std::string path_;  // for messages
};

}  // namespace drydock::os
