// Comparing trees: a manifest of a tree, and the differences of two manifests.
//
// Trees are compared by their manifests, so it makes no difference whether a side is a tree of now
// or one of last year. Memory holds two lines, and a pair of numbers for each file with several
// names.
#pragma once

#include "base/result.h"
#include "mover/tree/copy.h"
#include "os/files.h"

#include <cstdint>
#include <functional>
#include <string>

namespace drydock::mover::tree {

struct ManifestRequest {
    std::string source;        // a folder
    std::string output;        // the file to write
    std::string state_folder;  // for lines that are not sorted yet; emptied at the end
    DigestKind digest = DigestKind::xxh3;
    WorkerCount workers;
    bool stays_on_file_system = false;
    bool reads_disk = false;  // drops what is in the page cache of a file before it is read
    std::function<bool(const std::string& path, bool is_folder)> leaves_out = {};
    std::function<void(const Progress&)> progressed = {};
};

struct ManifestReport {
    std::int64_t entries = 0;
    std::int64_t bytes = 0;
    ProblemList failures;  // entries that could not be read, and are not in the manifest
    ProblemList changed;   // while they were read
};

// Reads a tree and writes its manifest. Errors: "tree.source", "tree.sort" and those of files.
[[nodiscard]] Result<ManifestReport> write_manifest(const ManifestRequest& request);

struct Compared {
    std::int64_t entries = 0;  // of the first side
    std::int64_t equal = 0;
    ProblemList missing;  // at the second side
    ProblemList extra;    // at the second side only
    ProblemList differ;   // in what, is told
    ProblemList unread;   // of either side, and so not compared

    [[nodiscard]] bool is_equal() const {
        return missing.count == 0 && extra.count == 0 && differ.count == 0 && unread.count == 0;
    }
};

struct CompareRequest {
    std::string first;  // folders
    std::string second;
    DigestKind digest = DigestKind::xxh3;
    WorkerCount workers;
    bool stays_on_file_system = false;
    bool reads_disk = false;  // drops what is in the page cache of a file before it is read
    std::function<bool(const std::string& path, bool is_folder)> leaves_out = {};
    std::function<void(const Progress&)> progressed = {};
};

// Compares two trees. Memory holds what differs and the files with several names. Error:
// "tree.source".
[[nodiscard]] Result<Compared> compare_trees(const CompareRequest& request);

// Opens the root of a tree that is compared. Error: "tree.source".
[[nodiscard]] Result<os::Fd> open_side(const std::string& path);

// Compares two manifests. Errors: "tree.manifest"; "tree.digests" if they have different digests.
[[nodiscard]] Result<Compared> compare_manifests(const std::string& first,
                                                 const std::string& second);

}  // namespace drydock::mover::tree
