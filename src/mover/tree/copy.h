// Start here: copies a tree of files, faithfully, verified on its way, and so that it goes on after
// it was killed. Then walk.h (who meets what), copier.h (what is done with it), staging.h (where it
// is built up), segments.h and journal.h (what a killed copy leaves), file_data.h and digest.h
// (bytes), entry.h (attributes), manifest.h and verify.h (comparing), workers.h (threads), team.h
// (several processes).
//
// docs/copy.md tells people when to use which option, docs/design/0015-the-tree-mover.md why it is
// built so. The mover knows no cluster.
#pragma once

#include "base/result.h"
#include "mover/tree/digest.h"
#include "mover/tree/profile.h"
#include "mover/tree/workers.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace drydock::mover::tree {

struct Progress {
    std::int64_t entries = 0;  // that were looked at
    std::int64_t bytes = 0;    // that were read
};

struct Problem {
    std::string path;  // from the root
    std::string code;
    std::string message;
};

// A list that may be long: all are counted, the first ones are kept.
struct ProblemList {
    std::int64_t count = 0;
    std::vector<Problem> first;

    void add(const std::string& path, const std::string& code, const std::string& message);
    void add(const ProblemList& other);
};

class Team;

struct CopyRequest {
    std::string source;        // a folder
    std::string target;        // a folder, made if it is missing
    std::string state_folder;  // for the journal of this copy; made if it is missing
    std::string manifest;      // a file to write the manifest to; empty: none
    DigestKind digest = DigestKind::xxh3;
    WorkerCount workers;
    bool replaces = false;               // also files of the target that have other content
    bool stays_on_file_system = false;   // of the source
    bool is_durable = true;              // synced before it is published
    bool removes_extra = false;          // of the target, when all of the source was copied
    std::uint64_t bytes_per_second = 0;  // at most; 0: as many as can be
    std::function<bool(const std::string& path, bool is_folder)> leaves_out = {};
    std::string selection;  // tells what `leaves_out` leaves out: a copy goes on with the same only
    std::function<void(const Progress&)> progressed = {};  // a few times a second; may be empty
    std::function<bool()> is_to_stop = {};                 // asked often; may be empty
    Profile profile = {};                                  // chosen by copy_tree()
    Team* team = nullptr;  // this process is rank 0 of it; null: it copies alone
};

struct Refusal;

// What one process of a team did.
struct RankReport {
    std::string host;
    std::int64_t files = 0;  // copied whole; a large one counts for rank 0
    std::int64_t bytes = 0;  // that were read
};

struct CopyReport {
    std::int64_t folders = 0;
    std::int64_t files = 0;
    std::int64_t links = 0;     // symbolic
    std::int64_t specials = 0;  // devices, fifos, sockets
    std::int64_t names = 0;     // further names of files
    std::int64_t copied = 0;    // files
    std::int64_t bytes = 0;     // of these
    std::int64_t equal = 0;     // files that the target had with the same content
    std::int64_t kept = 0;      // files that an earlier run of this copy had completed
    std::int64_t kept_bytes = 0;
    std::int64_t restored = 0;  // entries that got the attributes of a manifest
    ProblemList removed;        // from the target, since the source has it not
    ProblemList differ;         // left at the target, since they have other content
    ProblemList refused;        // attributes that the target did not take
    ProblemList changed;        // while they were copied
    ProblemList failures;       // not copied
    bool resumed = false;
    std::int64_t threads = 0;
    std::string profile;            // of the places; empty: the usual one
    std::vector<RankReport> ranks;  // of a team, rank 0 first

    // Adds what a target did not take of an entry to `refused`.
    void add_refusals(const std::string& path, const std::vector<Refusal>& refusals);

    // Adds what another process counted and met.
    void add(const CopyReport& other);

    // True if the target holds everything, as it was.
    [[nodiscard]] bool is_whole() const {
        return differ.count == 0 && refused.count == 0 && changed.count == 0 && failures.count == 0;
    }
};

// Copies. Errors: "tree.source", "tree.target", "tree.inside", "tree.staging", "tree.busy",
// "tree.too_small", "tree.disk_full", "tree.paused" and those of the journal. A copy that ended
// with an error or was killed goes on when it is called again.
[[nodiscard]] Result<CopyReport> copy_tree(const CopyRequest& request);

}  // namespace drydock::mover::tree
