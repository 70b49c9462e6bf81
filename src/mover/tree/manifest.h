// The manifest of a tree: one JSON line for each entry, in the bytewise order of its path as it is
// written (docs/formats/tree.md). It is written, sorted, read and compared line by line, so a tree
// of any size takes the same memory.
#pragma once

#include "base/result.h"
#include "mover/tree/digest.h"
#include "mover/tree/entry.h"

#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace drydock::mover::tree {

struct ManifestEntry {
    std::string path;  // from the root, any bytes; "" is the root itself
    Entry entry;
    ExtendedAttributes extended;
    std::uint32_t flags = 0;
    std::string digest;        // of a file, raw
    std::string link_target;   // of a link
    std::string inode;         // of a file with several names: the same text for each of them
    bool has_changed = false;  // while it was read: the digest is of no single moment
};

// Returns the line without its end.
[[nodiscard]] std::string line_of(const ManifestEntry& entry);
// The reverse of line_of(). Error: "tree.manifest".
[[nodiscard]] Result<ManifestEntry> entry_of(std::string_view line);
// Returns the part of a line that lines are ordered by; empty for what is no line.
[[nodiscard]] std::string_view key_of(std::string_view line);
// True for UTF-8. What is none is written in base64.
[[nodiscard]] bool is_text(std::string_view bytes);
// A line that says that an earlier line of that path does not count.
[[nodiscard]] std::string removal_of(const std::string& path);

struct ManifestHeader {
    DigestKind digest = DigestKind::xxh3;
    std::string root;  // the folder as it was typed
};

// Sorts the lines of several files into one manifest. Of several lines with one path the one of the
// last file counts, and in a file the last one. A line that was cut off is left out. Runs of sorted
// lines go to `work_folder`. Errors: those of files.
[[nodiscard]] Status sort_manifest(const std::vector<std::string>& files,
                                   const ManifestHeader& header,
                                   const std::string& work_folder,
                                   const std::string& output);

// Reads a manifest from its begin. Not thread-safe.
class ManifestReader {
public:
    // Error: "tree.manifest" if it is none.
    [[nodiscard]] static Result<ManifestReader> open(const std::string& path);

    [[nodiscard]] const ManifestHeader& header() const { return header_; }

    // Goes to the next line; false at the end. Errors: "tree.manifest" for a line without a path,
    // or out of order.
    [[nodiscard]] Result<bool> next();

    // The line as it stands in the file.
    [[nodiscard]] const std::string& line() const { return line_; }

    // The part of the line that entries are ordered by.
    [[nodiscard]] const std::string& key() const { return key_; }

    // Reads the line. Error: "tree.manifest" if it is broken.
    [[nodiscard]] Result<ManifestEntry> entry() const;

private:
    ManifestReader(std::string path, std::ifstream file)
        : path_(std::move(path))
        , file_(std::move(file)) {}

    [[nodiscard]] tl::unexpected<Error> broken(std::string_view why) const;

    std::string path_;
    std::ifstream file_;
    std::int64_t number_ = 0;  // of the line
    std::string line_;
    std::string key_;
    ManifestHeader header_;
};

}  // namespace drydock::mover::tree
