// The answers of `drydock store` as JSON. docs/formats/store.md describes every key.
#include "cli/render_store.h"

namespace drydock::cli {

namespace {

namespace blocks = mover::blocks;

// The row of a version in backy2's metadata, with the counts of its block rows.
Json json_of_version(const blocks::VersionRow& version) {
    Json json;
    json.set("uid", version.uid).set("name", version.name).set("snapshot", version.snapshot);
    json.set("date", version.date).set("bytes", version.bytes);
    json.set("block_bytes", version.block_bytes).set("blocks", version.blocks);
    json.set("rows", version.rows).set("sparse", version.sparse).set("stray", version.stray);
    json.set("encrypted", version.encrypted);
    return json.set("valid", version.is_valid).set("protected", version.is_protected);
}

Json json_of_ranges(const std::vector<blocks::ByteRange>& ranges) {
    Json json = Json::Array{};
    for (const blocks::ByteRange& range : ranges) {
        Json entry;
        entry.set("offset", range.offset).set("bytes", range.bytes);
        json.push(std::move(entry));
    }
    return json;
}

Json json_of_texts(const std::vector<std::string>& texts) {
    Json json = Json::Array{};
    for (const std::string& text : texts) {
        json.push(text);
    }
    return json;
}

// A finding names the row, so that a script can find the block in backy2's own tables.
Json json_of_findings(const std::vector<blocks::Finding>& finding_list) {
    Json findings = Json::Array{};
    for (const blocks::Finding& finding : finding_list) {
        Json entry;
        entry.set("version", finding.row.version_uid).set("position", finding.row.id);
        entry.set("blob", finding.row.uid).set("code", finding.error.code);
        entry.set("message", finding.error.message).set("remedy", finding.error.remedy);
        findings.push(std::move(entry));
    }
    return findings;
}

Json json_of_schema(const blocks::Schema& schema) {
    Json json;
    json.set("release", schema.release).set("head", schema.head);
    return json.set("half_done", schema.half_done).set("undo", schema.undo);
}

}  // namespace

// Rows and blobs are told apart: a blob may serve many rows, and a row may need no blob.
Json json_of(const blocks::Inspection& inspection) {
    Json versions = Json::Array{};
    for (const blocks::VersionRow& version : inspection.versions) {
        versions.push(json_of_version(version));
    }
    Json rows;
    rows.set("all", inspection.rows)
        .set("sparse", inspection.sparse)
        .set("encrypted", inspection.encrypted);
    rows.set("stray", inspection.stray).set("orphan", inspection.orphan_rows);
    Json files;
    files.set("used", inspection.blobs)
        .set("shared", inspection.shared)
        .set("missing", inspection.missing);
    files.set("missing_uids", json_of_texts(inspection.missing_uids));
    files.set("unreferenced", inspection.unreferenced).set("unlisted", inspection.unlisted);
    files.set("unreferenced_uids", json_of_texts(inspection.unreferenced_uids));
    files.set("unreferenced_bytes", inspection.unreferenced_bytes)
        .set("strange", inspection.strange);
    files.set("bytes", inspection.blob_bytes).set("deleted_rows", inspection.deleted);
    Json json;
    json.set("whole", inspection.whole()).set("schema", json_of_schema(inspection.schema));
    json.set("rows", std::move(rows)).set("blobs", std::move(files));
    return json.set("versions", std::move(versions));
}

// `finding_count` counts all findings, while the list holds only the first of them.
Json json_of(const app::StoreVerified& answer) {
    Json versions = Json::Array{};
    for (const auto& [uid, verdict] : answer.verdict.versions) {
        Json entry = json_of_version(verdict.version);
        entry.set("whole", verdict.whole()).set("damaged", verdict.damaged);
        versions.push(std::move(entry.set("lost", json_of_ranges(verdict.lost))));
    }
    Json findings = json_of_findings(answer.findings);
    Json json;
    json.set("whole", answer.verdict.whole()).set("blobs_read", answer.verdict.blobs);
    json.set("bytes_right", answer.verdict.bytes).set("finding_count", answer.verdict.findings);
    json.set("orphan_rows", answer.verdict.orphan_rows).set("findings", std::move(findings));
    return json.set("versions", std::move(versions));
}

// The counts of rows show that no row was lost.
Json json_of(const app::StoreUpgraded& answer) {
    Json steps = Json::Array{};
    for (const blocks::UpgradeStep& step : answer.report.steps) {
        Json entry;
        entry.set("words", step.title).set("sql", step.sql);
        steps.push(std::move(entry));
    }
    Json rows = Json::Object{};
    for (const auto& [table, count] : answer.report.rows) {
        rows.set(table, count);
    }
    Json json;
    json.set("before", json_of_schema(answer.report.old_schema));
    json.set("after", json_of_schema(answer.report.new_schema));
    json.set("steps", std::move(steps)).set("rows_kept", std::move(rows));
    json.set("copy", answer.copy).set("copy_only", answer.copy_only).set("dry_run", answer.dry_run);
    return json.set("lock_us", answer.report.lock_us).set("notes", json_of_texts(answer.notes));
}

// One object serves three kinds of work; figures of the other kinds are 0.
Json json_of(const app::StoreRewritten& answer) {
    const blocks::RewriteReport& report = answer.report;
    Json json;
    json.set("blobs", report.blobs).set("bytes", report.bytes).set("new_bytes", report.new_bytes);
    json.set("batches", report.batches).set("left", report.blobs_left);
    json.set("resumed", report.is_resumed).set("findings", json_of_findings(report.findings));
    json.set("freed", answer.freed.blobs_freed).set("freed_bytes", answer.freed.freed_bytes);
    json.set("kept", answer.freed.blobs_kept).set("verified", answer.freed.verdict.blobs);
    json.set("back", answer.back_report.blobs).set("to_do", answer.to_do);
    return json.set("dry_run", answer.dry_run).set("journal", answer.journal);
}

// The rows of an export are all rows of its version, so `rows` counts the rows of the file.
Json json_of(const blocks::ExportReport& report) {
    Json json = json_of_version(report.version);
    return json.set("format", report.format).set("left_out", json_of_texts(report.left_out));
}

Json json_of(const blocks::ImportReport& report) {
    return json_of_version(report.version).set("format", report.format);
}

// Ranges that were lost are zeros in the image.
Json json_of(const blocks::Restored& restored) {
    Json json = json_of_version(restored.version);
    json.set("bytes_from_blobs", restored.bytes).set("lost", json_of_ranges(restored.lost));
    return json.set("whole", restored.whole());
}

}  // namespace drydock::cli
