// FolderTree: a folder whose files are objects of a bucket. Every path is walked from the folder's
// own descriptor without following a link, so nobody can lead a write elsewhere.
//
// A new file is written under a name of drydock's own and gets its path when it is complete. Not
// thread-safe; the folder is locked against other processes of drydock.
#pragma once

#include "base/result.h"
#include "os/files.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::mover::s3 {

struct FolderFile {
    std::string key;
    std::string path;
    std::int64_t bytes = 0;
};

struct FolderList {
    std::vector<FolderFile> files;     // in the order of their keys
    std::vector<std::string> skipped;  // paths of links and devices: no object is so
};

class FolderTree {
public:
    // Opens and locks a folder. With `makes` it is made, and unfinished files of a dead run are
    // removed; without, a missing folder is an empty one. Errors: "s3.folder", "s3.folder_busy".
    [[nodiscard]] static Result<FolderTree> open(const std::string& folder, bool makes);

    // Returns the regular files with their keys, some 200 bytes of memory for each. Errors:
    // "s3.folder_name" for a name without a key, or for two paths of one key.
    [[nodiscard]] Result<FolderList> list() const;

    // Returns the size of a regular file; nothing if there is nothing at that path. Error:
    // "s3.folder_conflict" if a folder, a link or something else is there or on the way.
    [[nodiscard]] Result<std::optional<std::int64_t>> size_of(const std::string& path) const;

    // Reads bytes of a file. Error: "s3.folder_changed" if it is shorter than that.
    [[nodiscard]] Result<std::string>
    read(const std::string& path, std::int64_t begin, std::int64_t end) const;

    // Returns a new name for an unfinished file.
    [[nodiscard]] std::string new_part();
    // Appends to an unfinished file.
    [[nodiscard]] Status append(const std::string& part, std::string_view bytes) const;
    // Gives an unfinished file its path. Errors: "s3.folder_conflict", also for a file that is
    // there unless `replaces`.
    [[nodiscard]] Status
    publish(const std::string& part, const std::string& path, bool replaces) const;
    void remove_part(const std::string& part) const;

    // Makes all that was written durable.
    [[nodiscard]] Status sync() const;

    [[nodiscard]] const std::string& folder() const { return folder_; }

    // False for a missing folder that open() took for an empty one.
    [[nodiscard]] bool exists() const { return static_cast<bool>(root_); }

private:
    FolderTree(std::string folder, os::Fd root)
        : folder_(std::move(folder))
        , root_(std::move(root)) {}

    [[nodiscard]] Result<os::Fd> parent_of(const std::string& path, bool makes) const;
    [[nodiscard]] Status list_below(const std::string& path, FolderList& list) const;

    std::string folder_;
    os::Fd root_;
    int parts_ = 0;
};

}  // namespace drydock::mover::s3
