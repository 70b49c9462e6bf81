// Reads the journal of a rewrite and decides on the remaining ways: forward, back, or both.
//
// Both decisions rest on records, and the way back also on the disk: it needs every old blob that a
// row would name again. All of them are read before the first row is switched. One lost blob in the
// middle would leave a store that is half old and half new.
#include "mover/blocks/rewrite_history.h"

#include "base/hash.h"
#include "mover/blocks/ordered_pool.h"

#include <fmt/format.h>

namespace drydock::mover::blocks {
namespace {

const char* name_of(RewriteWork work) {
    return work == RewriteWork::encrypt ? "encrypt" : "rekey";
}

// Returns a digest to compare keys by. It reveals nothing of them, as keys are random.
std::string check_value(const std::string& key) {
    return sha256_hex("drydock store key " + key).substr(0, 16);
}

// The database together with the place of blobs: each alone may belong to several stores.
std::string store_name(const Store& store) {
    return store.metadata->sql().name() + " " + store.reader.blobs->name();
}

// Refuses a journal of other work, of another store, or for another new key.
Status check_begin(const Store& store, const RewriteRequest& request, const Record& begin) {
    const bool fits = begin.work == name_of(request.work) && begin.store == store_name(store)
                      && begin.key == check_value(request.new_key);
    if (!fits) {
        return fail("blocks.journal",
                    fmt::format("journal {} is for other work: {} of {}, or for another key",
                                request.journal,
                                begin.work,
                                begin.store),
                    "end that work first, or name another journal");
    }
    return {};
}

// One record of a kind decides, at any place in the journal.
Result<History>
read_history(const Store& store, const RewriteRequest& request, const RewriteJournal& journal) {
    History history;
    DRYDOCK_TRY(journal.each([&](const Record& record) -> Status {
        history.is_freeing = history.is_freeing || record.kind == RecordKind::free;
        history.goes_back = history.goes_back || record.kind == RecordKind::back;
        if (record.kind == RecordKind::begin) {
            history.has_begun = true;
            return check_begin(store, request, record);
        }
        return {};
    }));
    return history;
}

}  // namespace

Result<JournalState> open_old_journal(const Store& store, const RewriteRequest& request) {
    DRYDOCK_TRY_ASSIGN(RewriteJournal journal, RewriteJournal::open(request.journal));
    DRYDOCK_TRY_ASSIGN(const History history, read_history(store, request, journal));
    return JournalState{std::move(journal), history};
}

// The record `begin` binds the journal to the work, the store and the key.
Result<JournalState> open_journal(const Store& store, const RewriteRequest& request) {
    DRYDOCK_TRY_ASSIGN(JournalState state, open_old_journal(store, request));
    if (!state.history.has_begun) {
        DRYDOCK_TRY(state.journal.append({RecordKind::begin,
                                          0,
                                          {},
                                          name_of(request.work),
                                          store_name(store),
                                          check_value(request.new_key)}));
    }
    return state;
}

// Calls `take` for the batches with proved new blobs. Only these have switched rows.
Status each_proved(const RewriteJournal& journal,
                   const std::function<Status(const Record&)>& take) {
    return journal.each([&](const Record& record) {
        return record.kind == RecordKind::proved ? take(record) : Status{};
    });
}

// The row keeps its checksum and size in a rewrite. The journal has the other values.
Result<std::optional<BlockRow>> old_row(RewriteRows& rows, const RewrittenBlob& blob) {
    DRYDOCK_TRY_ASSIGN(auto row, rows.row_of(blob.new_uid));
    if (row) {
        row->uid = blob.old_uid;
        row->enc_version = blob.old_envelope.empty() ? 0 : 1;
        row->envelope = blob.old_envelope;
    }
    return row;
}

// Old blobs without a row are not needed. A loss is counted and the reading goes on, for the
// report.
Result<OldBlobs>
read_old_blobs(Store& store, const RewriteRequest& request, const RewriteJournal& journal) {
    OldBlobs old;
    RewriteRows rows(store.metadata->sql(), request.work);
    OrderedPool<BlockRow, Status> readers(
        request.workers,
        k_small_group_bytes,
        one_by_one<BlockRow, Status>([&](const BlockRow& row) {
            return use_block(store.reader, row, [](std::string_view) { return Status{}; });
        }),
        [&old](const BlockRow&, const Status& right) {
            old.lost += right ? 0 : 1;
            old.first = right || old.first ? old.first : std::optional(right.error());
            return Status{};
        });
    const auto submit_all = [&](const Record& record) -> Status {
        for (const RewrittenBlob& blob : record.blobs) {
            DRYDOCK_TRY_ASSIGN(const auto row, old_row(rows, blob));
            DRYDOCK_TRY(row ? readers.submit(*row, row->size) : Status{});
        }
        return {};
    };
    DRYDOCK_TRY(each_proved(journal, submit_all));
    DRYDOCK_TRY(readers.finish());
    return old;
}

tl::unexpected<Error> way_back_lost(std::int64_t blobs, const std::string& example) {
    return fail("blocks.freed",
                fmt::format("the way back is lost: {} of the old blobs that it needs are gone or "
                            "damaged, such as: {}",
                            blobs,
                            example),
                "go on forward with --free-old");
}

Status check_can_go_back(const History& history) {
    if (!history.has_begun) {
        return fail("blocks.nothing",
                    "no rewrite is under way here: there is nothing to take back",
                    "a finished one, whose old blobs were removed, cannot be taken back");
    }
    if (!history.is_freeing) {
        return {};
    }
    return fail("blocks.freed",
                "the old blobs are being removed, or are gone",
                "there is no way back; go on with --free-old");
}

// A way back that was begun must be ended, as long as its old blobs are there.
Status check_forward(Store& store, const RewriteRequest& request, const JournalState& state) {
    if (!state.history.goes_back) {
        return {};
    }
    DRYDOCK_TRY_ASSIGN(const OldBlobs old, read_old_blobs(store, request, state.journal));
    return old.lost > 0 ? Status{}
                        : fail("blocks.journal",
                               "the rewrite is being taken back",
                               "end that first, with --back");
}

}  // namespace drydock::mover::blocks
