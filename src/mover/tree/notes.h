// Notes: what a copy writes down of single entries while it is under way. Rank 0 has them in its
// journal; its helpers ask it.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <string>

namespace drydock::mover::tree {

// A file with several names.
struct FileId {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
};

// The name that is copied, and the digest once that is done. All other names become links to it.
struct FirstName {
    std::string path;
    std::string digest;
    FileId file;
};

// Thread-safe.
class Notes {
public:
    virtual ~Notes() = default;

    // Returns the first name of the file. If there is none yet, `path` becomes it.
    [[nodiscard]] virtual Result<FirstName> first_name(const FileId& file,
                                                       const std::string& path) = 0;
    [[nodiscard]] virtual Status set_digest(const FileId& file, const std::string& digest) = 0;
    // Notes a further name of a file, to be linked when all files are copied.
    [[nodiscard]] virtual Status add_link(const std::string& path, const FileId& file) = 0;
    // Notes the flags of an entry that may be set only when everything has its place.
    [[nodiscard]] virtual Status add_flags(const std::string& path, std::uint32_t flags) = 0;
};

}  // namespace drydock::mover::tree
