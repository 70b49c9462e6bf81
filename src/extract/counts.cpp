// Reads expected counts strictly, and compares them one by one.
//
// A key that is misspelt would leave a comparison out, so it is an error. The other keys of an
// inspection are known, and left alone.
#include "extract/counts.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace drydock::extract {

namespace {

constexpr std::string_view k_spec_repo = "__spec__";
constexpr int k_minor_with_jobs = 9;

// Keys of an inspection that are not compared.
const std::vector<std::string> k_other_keys = {
    "file",
    "file_bytes",
    "stream_bytes",
    "ops",
    "op_versions",
    "blocks",
    "objects",
    "commits",
    "repeated",
    "all_listed",
    "findings",
    "damage",
    "sound",
    "has_objects",
    "holds_secrets",
    "objects_referenced",
};
const std::vector<std::string> k_compared_keys = {"counts", "repos", "jobs", "sha256"};

tl::unexpected<Error> unknown_key(const std::string& key, const std::vector<std::string>& known) {
    const std::string guess = nearest(key, known);
    return fail("counts.key",
                fmt::format("the counts have the key `{}`, which is none", key),
                guess.empty() ? "docs/formats/extract.md has them all"
                              : fmt::format("did you mean `{}`?", guess));
}

tl::unexpected<Error> wrong_type(const std::string& place, std::string_view type) {
    return fail("counts.type",
                fmt::format("`{}` of the counts is no {}", place, type),
                "docs/formats/extract.md has the types");
}

Result<std::int64_t> read_count(const Json& json, const std::string& place) {
    if (!json.is_integer() || json.as_int(-1) < 0) {
        return wrong_type(place, "count");
    }
    return json.as_int();
}

Result<std::map<std::string, std::int64_t>> read_count_map(const Json& json,
                                                           const std::string& place) {
    if (!json.is_object()) {
        return wrong_type(place, "object");
    }
    std::map<std::string, std::int64_t> counts;
    for (const auto& [name, value] : json.members()) {
        DRYDOCK_TRY_ASSIGN(counts[name], read_count(value, place + "/" + name));
    }
    return counts;
}

Status read_kinds(const Json& json, Counts& counts) {
    DRYDOCK_TRY_ASSIGN(counts.kinds, read_count_map(json, "counts"));
    for (const auto& [kind, count] : counts.kinds) {
        if (!k_op_kinds.parse(kind)) {
            return unknown_key(kind, k_op_kinds.choices());
        }
    }
    return {};
}

Result<ExpectedRepo> read_repo(const Json& json, const std::string& place) {
    if (!json.is_object()) {
        return wrong_type(place, "object");
    }
    ExpectedRepo repo;
    for (const auto& [key, value] : json.members()) {
        if (key != "commits" && key != "branches") {
            return unknown_key(key, {"commits", "branches"});
        }
        DRYDOCK_TRY_ASSIGN((key == "commits" ? repo.commits : repo.branches),
                           read_count(value, place + "/" + key));
    }
    return repo;
}

Status read_repos(const Json& json, Counts& counts) {
    if (!json.is_object()) {
        return wrong_type("repos", "object");
    }
    counts.repos.emplace();
    for (const auto& [name, value] : json.members()) {
        DRYDOCK_TRY_ASSIGN((*counts.repos)[name], read_repo(value, "repos/" + name));
    }
    return {};
}

Status read_jobs(const Json& json, Counts& counts) {
    DRYDOCK_TRY_ASSIGN(counts.jobs, read_count_map(json, "jobs"));
    return {};
}

Status check_keys(const Json& json) {
    for (const auto& [key, value] : json.members()) {
        const auto is_key = [&](const std::vector<std::string>& keys) {
            return std::find(keys.begin(), keys.end(), key) != keys.end();
        };
        if (!is_key(k_compared_keys) && !is_key(k_other_keys)) {
            return unknown_key(key, k_compared_keys);
        }
    }
    return {};
}

class Comparer {
public:
    Comparer(const Inspection& inspection, const Counts& expected)
        : inspection_(inspection)
        , expected_(expected) {}

    Comparison run() {
        compare_digest();
        compare_kinds();
        compare_repos();
        compare_jobs();
        note_not_compared();
        const bool is_wrong = !inspection_.is_sound() || !comparison_.differences.empty();
        comparison_.verdict = is_wrong                           ? Verdict::wrong
                              : comparison_.not_compared.empty() ? Verdict::complete
                                                                 : Verdict::unproved;
        return std::move(comparison_);
    }

private:
    void differ(std::string name, std::string in_file, std::string expected) {
        comparison_.differences.push_back(
            {std::move(name), std::move(in_file), std::move(expected)});
    }

    void compare_count(const std::string& name, std::int64_t in_file, std::int64_t expected) {
        if (in_file != expected) {
            differ(name, std::to_string(in_file), std::to_string(expected));
        }
    }

    void compare_digest() {
        if (!expected_.sha256.empty() && expected_.sha256 != inspection_.sha256) {
            differ("sha256", inspection_.sha256, expected_.sha256);
        }
    }

    void compare_kinds() {
        for (const auto& [name, count] : expected_.kinds) {
            compare_count(name, inspection_.count_of(*k_op_kinds.parse(name)), count);
        }
    }

    void compare_repos() {
        if (!expected_.repos) {
            return;
        }
        for (const auto& [name, repo] : *expected_.repos) {
            compare_repo(name, repo);
        }
        for (const auto& [name, counts] : inspection_.repos) {
            if (name != k_spec_repo && !expected_.repos->contains(name)) {
                differ("repos/" + name, "there", "not there");
            }
        }
    }

    void compare_repo(const std::string& name, const ExpectedRepo& expected) {
        const auto place = inspection_.repos.find(name);
        if (place == inspection_.repos.end()) {
            differ("repos/" + name, "not there", "there");
            return;
        }
        const RepoCounts& counts = place->second;
        compare_count("repos/" + name + "/commits",
                      counts.commits,
                      expected.commits.value_or(counts.commits));
        compare_count("repos/" + name + "/branches",
                      counts.branches,
                      expected.branches.value_or(counts.branches));
    }

    void compare_jobs() {
        if (!expected_.jobs) {
            return;
        }
        for (const auto& [name, count] : *expected_.jobs) {
            const auto place = inspection_.jobs.find(name);
            if (place == inspection_.jobs.end()) {
                differ("jobs/" + name, "no pipeline", std::to_string(count));
            } else {
                compare_count("jobs/" + name, place->second, count);
            }
        }
        for (const auto& [name, count] : inspection_.jobs) {
            if (!expected_.jobs->contains(name)) {
                differ("jobs/" + name, std::to_string(count), "no pipeline");
            }
        }
    }

    [[nodiscard]] bool all_repos_have(std::optional<std::int64_t> ExpectedRepo::* part) const {
        return expected_.repos
               && std::all_of(expected_.repos->begin(),
                              expected_.repos->end(),
                              [&](const auto& entry) { return (entry.second.*part).has_value(); });
    }

    // Releases before 1.9 extract no jobs.
    [[nodiscard]] bool can_have_jobs() const {
        const auto first = inspection_.versions.begin() + (k_minor_with_jobs - k_minor_first);
        return std::any_of(first, inspection_.versions.end(), [](auto ops) { return ops > 0; });
    }

    // Only called for the five kinds of a proof. A list of names that was cut off at its limit
    // proves nothing of its kinds.
    [[nodiscard]] bool is_compared(OpKind kind) const {
        if (expected_.kinds.contains(std::string(k_op_kinds.of(kind)))) {
            return true;
        }
        if (!inspection_.is_listed_whole) {
            return false;
        }
        if (kind == OpKind::commit) {
            return all_repos_have(&ExpectedRepo::commits);
        }
        if (kind == OpKind::branch) {
            return all_repos_have(&ExpectedRepo::branches);
        }
        return kind == OpKind::repo ? expected_.repos.has_value() : expected_.jobs.has_value();
    }

    // The same bytes need no counts.
    void note_not_compared() {
        if (!expected_.sha256.empty()) {
            return;
        }
        for (const OpKind kind :
             {OpKind::repo, OpKind::commit, OpKind::branch, OpKind::pipeline, OpKind::job}) {
            const bool is_needed = kind != OpKind::job || can_have_jobs();
            if (is_needed && !is_compared(kind)) {
                comparison_.not_compared.emplace_back(k_op_kinds.of(kind));
            }
        }
    }

    const Inspection& inspection_;
    const Counts& expected_;
    Comparison comparison_;
};

}  // namespace

Result<Counts> read_counts(const Json& json) {
    if (!json.is_object()) {
        return fail("counts.type", "the counts are no JSON object", "docs/formats/extract.md");
    }
    DRYDOCK_TRY(check_keys(json));
    Counts counts;
    if (json.contains("counts")) {
        DRYDOCK_TRY(read_kinds(json["counts"], counts));
    }
    if (json.contains("repos")) {
        DRYDOCK_TRY(read_repos(json["repos"], counts));
    }
    if (json.contains("jobs")) {
        DRYDOCK_TRY(read_jobs(json["jobs"], counts));
    }
    if (json.contains("sha256") && !json["sha256"].is_string()) {
        return wrong_type("sha256", "text");
    }
    counts.sha256 = json["sha256"].as_string();
    if (counts.kinds.empty() && !counts.repos && !counts.jobs && counts.sha256.empty()) {
        return fail("counts.empty",
                    "the counts hold nothing to compare",
                    "docs/formats/extract.md has the keys");
    }
    return counts;
}

Comparison compare(const Inspection& inspection, const Counts& expected) {
    return Comparer(inspection, expected).run();
}

}  // namespace drydock::extract
