// The screens of `drydock extract`, and their JSON (docs/formats/extract.md).
//
// The first line is the verdict. Each kind of finding has its words in one table.
#include "cli/render_extract.h"

#include "base/text.h"
#include "cli/render.h"
#include "cli/say.h"
#include "cli/visible.h"

#include <algorithm>

namespace drydock::cli {

namespace {

using extract::FindingKind;
using extract::Inspection;
using extract::OpKind;
using extract::Verdict;

constexpr std::size_t k_differences_max = 50;  // on a screen; JSON has all
constexpr std::size_t k_repos_max = 50;

struct FindingWords {
    FindingKind kind;
    const char* words;
};

// The order is that of the screen.
constexpr FindingWords k_findings[] = {
    {FindingKind::mixed_versions, "ops of another version than the first: restore refuses them"},
    {FindingKind::unknown_op, "ops of no version or kind that Pachyderm 1.x has"},
    {FindingKind::open_commit, "commits that were not finished: their data is not in the file"},
    {FindingKind::missing_parent, "commits whose parent does not come before them"},
    {FindingKind::missing_provenance, "commits whose provenance does not come before them"},
    {FindingKind::missing_head, "branches whose head is no commit before them"},
    {FindingKind::missing_repo, "commits and branches of a repo that does not come before them"},
    {FindingKind::missing_pipeline, "jobs of a pipeline that does not come before them"},
    {FindingKind::missing_object, "objects that are named, and not in the file"},
    {FindingKind::missing_block, "blocks that objects lie in, and not in the file"},
    {FindingKind::unended_block, "blocks or objects whose last part does not follow"},
    {FindingKind::missing_auth, "auth was on, and nothing here switches it on again"},
};

std::string finding_lines(const Inspection& inspection) {
    std::string text;
    for (const FindingWords& row : k_findings) {
        const extract::Finding& finding = inspection.finding(row.kind);
        if (finding.count == 0) {
            continue;
        }
        text +=
            say("{}: {} ({})\n", extract::k_finding_kinds.of(row.kind), finding.count, row.words);
        for (const std::string& example : finding.examples) {
            text += say("  {}\n", example);
        }
        if (finding.count > static_cast<std::int64_t>(finding.examples.size())
            && !finding.examples.empty()) {
            text += "  ...\n";
        }
    }
    return text;
}

std::string damage_lines(const Inspection& inspection) {
    if (!inspection.damage) {
        return "";
    }
    const extract::Damage& damage = *inspection.damage;
    return say("{}\n  the chunk begins at byte {} of {}; {} before that could be read\n  {}\n",
               damage.message,
               damage.offset,
               inspection.file_bytes,
               counted(static_cast<std::size_t>(std::max<std::int64_t>(damage.op - 1, 0)), "op"),
               damage.remedy);
}

// "op version 1.10", or all of them with their numbers.
std::string version_words(const Inspection& inspection) {
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < inspection.versions.size(); ++i) {
        if (inspection.versions[i] > 0) {
            parts.push_back(say("1.{} ({} ops)",
                                extract::k_minor_first + static_cast<int>(i),
                                inspection.versions[i]));
        }
    }
    return parts.empty() ? "no op version" : "op version " + join(parts, ", ");
}

std::string kind_lines(const Inspection& inspection) {
    Table table;
    for (std::size_t i = 0; i < inspection.kinds.size(); ++i) {
        if (inspection.kinds[i] > 0) {
            table.add(
                {std::string(extract::k_op_kinds.all()[i]), std::to_string(inspection.kinds[i])});
        }
    }
    return table.text(2);
}

std::string repo_lines(const Inspection& inspection) {
    if (inspection.repos.empty()) {
        return "";
    }
    Table table;
    std::size_t shown = 0;
    for (const auto& [name, counts] : inspection.repos) {
        if (++shown > k_repos_max) {
            break;
        }
        table.add({one_line(name),
                   counted(static_cast<std::size_t>(counts.commits), "commit"),
                   say("{} {}", counts.branches, counts.branches == 1 ? "branch" : "branches")});
    }
    const bool has_more = inspection.repos.size() > k_repos_max || !inspection.is_listed_whole;
    return "repos\n" + table.text(2) + (has_more ? "  ...\n" : "");
}

std::string object_lines(const Inspection& inspection) {
    std::string text;
    if (!inspection.has_objects) {
        return inspection.objects_referenced == 0 ? ""
                                                  : say("objects: {} are named and none is in the "
                                                        "file: the bucket must have them\n",
                                                        inspection.objects_referenced);
    }
    if (inspection.blocks.count > 0) {
        text += say(
            "blocks: {} with {}\n", inspection.blocks.count, show_bytes(inspection.blocks.bytes));
    }
    if (inspection.objects.count > 0) {
        text += say("objects: {} with {}\n",
                    inspection.objects.count,
                    show_bytes(inspection.objects.bytes));
    }
    return text + say("objects named: {}\n", inspection.objects_referenced);
}

// What the file cannot tell, since pachd wrote no sign of it.
std::string doubt_lines(const Inspection& inspection) {
    std::string text;
    if (inspection.commits_without_tree > 0) {
        text += say("commits without a tree: {} (without data, or open when they were extracted)\n",
                    inspection.commits_without_tree);
    }
    if (inspection.repeated > 0) {
        text +=
            say("repeated: {} repos, commits, branches or pipelines; restore passes over them\n",
                inspection.repeated);
    }
    if (inspection.holds_secrets) {
        text += "the file holds secrets of the cluster: tokens, clients or its activation code\n";
    }
    return text;
}

std::string content_lines(const Inspection& inspection) {
    return say("{}: {}, {} decompressed, {}\n",
               inspection.file,
               show_bytes(inspection.file_bytes),
               show_bytes(inspection.stream_bytes),
               version_words(inspection))
           + kind_lines(inspection) + repo_lines(inspection) + object_lines(inspection)
           + doubt_lines(inspection);
}

Json json_of_contents(const extract::Contents& contents) {
    Json json;
    return json.set("count", contents.count).set("bytes", contents.bytes);
}

Json json_of_kinds(const Inspection& inspection) {
    Json json;
    for (std::size_t i = 0; i < inspection.kinds.size(); ++i) {
        json.set(extract::k_op_kinds.all()[i], inspection.kinds[i]);
    }
    return json;
}

Json json_of_versions(const Inspection& inspection) {
    Json json = Json::Object{};
    for (std::size_t i = 0; i < inspection.versions.size(); ++i) {
        if (inspection.versions[i] > 0) {
            json.set(say("1.{}", extract::k_minor_first + static_cast<int>(i)),
                     inspection.versions[i]);
        }
    }
    return json;
}

Json json_of_repos(const Inspection& inspection) {
    Json json = Json::Object{};
    for (const auto& [name, counts] : inspection.repos) {
        Json entry;
        entry.set("commits", counts.commits).set("branches", counts.branches);
        json.set(name, std::move(entry));
    }
    return json;
}

Json json_of_jobs(const Inspection& inspection) {
    Json json = Json::Object{};
    for (const auto& [name, count] : inspection.jobs) {
        json.set(name, count);
    }
    return json;
}

Json json_of_findings(const Inspection& inspection) {
    Json json;
    for (const FindingWords& row : k_findings) {
        const extract::Finding& finding = inspection.finding(row.kind);
        Json examples = Json::Array{};
        for (const std::string& example : finding.examples) {
            examples.push(example);
        }
        Json entry;
        entry.set("count", finding.count).set("examples", std::move(examples));
        json.set(extract::k_finding_kinds.of(row.kind), std::move(entry));
    }
    return json;
}

Json json_of_damage(const std::optional<extract::Damage>& damage) {
    if (!damage) {
        return {};
    }
    Json json;
    json.set("code", damage->code).set("message", damage->message);
    json.set("remedy", damage->remedy).set("op", damage->op);
    return json.set("offset", damage->offset);
}

Json json_of_commits(const Inspection& inspection) {
    Json json;
    json.set("without_tree", inspection.commits_without_tree);
    return json.set("has_times", inspection.has_times);
}

std::string difference_lines(const extract::Comparison& comparison) {
    Table table;
    std::size_t shown = 0;
    for (const extract::Difference& difference : comparison.differences) {
        if (++shown > k_differences_max) {
            break;
        }
        table.add({one_line(difference.name),
                   say("in the file: {}", difference.in_file),
                   say("expected: {}", difference.expected)});
    }
    const bool has_more = comparison.differences.size() > k_differences_max;
    return table.text(2) + (has_more ? "  ...\n" : "");
}

std::string verdict_line(const app::ExtractVerified& answer, const Screen& screen) {
    switch (answer.comparison.verdict) {
    case Verdict::complete:
        return screen.paint(Tone::good, "complete") + ": as many of each kind as expected\n";
    case Verdict::unproved:
        return screen.paint(Tone::warn, "unproved")
               + ": nothing is wrong, but an end that was cut off would not show; not compared: "
               + join(answer.comparison.not_compared, ", ") + "\n";
    case Verdict::wrong:
        break;
    }
    return screen.paint(Tone::bad, "wrong") + ": do not restore from this file\n";
}

}  // namespace

std::string render_inspection(const Inspection& inspection, const Screen& screen) {
    const std::string first =
        inspection.damage ? screen.paint(Tone::bad, "damaged") + ": " + damage_lines(inspection)
                          : "";
    return first + content_lines(inspection) + finding_lines(inspection);
}

Json json_of(const Inspection& inspection) {
    Json json;
    json.set("file", inspection.file).set("file_bytes", inspection.file_bytes);
    json.set("sha256", inspection.sha256).set("stream_bytes", inspection.stream_bytes);
    json.set("ops", inspection.ops).set("op_versions", json_of_versions(inspection));
    json.set("counts", json_of_kinds(inspection)).set("repos", json_of_repos(inspection));
    json.set("jobs", json_of_jobs(inspection)).set("all_listed", inspection.is_listed_whole);
    json.set("blocks", json_of_contents(inspection.blocks));
    json.set("objects", json_of_contents(inspection.objects));
    json.set("objects_referenced", inspection.objects_referenced);
    json.set("has_objects", inspection.has_objects);
    json.set("commits", json_of_commits(inspection)).set("repeated", inspection.repeated);
    json.set("holds_secrets", inspection.holds_secrets);
    json.set("findings", json_of_findings(inspection)).set("sound", inspection.is_sound());
    return json.set("damage", json_of_damage(inspection.damage));
}

std::string render_extract_verified(const app::ExtractVerified& answer, const Screen& screen) {
    return verdict_line(answer, screen) + damage_lines(answer.inspection)
           + difference_lines(answer.comparison) + finding_lines(answer.inspection)
           + content_lines(answer.inspection);
}

Json json_of(const app::ExtractVerified& answer) {
    Json json = json_of(answer.inspection);
    Json differences = Json::Array{};
    for (const extract::Difference& difference : answer.comparison.differences) {
        Json entry;
        entry.set("name", difference.name).set("in_file", difference.in_file);
        differences.push(entry.set("expected", difference.expected));
    }
    Json not_compared = Json::Array{};
    for (const std::string& kind : answer.comparison.not_compared) {
        not_compared.push(kind);
    }
    json.set("verdict", extract::k_verdicts.of(answer.comparison.verdict));
    json.set("differences", std::move(differences));
    return json.set("not_compared", std::move(not_compared));
}

}  // namespace drydock::cli
