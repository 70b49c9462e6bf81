// The screens of `drydock store`: the verdict first, then the figures, then the versions.
//
// The store has names and counts of any size, so lists are cut after k_lines_max and names are
// clipped. The JSON answer has all of them.
#include "cli/render_store.h"

#include "base/text.h"
#include "cli/render.h"
#include "cli/say.h"

namespace drydock::cli {

namespace {

namespace blocks = mover::blocks;

constexpr std::size_t k_lines_max = 40;  // of one list; --json has more

std::string count_of(std::int64_t count, std::string_view noun) {
    return counted(static_cast<std::size_t>(count), noun);
}

// Returns the peculiarities of a version; empty for an ordinary one.
std::string state_of(const blocks::VersionRow& version) {
    std::string words = version.is_valid ? "" : "invalid by backy2";
    words += version.is_protected ? (words.empty() ? "protected" : ", protected") : "";
    if (version.rows < version.blocks) {
        words += say("{}{} of {} blocks have no row",
                     words.empty() ? "" : ", ",
                     version.blocks - version.rows,
                     version.blocks);
    }
    if (version.stray > 0) {
        words += say(
            "{}{} not within its size", words.empty() ? "" : ", ", count_of(version.stray, "row"));
    }
    return words;
}

// Keeps the date to the second, and the snapshot with the name.
std::string version_table(const std::vector<blocks::VersionRow>& versions) {
    Table table;
    for (std::size_t i = 0; i < versions.size() && i < k_lines_max; ++i) {
        const blocks::VersionRow& version = versions[i];
        table.add({version.uid,
                   version.date.substr(0, 19),
                   show_bytes(version.bytes),
                   version.name + (version.snapshot.empty() ? "" : " / " + version.snapshot),
                   state_of(version)});
    }
    const std::string rest =
        versions.size() > k_lines_max
            ? say("  and {} more (--json has them all)\n", versions.size() - k_lines_max)
            : "";
    return table.text() + rest;
}

std::string uid_lines(const char* title, const std::vector<std::string>& uids) {
    std::string text;
    for (std::size_t i = 0; i < uids.size() && i < k_lines_max; ++i) {
        text += say("  {}\n", uids[i]);
    }
    return text.empty() ? "" : say("\n{}\n", title) + text;
}

// Lists byte ranges as offset+length, the form that tools for images take.
std::string range_words(const std::vector<blocks::ByteRange>& ranges) {
    std::vector<std::string> words;
    for (std::size_t i = 0; i < ranges.size() && i < k_lines_max; ++i) {
        words.push_back(say("{}+{}", ranges[i].offset, ranges[i].bytes));
    }
    if (ranges.size() > k_lines_max) {
        words.push_back(say("and {} more", ranges.size() - k_lines_max));
    }
    return join(words, ", ");
}

// A version that is not whole is named with its lost ranges, so a person can judge the damage.
std::string lost_line(const blocks::VersionVerdict& version, const Screen& screen) {
    return say("  {}  {}  {}\n",
               version.version.uid,
               clip(version.version.name, k_name_bytes_max),
               screen.paint(Tone::bad, "not whole"))
           + hang("      bytes lost (offset+length): ",
                  version.lost.empty() ? "its rows do not fill its size"
                                       : range_words(version.lost),
                  screen.width);
}

}  // namespace

// A half-done upgrade has two ways on, and both commands are named.
std::string render_schema(const blocks::Schema& schema, const Screen& screen) {
    if (schema.half_done.empty()) {
        return say("schema of backy2 {}\n", schema.release);
    }
    return say("{}: {}\n  `drydock store upgrade` goes on from here{}\n",
               screen.paint(Tone::bad, "half-done upgrade"),
               schema.half_done,
               schema.undo.empty() ? "" : "; with --undo it takes the half step back");
}

// An inspection compares names only and never says "whole": only `verify` reads the blobs.
std::string render_inspection(const blocks::Inspection& inspection, const Screen& screen) {
    std::string text = (inspection.whole() ? screen.paint(Tone::good, "nothing is missing")
                                           : screen.paint(Tone::bad, "something is missing"))
                       + " (by names; `drydock store verify` reads the blobs)\n";
    text += render_schema(inspection.schema, screen);
    text += say("{}, {}: {} sparse, {} encrypted, {} beyond the end, {} of no version\n",
                count_of(static_cast<std::int64_t>(inspection.versions.size()), "version"),
                count_of(inspection.rows, "block row"),
                inspection.sparse,
                inspection.encrypted,
                inspection.stray,
                inspection.orphan_rows);
    text += say("{} used, {} of them shared, {} missing; {} in all files\n",
                count_of(inspection.blobs, "blob"),
                inspection.shared,
                inspection.missing,
                show_bytes(inspection.blob_bytes));
    text += say("{} unreferenced ({}), {} of them not on backy2's list of {}; {} strange\n\n",
                count_of(inspection.unreferenced, "blob"),
                show_bytes(inspection.unreferenced_bytes),
                inspection.unlisted,
                count_of(inspection.deleted, "deleted block"),
                count_of(inspection.strange, "file"));
    return text + version_table(inspection.versions)
           + uid_lines("Missing blobs", inspection.missing_uids);
}

// Versions that are not whole come before the findings, since a person asks first which backups are
// lost.
std::string render_store_verified(const app::StoreVerified& answer, const Screen& screen) {
    const blocks::StoreVerdict& verdict = answer.verdict;
    std::int64_t whole = 0;
    std::string lost;
    for (const auto& [uid, version] : verdict.versions) {
        whole += version.whole() ? 1 : 0;
        lost += version.whole() ? "" : lost_line(version, screen);
    }
    std::string text = verdict.whole() ? screen.paint(Tone::good, "every version can be restored")
                                       : screen.paint(Tone::bad, "damage");
    text += say("\n{} of {} can be restored in full; {} read, {} right; {} of no version\n",
                whole,
                count_of(static_cast<std::int64_t>(verdict.versions.size()), "version"),
                count_of(verdict.blobs, "blob"),
                show_bytes(verdict.bytes),
                count_of(verdict.orphan_rows, "row"));
    text += lost.empty() ? "" : "\n" + lost;
    std::string lines;
    for (std::size_t i = 0; i < answer.findings.size() && i < k_lines_max; ++i) {
        const blocks::Finding& finding = answer.findings[i];
        lines += say("  {}  position {}\n", finding.row.version_uid, finding.row.id)
                 + hang("      ", finding.error.message, screen.width);
    }
    text += lines.empty() ? "" : "\nFindings\n" + lines;
    const auto shown = std::min(answer.findings.size(), k_lines_max);
    if (verdict.findings > static_cast<std::int64_t>(shown)) {
        text += say("  and {} more\n", verdict.findings - static_cast<std::int64_t>(shown));
    }
    return text;
}

std::string
render_restored(const blocks::Restored& restored, const std::string& path, const Screen& screen) {
    const bool whole = restored.whole();
    std::string text = say("{}: {} of {} to {}, {} of them from blobs, each checked\n",
                           whole ? screen.paint(Tone::good, "restored")
                                 : screen.paint(Tone::bad, "restored with losses"),
                           show_bytes(restored.version.bytes),
                           clip(restored.version.name, k_name_bytes_max),
                           path,
                           show_bytes(restored.bytes));
    if (restored.version.stray > 0) {
        text += say("  {} not within its size, and not restored\n",
                    count_of(restored.version.stray, "row"));
    }
    return text
           + (restored.lost.empty() ? ""
                                    : hang("  zeros in the place of data (offset+length): ",
                                           range_words(restored.lost),
                                           screen.width));
}

namespace {

std::string render_copied(const app::StoreUpgraded& answer, const Screen& screen) {
    return say("{}: the metadata of backy2 {}, read back and equal: {}\n",
               screen.paint(Tone::good, "copied"),
               answer.report.old_schema.release,
               answer.copy);
}

}  // namespace

// A dry run and a real run share the list of steps, in the future and in the past tense.
std::string render_upgraded(const app::StoreUpgraded& answer, const Screen& screen) {
    const blocks::UpgradeReport& report = answer.report;
    if (answer.copy_only && !answer.dry_run) {
        return render_copied(answer, screen);
    }
    if (report.steps.empty()) {
        return say("{}: the schema is that of backy2 {}\n",
                   screen.paint(Tone::good, "nothing to do"),
                   report.old_schema.release);
    }
    std::string text =
        answer.dry_run
            ? say("would change the schema of backy2 {}{}\n",
                  report.old_schema.release,
                  report.old_schema.half_done.empty() ? ""
                                                      : " (" + report.old_schema.half_done + ")")
            : say("{}: backy2 {} -> {}, in one transaction{}\n",
                  screen.paint(Tone::good, "done"),
                  report.old_schema.release,
                  report.new_schema.release,
                  report.lock_us == 0
                      ? ""
                      : say(" of {:.1f} ms", static_cast<double>(report.lock_us) / 1000));
    for (const blocks::UpgradeStep& step : report.steps) {
        text += say("  {}\n", step.title);
    }
    std::vector<std::string> counts;
    for (const auto& [table, rows] : report.rows) {
        counts.push_back(say("{} {}", table, rows));
    }
    text += counts.empty() ? "" : hang("rows kept: ", join(counts, ", "), screen.width);
    if (!answer.copy.empty() && !answer.dry_run) {
        text += say("the metadata as they were, read back and equal: {}\n", answer.copy);
    }
    for (const std::string& note : answer.notes) {
        text += hang("note: ", note, screen.width);
    }
    return text;
}

}  // namespace drydock::cli
