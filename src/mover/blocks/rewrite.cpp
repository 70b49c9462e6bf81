// The course of a rewrite. Forward: recover the last batch, then batch after batch. Afterwards one
// of two ends: free_old() removes the old blobs, or rewrite_back() returns to them.
//
// Both ends are guarded by the journal. The record `free` is written after the verification and
// before the first removal; from then on a return is refused. The record `back` is written before
// the first switch back; from then on neither a rewrite nor a removal begins. So a kill never
// leaves a store in which some versions have only old blobs and others only new ones.
#include "mover/blocks/rewrite.h"

#include "mover/blocks/rewrite_batch.h"
#include "mover/blocks/rewrite_history.h"
#include "mover/blocks/row_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <map>

namespace drydock::mover::blocks {
namespace {

constexpr std::size_t k_findings_max = 1000;  // the report counts all of them

// Returns an error if the work is to stop here, where all that was done is durable.
Status check_stop(const RewriteRequest& request, std::string_view subject) {
    if (!request.is_to_stop || !request.is_to_stop()) {
        return {};
    }
    return fail("blocks.paused",
                fmt::format("paused: {}", subject),
                "the same command goes on from there",
                ErrorClass::transient);
}

// Work that is complete is not paused any more.
Status tell_progress(const RewriteRequest& request, std::int64_t blobs, std::int64_t blobs_all) {
    if (request.on_progress) {
        request.on_progress(blobs, blobs_all);
    }
    return blobs >= blobs_all
               ? Status{}
               : check_stop(request, fmt::format("{} of {} blobs are done", blobs, blobs_all));
}

// A half-done upgrade may lack a column of encryption.
Status check_schema(const Store& store) {
    if (store.metadata->schema().has_enc_version && store.metadata->schema().half_done.empty()) {
        return {};
    }
    return fail(
        "blocks.schema", "the schema has no place for encryption", "`drydock store upgrade` first");
}

// Returns a reader with both keys, the new one first: it opens old and new blobs.
BlobReader both_keys(const Store& store, const RewriteRequest& request) {
    BlobReader reader = store.reader;
    reader.other_key = reader.key;
    reader.key = request.new_key;
    return reader;
}

class Course {
public:
    Course(Store& store,
           const RewriteRequest& request,
           RewriteReport& report,
           RewriteJournal& journal)
        : store_(store)
        , request_(request)
        , report_(report)
        , rows_(store.metadata->sql(), request.work)
        , batches_(store, journal, request, report) {}

    // Rewrites from the first uid to the last. For encryption there is an index, so that has_any()
    // is quick when no plain blob is left.
    Status run() {
        DRYDOCK_TRY(check_uids(store_.metadata->sql(), "blocks"));
        DRYDOCK_TRY(rows_.make_index());
        DRYDOCK_TRY(batches_.recover());
        DRYDOCK_TRY(note_strange());
        DRYDOCK_TRY_ASSIGN(blobs_all_, rows_.count());
        std::string last;
        while (true) {
            DRYDOCK_TRY_ASSIGN(const auto sources, rows_.next(last, request_.batch_blobs_max));
            if (sources.empty()) {
                break;
            }
            DRYDOCK_TRY(check_page_advances("blocks", last, sources.back().row.uid));
            last = sources.back().row.uid;
            DRYDOCK_TRY(take_page(sources));
        }
        DRYDOCK_TRY(send());
        return {};
    }

private:
    // No work is right for rows of an unknown enc_version. Each of them is reported.
    Status note_strange() {
        std::string last;
        while (true) {
            DRYDOCK_TRY_ASSIGN(const auto strange, rows_.next_strange(last));
            if (strange.empty()) {
                return {};
            }
            DRYDOCK_TRY(check_page_advances("blocks", last, strange.back().uid));
            last = strange.back().uid;
            for (const BlockRow& row : strange) {
                report_.note({row,
                              {"blocks.enc_version",
                               "a row of this blob has an enc_version other than 0 and 1",
                               "look at the table blocks"}});
            }
        }
    }

    // A rekey has no mark in the rows: the new key opens the envelope of a finished blob.
    [[nodiscard]] bool is_done_already(const SourceBlob& source) const {
        return request_.work == RewriteWork::rekey
               && opens_envelope(request_.new_key, source.row.envelope);
    }

    // Collects blobs into batches, limited by number and by bytes. Blobs with contradicting rows
    // are left out: one new envelope cannot be right for all of them.
    Status take_page(const std::vector<SourceBlob>& sources) {
        for (const SourceBlob& source : sources) {
            ++blobs_done_;
            if (!source.has_consistent_rows) {
                report_.note({source.row,
                              {"blocks.contradiction",
                               "rows of this blob differ in checksum, size or key",
                               "look at the table blocks"}});
            } else if (!is_done_already(source)) {
                batch_bytes_ += source.row.size;
                batch_.push_back(source);
            }
            if (batch_bytes_ >= request_.batch_bytes_max
                || batch_.size() >= request_.batch_blobs_max) {
                DRYDOCK_TRY(send());
            }
        }
        return {};
    }

    // Runs the collected batch and reports progress. New backups may add blobs to the total.
    Status send() {
        if (!batch_.empty()) {
            DRYDOCK_TRY(batches_.run(batch_));
        }
        batch_.clear();
        batch_bytes_ = 0;
        return tell_progress(request_, blobs_done_, std::max(blobs_done_, blobs_all_));
    }

    Store& store_;
    const RewriteRequest& request_;
    RewriteReport& report_;
    RewriteRows rows_;
    RewriteBatches batches_;
    std::vector<SourceBlob> batch_;
    std::int64_t batch_bytes_ = 0;
    std::int64_t blobs_done_ = 0;
    std::int64_t blobs_all_ = 0;
};

constexpr std::size_t k_bad_blobs_max = 100'000;  // more than that is no store to free

// Refuses the removal if a new blob is bad. Damage that existed before the rewrite does not count.
Status check_none_is_new(const RewriteJournal& journal, const std::map<std::string, Error>& bad) {
    return each_proved(journal, [&](const Record& record) -> Status {
        for (const RewrittenBlob& blob : record.blobs) {
            if (const auto match = bad.find(blob.new_uid); match != bad.end()) {
                return fail("blocks.unverified",
                            "a new blob is not right: " + match->second.message,
                            "nothing was removed; take the rewrite back with --back, or mend it");
            }
        }
        return {};
    });
}

// Verifies the whole store from the disk, not from the cache: the last proof before anything is
// removed.
Status verify_new(Store& store,
                  const RewriteRequest& request,
                  const RewriteJournal& journal,
                  FreeReport& report) {
    std::map<std::string, Error> bad;  // by blob
    const auto on_finding = [&](const Finding& finding) {
        if (bad.size() < k_bad_blobs_max) {
            bad.emplace(finding.row.uid, finding.error);
        }
    };
    const auto on_progress = [&](const StoreVerdict& verdict) -> Status {
        if (request.on_progress) {
            request.on_progress(verdict.rows, verdict.rows_all);
        }
        return check_stop(request, "the new blobs are not all verified, and none was removed");
    };
    BlobReader reader = both_keys(store, request);
    reader.reads_from_disk = true;  // the last proof before anything is removed
    DRYDOCK_TRY_ASSIGN(report.verdict,
                       verify(*store.metadata, reader, request.workers, {on_finding, on_progress}));
    if (bad.size() >= k_bad_blobs_max) {
        return fail("blocks.unverified",
                    fmt::format("{} blobs and more cannot be read", bad.size()),
                    "nothing was removed; look at the disk and at the keys");
    }
    return check_none_is_new(journal, bad);
}

// Removes an old blob that no row names. Blobs in backy2's list of deleted blocks are left to
// backy2's cleanup. A new blob whose version was removed meanwhile goes, too.
Status free_one(Store& store, RewriteRows& rows, const RewrittenBlob& blob, FreeReport& report) {
    DRYDOCK_TRY_ASSIGN(const auto new_row, rows.row_of(blob.new_uid));
    if (!new_row) {  // its version was removed meanwhile
        DRYDOCK_TRY_ASSIGN(const bool is_listed,
                           store.metadata->is_listed_as_deleted(blob.new_uid));
        if (!is_listed) {
            DRYDOCK_TRY(store.reader.blobs->remove(blob.new_uid));
        }
    }
    DRYDOCK_TRY_ASSIGN(const auto old_row, rows.row_of(blob.old_uid));
    DRYDOCK_TRY_ASSIGN(const bool is_listed, store.metadata->is_listed_as_deleted(blob.old_uid));
    if (old_row || is_listed) {
        ++report.blobs_kept;
        return {};
    }
    DRYDOCK_TRY_ASSIGN(const auto bytes, store.reader.blobs->bytes_of(blob.old_uid));
    DRYDOCK_TRY_ASSIGN(const bool was_there, store.reader.blobs->remove(blob.old_uid));
    report.blobs_freed += was_there ? 1 : 0;
    report.freed_bytes += was_there ? bytes.value_or(0) : 0;
    return {};
}

// Calls `take` for the proved batches, with progress and a chance to stop behind each.
Status each_proved_with_progress(const RewriteRequest& request,
                                 const RewriteJournal& journal,
                                 const std::function<Status(const Record&)>& take) {
    std::int64_t blobs_all = 0;
    DRYDOCK_TRY(each_proved(journal, [&](const Record& record) -> Status {
        blobs_all += std::ssize(record.blobs);
        return {};
    }));
    std::int64_t blobs = 0;
    return each_proved(journal, [&](const Record& record) -> Status {
        DRYDOCK_TRY(take(record));
        blobs += std::ssize(record.blobs);
        return tell_progress(request, blobs, blobs_all);
    });
}

// Renames the journal, so the next rewrite begins with an empty one.
Status put_away(const std::string& journal) {
    const std::string done_path = journal + ".done";
    if (std::rename(journal.c_str(), done_path.c_str()) != 0) {
        return fail_errno("blocks.journal", "rename " + journal, errno);
    }
    return os::sync_folder(os::folder_of(journal));
}

// The old blobs were all read a moment ago. A later loss ends the way back before this batch.
Status check_still_there(Store& store, RewriteRows& rows, const Record& record) {
    for (const RewrittenBlob& blob : record.blobs) {
        DRYDOCK_TRY_ASSIGN(const auto row, old_row(rows, blob));
        if (row) {
            DRYDOCK_TRY_ASSIGN(const auto bytes, store.reader.blobs->bytes_of(blob.old_uid));
            DRYDOCK_TRY(bytes ? Status{} : way_back_lost(1, "the blob " + blob.old_uid));
        }
    }
    return {};
}

Status
// Rows are switched before the new blobs go, so that no row ever names a removed blob.
switch_record_back(Store& store, RewriteRows& rows, const Record& record, BackReport& report) {
    DRYDOCK_TRY(check_still_there(store, rows, record));
    DRYDOCK_TRY(rows.switch_back(record.blobs));
    for (const RewrittenBlob& blob : record.blobs) {
        DRYDOCK_TRY_ASSIGN(const bool was_there, store.reader.blobs->remove(blob.new_uid));
        report.blobs += was_there ? 1 : 0;
    }
    return {};
}

}  // namespace

void RewriteReport::note(Finding finding) {
    ++blobs_left;
    if (findings.size() < k_findings_max) {
        findings.push_back(std::move(finding));
    }
}

Result<RewriteReport> rewrite(Store& store, const RewriteRequest& request) {
    DRYDOCK_TRY(check_schema(store));
    DRYDOCK_TRY_ASSIGN(JournalState state, open_journal(store, request));
    DRYDOCK_TRY(check_forward(store, request, state));
    RewriteReport report;
    report.is_resumed = state.history.has_begun;
    DRYDOCK_TRY(Course(store, request, report, state.journal).run());
    return report;
}

// The record `free` stands between the proof and the first removal. After a kill the proof is
// repeated.
Result<FreeReport> free_old(Store& store, const RewriteRequest& request) {
    DRYDOCK_TRY_ASSIGN(JournalState state, open_journal(store, request));
    DRYDOCK_TRY(check_forward(store, request, state));
    FreeReport report;
    DRYDOCK_TRY(verify_new(store, request, state.journal, report));
    DRYDOCK_TRY(state.journal.append({RecordKind::free, 0, {}, {}, {}, {}}));
    RewriteRows rows(store.metadata->sql(), request.work);
    const auto free_batch = [&](const Record& record) -> Status {
        for (const RewrittenBlob& blob : record.blobs) {
            DRYDOCK_TRY(free_one(store, rows, blob, report));
        }
        return {};
    };
    DRYDOCK_TRY(each_proved_with_progress(request, state.journal, free_batch));
    DRYDOCK_TRY(put_away(request.journal));
    return report;
}

// Ends the last batch of a killed run, reads all old blobs, and then switches batch after batch.
Result<BackReport> rewrite_back(Store& store, const RewriteRequest& request) {
    if (!os::exists(request.journal)) {
        return tl::unexpected(check_can_go_back({}).error());
    }
    DRYDOCK_TRY_ASSIGN(JournalState state, open_old_journal(store, request));
    DRYDOCK_TRY(check_can_go_back(state.history));
    RewriteReport unused_report;
    DRYDOCK_TRY(RewriteBatches(store, state.journal, request, unused_report).recover());
    DRYDOCK_TRY_ASSIGN(const OldBlobs old, read_old_blobs(store, request, state.journal));
    DRYDOCK_TRY(old.lost == 0 ? Status{} : way_back_lost(old.lost, old.first->message));
    DRYDOCK_TRY(state.journal.append({RecordKind::back, 0, {}, {}, {}, {}}));
    RewriteRows rows(store.metadata->sql(), request.work);
    DRYDOCK_TRY(rows.drop_index());  // it would get an entry for each row
    BackReport report;
    DRYDOCK_TRY(each_proved_with_progress(request, state.journal, [&](const Record& record) {
        return switch_record_back(store, rows, record, report);
    }));
    DRYDOCK_TRY(put_away(request.journal));
    return report;
}

}  // namespace drydock::mover::blocks
