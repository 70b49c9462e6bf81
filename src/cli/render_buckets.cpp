// The screens of buckets. The verdict comes first, then its reasons by key, then the cost.
#include "cli/render_buckets.h"

#include "base/text.h"
#include "cli/render.h"
#include "cli/say.h"

namespace drydock::cli {

namespace {

namespace s3 = mover::s3;

constexpr std::size_t k_lines_max = 20;

std::string objects(std::int64_t count) {
    return counted(static_cast<std::size_t>(count), "object");
}

std::string key_lines(const char* title, const s3::KeyList& list) {
    if (list.count == 0) {
        return "";
    }
    std::string text = say("{}: {}\n", std::string(title), list.count);
    for (std::size_t i = 0; i < list.keys.size() && i < k_lines_max; ++i) {
        text += say("  {}\n", list.keys[i]);
    }
    return text + (static_cast<std::size_t>(list.count) > k_lines_max ? "  ...\n" : "");
}

std::string failure_lines(std::int64_t count, const std::vector<s3::KeyFailure>& failures) {
    if (count == 0) {
        return "";
    }
    std::string text = say("failed: {}\n", count);
    for (std::size_t i = 0; i < failures.size() && i < k_lines_max; ++i) {
        text += say("  {}: {}\n", failures[i].key, failures[i].error.text());
    }
    return text + (static_cast<std::size_t>(count) > k_lines_max ? "  ...\n" : "");
}

// What a copy of objects leaves out, and what this server cannot do.
std::string note_lines(const app::BucketCopied& answer) {
    std::string text;
    for (const std::string& line :
         s3::shortcomings(answer.report.abilities, answer.report.passed_bytes)) {
        text += say("note: {}\n", line);
    }
    if (answer.report.source_has_versions && !answer.has_versions) {
        text += "note: the source keeps versions; only the newest are copied (--versions: all)\n";
    }
    for (const s3::SettingDifference& setting : answer.report.settings) {
        if (setting.state != s3::SettingState::equal) {
            text += say("bucket {}: {}{}{}\n",
                        setting.name,
                        std::string(s3::name_of(setting.state)),
                        setting.reason.empty() ? "" : ": ",
                        setting.reason);
        }
    }
    return text;
}

std::string call_line(const s3::CallCounters& calls, std::int64_t took_ms) {
    return say("{} in {}: {} pages of lists, {} HEAD, {} repeated, {} times slow down; up to {} in "
               "flight\n",
               counted(static_cast<std::size_t>(calls.requests), "request"),
               show_duration(took_ms),
               calls.lists,
               calls.heads,
               calls.retries,
               calls.slow_downs,
               calls.in_flight_most);
}

Json json_of(const s3::KeyList& list) {
    Json keys = Json::Array{};
    for (const std::string& key : list.keys) {
        keys.push(key);
    }
    Json json;
    return json.set("count", list.count).set("keys", std::move(keys));
}

Json json_of(const std::vector<s3::KeyFailure>& failures) {
    Json json = Json::Array{};
    for (const s3::KeyFailure& failure : failures) {
        Json entry;
        entry.set("key", failure.key).set("code", failure.error.code);
        json.push(entry.set("message", failure.error.text()));
    }
    return json;
}

Json json_of(const s3::CallCounters& calls) {
    Json json;
    json.set("requests", calls.requests).set("lists", calls.lists).set("heads", calls.heads);
    json.set("retries", calls.retries).set("slow_downs", calls.slow_downs);
    json.set("in_flight", calls.in_flight_most).set("in_flight_ms", calls.in_flight_ms);
    return json.set("limit_ms", calls.limit_ms);
}

Json json_of(const s3::Abilities& abilities) {
    Json json;
    json.set("probed", abilities.is_probed).set("checksums", abilities.checks_sums);
    json.set("if_none_match", abilities.checks_if_none_match);
    json.set("copy_if_match", abilities.checks_copy_condition).set("tags", abilities.keeps_tags);
    json.set("part_sizes", abilities.tells_part_sizes).set("keys", abilities.keeps_keys);
    json.set("part_copies", abilities.copies_parts).set("part_digests", abilities.digests_parts);
    return json.set("versions", abilities.keeps_versions);
}

Json json_of(const std::vector<s3::SettingDifference>& settings) {
    Json json = Json::Array{};
    for (const s3::SettingDifference& setting : settings) {
        Json entry;
        entry.set("name", setting.name).set("state", s3::name_of(setting.state));
        json.push(entry.set("reason", setting.reason));
    }
    return json;
}

}  // namespace

std::string render_copied(const app::BucketCopied& answer, const Screen& screen) {
    const s3::CloneReport& report = answer.report;
    const std::string word = answer.dry_run      ? std::string("would copy")
                             : report.is_whole() ? screen.paint(Tone::good, "copied")
                                                 : screen.paint(Tone::bad, "copied in part");
    std::string text = say("{}: {} ({}), {} equal before{}\n",
                           word,
                           objects(report.copied),
                           show_bytes(report.bytes),
                           report.equal,
                           report.is_resumed ? "; went on where an earlier run ended" : "");
    if (report.markers > 0) {
        text += say("delete markers: {}\n", report.markers);
    }
    if (report.recorded > 0) {
        text +=
            say("with another ETag than the source, noted in the journal: {}\n", report.recorded);
    }
    if (report.relayed_bytes > 0) {
        text += say("passed through drydock, since the server copies no parts: {}\n",
                    show_bytes(report.relayed_bytes));
    }
    if (report.vanished > 0) {
        text += say("deleted at the source meanwhile: {}\n", report.vanished);
    }
    if (report.removed_uploads > 0) {
        text += say("uploads of an earlier run removed: {}\n", report.removed_uploads);
    }
    text += key_lines("an upload may be left at the target, and the server lists none",
                      report.unsure_uploads);
    text += failure_lines(report.failed, report.failures);
    text += key_lines("at the target with other content, and left (--replace)", report.differ);
    text += key_lines("links and devices of the folder, and left", report.skipped);
    text += key_lines("at the target only, and left", report.extra);
    text += note_lines(answer) + call_line(report.calls, report.took_ms);
    return answer.journal.empty() ? text : text + say("journal: {}\n", answer.journal);
}

std::string render_compared(const s3::CompareReport& answer, const Screen& screen) {
    std::string text = say("{}: {}, {} by ETag, {} by content ({} read)\n",
                           answer.is_equal() ? screen.paint(Tone::good, "equal")
                                             : screen.paint(Tone::bad, "not equal"),
                           objects(answer.objects),
                           answer.by_etag,
                           answer.by_content,
                           show_bytes(answer.bytes_read));
    text += key_lines("missing at the target", answer.missing);
    text += key_lines("differ", answer.differ);
    text += key_lines("links and devices of the folder, not compared", answer.skipped);
    text += failure_lines(answer.unread, answer.failures);
    text += key_lines("at the target only", answer.extra);
    return text + call_line(answer.calls, answer.took_ms);
}

std::string render_manifest(const s3::ManifestReport& answer) {
    return say("{} ({}) in {}\n",
               counted(static_cast<std::size_t>(answer.lines), "line"),
               show_bytes(answer.bytes),
               show_duration(answer.took_ms));
}

Json json_of(const app::BucketCopied& answer) {
    const s3::CloneReport& report = answer.report;
    Json json;
    json.set("source", answer.source).set("target", answer.target);
    json.set("journal", answer.journal).set("versions", answer.has_versions);
    json.set("dry_run", answer.dry_run).set("whole", report.is_whole());
    json.set("objects", report.objects).set("equal", report.equal).set("copied", report.copied);
    json.set("markers", report.markers).set("bytes", report.bytes);
    json.set("recorded", report.recorded).set("vanished", report.vanished);
    json.set("differ", json_of(report.differ)).set("extra", json_of(report.extra));
    json.set("failed", report.failed).set("failures", json_of(report.failures));
    json.set("removed_uploads", report.removed_uploads).set("resumed", report.is_resumed);
    json.set("skipped", json_of(report.skipped));
    json.set("unsure_uploads", json_of(report.unsure_uploads));
    json.set("passed_bytes", report.passed_bytes).set("relayed_bytes", report.relayed_bytes);
    json.set("source_versions", report.source_has_versions);
    json.set("server", json_of(report.abilities)).set("settings", json_of(report.settings));
    return json.set("calls", json_of(report.calls)).set("took_ms", report.took_ms);
}

Json json_of(const s3::CompareReport& answer) {
    Json json;
    json.set("equal", answer.is_equal()).set("objects", answer.objects);
    json.set("by_etag", answer.by_etag).set("by_content", answer.by_content);
    json.set("bytes_read", answer.bytes_read).set("missing", json_of(answer.missing));
    json.set("differ", json_of(answer.differ)).set("extra", json_of(answer.extra));
    json.set("skipped", json_of(answer.skipped));
    json.set("unread", answer.unread).set("failures", json_of(answer.failures));
    return json.set("calls", json_of(answer.calls)).set("took_ms", answer.took_ms);
}

Json json_of(const s3::ManifestReport& answer) {
    Json json;
    json.set("lines", answer.lines).set("bytes", answer.bytes);
    return json.set("calls", json_of(answer.calls)).set("took_ms", answer.took_ms);
}

}  // namespace drydock::cli
