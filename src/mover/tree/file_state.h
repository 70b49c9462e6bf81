// The state of a file before and behind a read, and the new file that takes its bytes.
#pragma once

#include "base/result.h"
#include "mover/tree/entry.h"
#include "mover/tree/walk.h"
#include "os/files.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

namespace drydock::mover::tree {

// True if size, time of modification or time of the inode differ from those before the read, or
// fewer bytes were read than there were.
[[nodiscard]] bool has_changed(const os::Fd& source, const Entry& before, std::int64_t bytes_read);

// Makes a new file in the staged folder that nobody else can open. With `resumes`, what an earlier
// run left half done is removed. Errors: "tree.write", "tree.disk_full".
[[nodiscard]] Result<os::Fd>
make_staged(const Folder& folder, const std::string& name, bool resumes, mode_t mode = 0600);

struct NewFile {
    os::Fd file;
    PresetAttributes preset;
};

// Makes the files of one copy with the mode that they get in the end, and learns where the target
// gives a new file what was asked for: then nothing is left to be set. Thread-safe.
class NewFiles {
public:
    explicit NewFiles(bool resumes);
    [[nodiscard]] Result<NewFile>
    make(const Folder& folder, const std::string& name, const Entry& entry);

private:
    enum class Seen : std::uint8_t { nothing, as_requested, other };

    [[nodiscard]] Seen look(const os::Fd& file, const Entry& entry) const;

    bool resumes_;
    uid_t user_;  // of this process
    gid_t group_;
    std::array<std::atomic<Seen>, 01000> seen_ = {};  // by mode
};

}  // namespace drydock::mover::tree
