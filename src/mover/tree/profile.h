// Profile: how bytes go to and from the places of a copy. It is chosen by what is mounted there.
#pragma once

#include <cstddef>
#include <string>

namespace drydock::mover::tree {

// Bytes that are read and written at once: as many as stay in the cache of a processor.
inline constexpr std::size_t k_small_bytes = std::size_t{256} << 10;

struct Profile {
    std::string name;                         // empty: the usual one
    std::size_t piece_bytes = k_small_bytes;  // that are read and written at once
    bool is_plain = false;                    // pread, pwrite and ftruncate, and nothing else
    bool syncs_files = false;                 // each one: a sync of the whole does not reach it
};

// Returns the profile for two open folders. "daos" if one of them is a mount of dfuse, or if a
// library that goes past the kernel is preloaded: it sees plain calls only, whole pieces of DFS are
// fast, and syncfs() stops at FUSE.
[[nodiscard]] Profile profile_of(int source, int target);

// The type of the file system that is mounted where an open file is; empty if that is not known.
[[nodiscard]] std::string type_of_mount(int file);

}  // namespace drydock::mover::tree
