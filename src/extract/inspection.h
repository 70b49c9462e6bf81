// Inspection: what an extract file holds, as plain data.
#pragma once

#include "base/enum_names.h"
#include "extract/op.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace drydock::extract {

// What is wrong with the content of a stream that can be read.
enum class FindingKind : std::uint8_t {
    mixed_versions,      // ops of another version than the first one
    unknown_op,          // an op of no version or kind that Pachyderm 1.x has
    open_commit,         // begun and not finished
    missing_parent,      // a commit before its parent, or without it
    missing_provenance,  // a commit before one of its provenance, or without it
    missing_head,        // a branch whose head is no commit before it
    missing_repo,        // a commit or branch of a repo that is not before it
    missing_pipeline,    // a job of a pipeline that is not before it
    missing_object,      // an object that commits or tags name and no op makes
    missing_block,       // a block that an object lies in and no op holds
    unended_block,       // a block or object whose last part does not follow
    missing_auth,        // auth was on, and the ops that switch it on again are not there
};
inline constexpr EnumNames<FindingKind, FindingKind::missing_auth>
    k_finding_kinds({"mixed_versions",
                     "unknown_op",
                     "open_commit",
                     "missing_parent",
                     "missing_provenance",
                     "missing_head",
                     "missing_repo",
                     "missing_pipeline",
                     "missing_object",
                     "missing_block",
                     "unended_block",
                     "missing_auth"});

struct Finding {
    std::int64_t count = 0;
    std::vector<std::string> examples;  // the first k_examples_max, with the number of the op
};

inline constexpr std::size_t k_examples_max = 10;

// Why a file could not be read to its end.
struct Damage {
    std::string code;  // "extract.truncated", "extract.crc", ...
    std::string message;
    std::string remedy;
    std::int64_t op = 0;      // the number of the op that could not be read; the first one is 1
    std::int64_t offset = 0;  // of the chunk in the file, in bytes
};

// Runs of ops that carry one block or one object.
struct Contents {
    std::int64_t count = 0;
    std::int64_t bytes = 0;
};

struct RepoCounts {
    std::int64_t commits = 0;
    std::int64_t branches = 0;
};

inline constexpr std::size_t k_listed_max = 10'000;  // repos and pipelines that are kept by name

struct Inspection {
    std::string file;
    std::int64_t file_bytes = 0;    // that were read
    std::string sha256;             // of them
    std::int64_t stream_bytes = 0;  // of all whole records, decompressed
    std::int64_t ops = 0;
    std::array<std::int64_t, k_minor_last - k_minor_first + 1> versions{};  // ops by version
    std::array<std::int64_t, k_op_kinds.k_count> kinds{};                   // ops by kind
    Contents blocks;
    Contents objects;                       // carried by ops, up to 1.8
    std::int64_t commits_without_tree = 0;  // no data, or open when they were extracted
    bool has_times = false;                 // commits say when they began and ended
    std::int64_t repeated = 0;              // repos, commits, branches, pipelines that came before
    std::int64_t objects_referenced = 0;    // distinct ones, by commits and tags
    bool has_objects = false;               // else the objects are elsewhere, in a bucket
    bool holds_secrets = false;             // tokens, an activation code or a client's secret
    std::map<std::string, RepoCounts, std::less<>> repos;
    std::map<std::string, std::int64_t, std::less<>> jobs;  // by pipeline
    bool is_listed_whole = true;  // false: there are more than k_listed_max names
    std::array<Finding, k_finding_kinds.k_count> findings{};
    std::optional<Damage> damage;

    [[nodiscard]] std::int64_t count_of(OpKind kind) const {
        return kinds[static_cast<std::size_t>(kind)];
    }

    [[nodiscard]] Finding& finding(FindingKind kind) {
        return findings[static_cast<std::size_t>(kind)];
    }

    [[nodiscard]] const Finding& finding(FindingKind kind) const {
        return findings[static_cast<std::size_t>(kind)];
    }

    [[nodiscard]] bool has_findings() const;

    // True if the file could be read to its end and nothing is wrong with it. The end may still be
    // missing, if the file was cut between two ops.
    [[nodiscard]] bool is_sound() const { return !damage && !has_findings(); }
};

}  // namespace drydock::extract
