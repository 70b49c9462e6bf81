// The steps of a batch: draw names, record `write`, write and sync, read back, record `proved`,
// switch the rows, record `switched`.
//
// Each record is durable before the next step. A kill after `write` leaves files that no row names:
// recovery removes them. A kill after `proved` leaves rows that may be switched or not: recovery
// reads the new blobs and switches once more. `dropped` closes a batch without a result.
//
// Two pools work one after the other. The first reads old blobs, encrypts and writes; the second
// reads the new files from the backend and compares a sum of their plain bytes. That finds errors
// of memory and disk between the check of the old blob and the new file.
#include "mover/blocks/rewrite_batch.h"

#include "base/hash.h"
#include "mover/blocks/early_sync.h"
#include "mover/blocks/ordered_pool.h"
#include "mover/blocks/seal.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

namespace drydock::mover::blocks {
namespace {

std::uint64_t sum_of(std::string_view bytes) {
    return xxh3(std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
}

// A blob under way. Its plain bytes are checked by the row's checksum when they are read, and by
// `plain_sum` when the new file is read back.
struct RewriteJob {
    const SourceBlob* source = nullptr;
    RewrittenBlob* blob = nullptr;
};

// The outcome of one job. Both errors absent: the new blob is written.
struct WriteResult {
    SealedBlock sealed;  // without the bytes
    std::int64_t new_bytes = 0;
    std::uint64_t plain_sum = 0;
    std::optional<Error> read_error;   // the old blob cannot be read
    std::optional<Error> write_error;  // the new one cannot be written
};

Status seal_and_write(const BlobReader& new_reader,
                      const RewriteJob& work,
                      std::string_view plain,
                      WriteResult& result) {
    result.plain_sum = sum_of(plain);
    DRYDOCK_TRY_ASSIGN(result.sealed, seal(plain, new_reader.key));
    result.new_bytes = static_cast<std::int64_t>(result.sealed.bytes.size());
    Status status = new_reader.blobs->write(work.blob->new_uid, result.sealed.bytes);
    result.sealed.bytes = {};
    return status;
}

// Reads a group of old blobs and writes the new ones. An unreadable old blob is noted and keeps its
// row; a failed write ends the batch.
std::vector<WriteResult> write_group(const BlobReader& old_reader,
                                     const BlobReader& new_reader,
                                     const std::vector<RewriteJob>& group) {
    std::vector<const BlockRow*> rows;
    rows.reserve(group.size());
    for (const RewriteJob& work : group) {
        rows.push_back(&work.source->row);
    }
    std::vector<WriteResult> results(group.size());
    const auto write = [&](std::size_t i, std::string_view plain) {
        if (const Status status = seal_and_write(new_reader, group[i], plain, results[i]);
            !status) {
            results[i].write_error = status.error();
        }
        return Status{};
    };
    const std::vector<Status> read = use_blocks(old_reader, rows, write);
    for (std::size_t i = 0; i < group.size(); ++i) {
        if (!read[i]) {
            results[i].read_error = read[i].error();
        }
    }
    return results;
}

BlockRow new_row(const BlockRow& old, const RewrittenBlob& blob) {
    BlockRow row = old;
    row.uid = blob.new_uid;
    row.enc_version = 1;
    row.envelope = blob.envelope;
    return row;
}

}  // namespace

RewriteBatches::RewriteBatches(Store& store,
                               RewriteJournal& journal,
                               const RewriteRequest& request,
                               RewriteReport& report)
    : store_(store)
    , journal_(journal)
    , request_(request)
    , report_(report)
    , rows_(store.metadata->sql(), request.work)
    , new_reader_(store.reader) {
    new_reader_.key = request.new_key;
}

void RewriteBatches::note(const SourceBlob& source, const Error& error) {
    report_.note({source.row, error});
}

// Draws a name for each new blob, in the folder of the old one.
Result<std::vector<RewrittenBlob>>
RewriteBatches::draw_names(const std::vector<SourceBlob>& sources) {
    std::vector<RewrittenBlob> blobs;
    for (const SourceBlob& source : sources) {
        DRYDOCK_TRY_ASSIGN(std::string uid, new_blob_uid(source.row.uid));
        blobs.push_back(
            {source.row.uid, std::move(uid), "", "", source.row.envelope, source.nonce});
    }
    return blobs;
}

Status RewriteBatches::run(const std::vector<SourceBlob>& sources) {
    DRYDOCK_TRY_ASSIGN(std::vector<RewrittenBlob> blobs, draw_names(sources));
    ++batch_;
    DRYDOCK_TRY(journal_.append({RecordKind::write, batch_, blobs, {}, {}, {}}));
    const std::vector<RewrittenBlob> names = blobs;
    Status status = write_all(sources, blobs);
    if (!status) {
        // The first error is the cause; recovery drops the files that remain here.
        (void)drop(batch_, names);
        return status;
    }
    if (blobs.empty()) {
        return journal_.append({RecordKind::dropped, batch_, {}, {}, {}, {}});
    }
    DRYDOCK_TRY(journal_.append({RecordKind::proved, batch_, blobs, {}, {}, {}}));
    DRYDOCK_TRY(switch_all(blobs));
    ++report_.batches;
    return {};
}

// Writes and proves the blobs of a batch. Leaves in `blobs` the proved ones.
Status RewriteBatches::write_all(const std::vector<SourceBlob>& sources,
                                 std::vector<RewrittenBlob>& blobs) {
    std::vector<RewrittenBlob> good_blobs;
    std::vector<const SourceBlob*> origins;
    std::vector<std::uint64_t> sums;
    EarlySync early_sync(*new_reader_.blobs);
    OrderedPool<RewriteJob, WriteResult> writers(
        request_.workers,
        k_wide_group_bytes,
        [this](const auto& group) { return write_group(store_.reader, new_reader_, group); },
        [&](const RewriteJob& work, WriteResult& result) -> Status {
            if (result.write_error) {
                return tl::unexpected(*result.write_error);
            }
            if (result.read_error) {
                note(*work.source, *result.read_error);
                return {};
            }
            work.blob->envelope = result.sealed.envelope;
            work.blob->nonce = result.sealed.nonce;
            good_blobs.push_back(*work.blob);
            origins.push_back(work.source);
            sums.push_back(result.plain_sum);
            report_.bytes += work.source->row.size;
            report_.new_bytes += result.new_bytes;
            early_sync.wrote(result.new_bytes);
            return {};
        });
    for (std::size_t i = 0; i < sources.size(); ++i) {
        DRYDOCK_TRY(writers.submit({&sources[i], &blobs[i]}, sources[i].row.size));
    }
    DRYDOCK_TRY(writers.finish());
    DRYDOCK_TRY(early_sync.finish());
    OrderedPool<std::size_t, Status> readers(
        request_.workers,
        k_small_group_bytes,
        one_by_one<std::size_t, Status>([&](const std::size_t& i) {
            const auto compare = [&](std::string_view plain) -> Status {
                return sum_of(plain) == sums[i]
                           ? Status{}
                           : fail("blocks.read_back",
                                  fmt::format("the new blob {} reads otherwise than it was written",
                                              good_blobs[i].new_uid),
                                  "look at the disk and at the memory of this machine");
            };
            return use_decoded_block(new_reader_, new_row(origins[i]->row, good_blobs[i]), compare);
        }),
        [](const std::size_t&, Status& status) { return status; });
    for (std::size_t i = 0; i < good_blobs.size(); ++i) {
        DRYDOCK_TRY(readers.submit(i, origins[i]->row.size));
    }
    DRYDOCK_TRY(readers.finish());
    blobs = std::move(good_blobs);
    return {};
}

Status RewriteBatches::switch_all(const std::vector<RewrittenBlob>& blobs) {
    DRYDOCK_TRY(rows_.switch_rows(blobs));
    DRYDOCK_TRY(journal_.append({RecordKind::switched, batch_, {}, {}, {}, {}}));
    report_.blobs += static_cast<std::int64_t>(blobs.size());
    return {};
}

// Removes the new blobs of a batch that no row names.
Status RewriteBatches::drop(std::int64_t batch, const std::vector<RewrittenBlob>& blobs) {
    for (const RewrittenBlob& blob : blobs) {
        DRYDOCK_TRY_ASSIGN(const auto row, rows_.row_of(blob.new_uid));
        if (!row) {
            DRYDOCK_TRY(new_reader_.blobs->remove(blob.new_uid));
        }
    }
    return journal_.append({RecordKind::dropped, batch, {}, {}, {}, {}});
}

// Finds the last batch without an end in the journal.
Status RewriteBatches::recover() {
    std::optional<Record> open;
    DRYDOCK_TRY(journal_.each([&](const Record& record) {
        batch_ = std::max(batch_, record.batch);
        if (record.kind == RecordKind::write || record.kind == RecordKind::proved) {
            open = record;
        } else if (record.kind == RecordKind::switched || record.kind == RecordKind::dropped) {
            open.reset();
        }
        return Status{};
    }));
    if (!open) {
        return {};
    }
    return open->kind == RecordKind::write ? drop(open->batch, open->blobs) : finish_proved(*open);
}

// Finishes a batch after a kill. The transaction may be committed or not; a second switch does no
// harm. The new blobs are read first: no row named the files meanwhile, so anything may have
// happened to them.
Status RewriteBatches::finish_proved(const Record& record) {
    std::vector<RewrittenBlob> good;
    std::vector<RewrittenBlob> bad;
    for (const RewrittenBlob& blob : record.blobs) {
        DRYDOCK_TRY_ASSIGN(auto row, rows_.row_of(blob.new_uid));
        if (!row) {
            DRYDOCK_TRY_ASSIGN(row, rows_.row_of(blob.old_uid));
        }
        if (row) {
            const bool is_right = read_block(new_reader_, new_row(*row, blob)).has_value();
            (is_right ? good : bad).push_back(blob);
        }
    }
    DRYDOCK_TRY(rows_.switch_back(bad));
    DRYDOCK_TRY(switch_all(good));
    for (const RewrittenBlob& blob : bad) {
        DRYDOCK_TRY(new_reader_.blobs->remove(blob.new_uid));
    }
    return {};
}

}  // namespace drydock::mover::blocks
