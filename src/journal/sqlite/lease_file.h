// LeaseFile: locks that die with their holder, one byte of a file for each run.
//
// These are open-file-description locks. They belong to this object's open file and conflict with
// every other open file of that path, also in the same process. They end with the process, however
// it ends.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <filesystem>
#include <utility>

namespace drydock::journal {

class LeaseFile {
public:
    // Creates the file, mode 0600, if it is missing. Error journal.io.
    static Result<LeaseFile> open(const std::filesystem::path& path);

    LeaseFile(LeaseFile&& source) noexcept : descriptor_(std::exchange(source.descriptor_, -1)) {}

    LeaseFile(const LeaseFile&) = delete;
    LeaseFile& operator=(const LeaseFile&) = delete;
    LeaseFile& operator=(LeaseFile&&) = delete;
    ~LeaseFile();

    // Returns false if another open file has the lock; true if this object has it already.
    [[nodiscard]] Result<bool> try_lock(std::int64_t run);
    void unlock(std::int64_t run);
    [[nodiscard]] bool is_locked_elsewhere(std::int64_t run) const;

private:
    explicit LeaseFile(int descriptor) : descriptor_(descriptor) {}

    int descriptor_;
};

}  // namespace drydock::journal
