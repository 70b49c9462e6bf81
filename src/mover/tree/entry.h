// What a file system holds under one name besides content: kind, owner, mode, times, flags and
// extended attributes (ACLs and capabilities are some of these).
//
// Everything is read and set through a descriptor, or relative to the descriptor of a folder
// without following a link. So nobody who renames meanwhile leads a copy elsewhere. Functions are
// thread-safe. Error codes are "tree.<call>".
#pragma once

#include "base/result.h"

#include <sys/types.h>

#include <compare>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace drydock::mover::tree {

enum class Kind : std::uint8_t {
    file,
    folder,
    link,
    fifo,
    socket,
    character_device,
    block_device,
};

// Since 1970, also before it: file systems hold times from 1901 to 2446.
struct Time {
    std::int64_t seconds = 0;
    std::uint32_t nanoseconds = 0;
    auto operator<=>(const Time&) const = default;
};

struct Entry {
    Kind kind = Kind::file;
    mode_t mode = 0;  // the twelve bits of permission
    uid_t user = 0;
    gid_t group = 0;
    Time accessed;
    Time modified;
    Time changed;  // of the inode: nobody can set it
    std::int64_t bytes = 0;
    std::int64_t blocks = 0;   // of 512 bytes that are allocated
    std::uint64_t device = 0;  // the file system
    std::uint64_t inode = 0;
    std::uint32_t names = 1;       // hard links
    std::uint64_t special = 0;     // the number of a device file
    std::uint64_t attributes = 0;  // STATX_ATTR_*
};

using ExtendedAttributes = std::vector<std::pair<std::string, std::string>>;  // sorted by name

// Reads an entry by its name in an open folder; "" is the open file itself.
[[nodiscard]] Result<Entry> read_entry(int folder, const std::string& name);

// Reads all extended attributes that this process may see. A file system without any has none.
[[nodiscard]] Result<ExtendedAttributes> read_extended(int file);
// The same of a name that cannot be opened: a link, a device, a fifo, a socket.
[[nodiscard]] Result<ExtendedAttributes> read_extended(int folder, const std::string& name);

// The inode flags that people set, such as immutable; 0 where there are none.
[[nodiscard]] std::uint32_t read_flags(int file);

// Returns the text of a symbolic link.
[[nodiscard]] Result<std::string> read_link(int folder, const std::string& name);

// One thing that a target did not take: "owner", "mode", "times", "flags" or the name of an
// extended attribute, and errno.
struct Refusal {
    std::string what;
    int error = 0;
};

// What a file has from the moment that it was made.
struct PresetAttributes {
    bool has_owner = false;
    bool has_mode = false;
};

// Sets owner, mode and extended attributes, in the order in which none takes another back.
// Returns what was refused.
[[nodiscard]] std::vector<Refusal> set_attributes(int file,
                                                  const Entry& entry,
                                                  const ExtendedAttributes& extended,
                                                  const PresetAttributes& preset = {});
// The same of a name that cannot be opened.
[[nodiscard]] std::vector<Refusal> set_attributes(int folder,
                                                  const std::string& name,
                                                  const Entry& entry,
                                                  const ExtendedAttributes& extended);

// Takes away extended attributes that `extended` does not have: what a file had before, or got from
// the folder that it was made in. Labels of the system stay.
[[nodiscard]] std::vector<Refusal> remove_extra_attributes(int file,
                                                           const ExtendedAttributes& extended);

// Takes away what a folder hands on to everything that is made in it: its ACLs and its flags.
void remove_inheritance(int folder);

// Times come last, since any write changes them, and flags behind them: an immutable file takes
// nothing more. Times that a file system may cut off are read again, unless it is known to hold
// nanoseconds.
[[nodiscard]] std::vector<Refusal>
set_times(int file, const Entry& entry, std::uint32_t flags, bool holds_nanoseconds = false);
[[nodiscard]] std::vector<Refusal>
set_times(int folder, const std::string& name, const Entry& entry);

// True for a time that only a file system which holds single nanoseconds gives back unchanged.
[[nodiscard]] bool needs_nanoseconds(const Time& time);

// "file", "folder", "link", "fifo", "socket", "character-device", "block-device".
[[nodiscard]] const char* name_of(Kind kind);

}  // namespace drydock::mover::tree
