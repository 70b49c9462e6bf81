// Counts of a live cluster, and the comparison of an extract file with them. Pure.
//
// A file that was cut between two ops has no sign of it. Its last ops are missing, so a comparison
// of what comes last, pipelines and jobs, finds it.
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "extract/inspection.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace drydock::extract {

struct ExpectedRepo {
    std::optional<std::int64_t> commits;
    std::optional<std::int64_t> branches;
};

// What a cluster, or an earlier inspection, says. All parts may be left out.
struct Counts {
    std::map<std::string, std::int64_t> kinds;                 // ops by kind
    std::optional<std::map<std::string, ExpectedRepo>> repos;  // all repos, by name
    std::optional<std::map<std::string, std::int64_t>> jobs;   // by pipeline, all of them
    std::string sha256;                                        // of the file; empty: not known
};

// Reads counts (docs/formats/extract.md). What `inspect --json` answers is such a file. Errors:
// "counts.key" for a key that is none, "counts.type" for a value of a wrong type, "counts.empty" if
// there is nothing to compare.
[[nodiscard]] Result<Counts> read_counts(const Json& json);

struct Difference {
    std::string name;  // "commit", "repos/images/commits", "jobs/edges", "sha256"
    std::string in_file;
    std::string expected;
};

enum class Verdict : std::uint8_t {
    complete,  // sound, and as many of each kind as expected
    unproved,  // sound, but not compared, or only in part: its end may be missing
    wrong,     // damaged, with findings, or with differences
};
inline constexpr EnumNames<Verdict, Verdict::wrong> k_verdicts({"complete", "unproved", "wrong"});

struct Comparison {
    std::vector<std::string> not_compared;  // of the kinds that a proof needs
    std::vector<Difference> differences;
    Verdict verdict = Verdict::unproved;
};

// Compares; nothing expected gives the verdict "unproved" or "wrong". The repo `__spec__`, which
// pachctl does not list, may be missing among the expected repos.
[[nodiscard]] Comparison compare(const Inspection& inspection, const Counts& expected);

}  // namespace drydock::extract
