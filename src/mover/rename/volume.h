// An open volume: its root directory and its version.txt.
#pragma once

#include "mover/rename/survey.h"
#include "os/files.h"

#include <cstdint>
#include <optional>
#include <string>

namespace drydock::mover::rename {

struct Volume {
    os::Fd root;
    std::string path;  // all links followed
    std::uint64_t device = 0;
    std::uint64_t inode = 0;

    // Errors: "rename.read", "rename.mounted".
    [[nodiscard]] static Result<Volume> open(const std::string& root);

    // Syncs the filesystem: all renames so far survive a power cut.
    [[nodiscard]] Status sync() const;

    // Returns the text of version.txt; nothing if there is none. Error: "rename.version" if it
    // names neither layout.
    [[nodiscard]] Result<std::optional<std::string>> version() const;
    // Writes version.txt, or removes it if there is no text. Durable when it returns.
    [[nodiscard]] Status set_version(const std::optional<std::string>& text,
                                     const Ownership& owner) const;

    // Removes empty directories of layout 2, and returns how many.
    [[nodiscard]] Result<std::int64_t> remove_empty_fans() const;
};

}  // namespace drydock::mover::rename
