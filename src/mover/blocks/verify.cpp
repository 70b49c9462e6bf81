// Verifies a store: blobs are read by many threads, verdicts are made by one.
//
// Rows come in the order of uids, so rows of one blob follow each other and the blob is read once.
// Rows of one uid that differ in checksum, size or key are separate questions, and the blob is read
// for each of them. A blob that many rows share is split into several jobs, so memory is bounded.
//
// backy2 may work meanwhile. So a finding counts only if its row still exists when the finding is
// made. A row of an unknown version is an orphan only if the version is still unknown.
#include "mover/blocks/verify.h"

#include "mover/blocks/ordered_pool.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::mover::blocks {
namespace {

// The share of a waiting row in a group. Rows need memory, so some thousands of them fill a group.
constexpr std::int64_t k_row_bytes = std::int64_t{8} << 10;
constexpr std::size_t k_rows_together_max = 1000;  // of one blob; a zero-like block has millions

// Rows that agree on these five facts need one reading of the blob.
bool same_blob(const BlockRow& a, const BlockRow& b) {
    return a.uid == b.uid && a.checksum == b.checksum && a.size == b.size
           && a.enc_version == b.enc_version && a.envelope == b.envelope;
}

// Rows that follow each other and agree about one blob.
struct SharedBlob {
    std::vector<BlockRow> rows;
    bool is_first = true;  // no rows before them had this uid
};

using Errors = std::vector<std::optional<Error>>;

// Reads the blobs of a group; returns an error or nothing for each.
Errors errors_of(const BlobReader& reader, const std::vector<SharedBlob>& blobs) {
    std::vector<const BlockRow*> rows;
    rows.reserve(blobs.size());
    for (const SharedBlob& blob : blobs) {
        rows.push_back(&blob.rows.front());
    }
    Errors errors;
    for (const Status& right :
         use_blocks(reader, rows, [](std::size_t, std::string_view) { return Status{}; })) {
        errors.push_back(right ? std::nullopt : std::optional(right.error()));
    }
    return errors;
}

class Verification {
public:
    Verification(Metadata& metadata,
                 const BlobReader& reader,
                 std::size_t workers,
                 const VerifyEvents& events)
        : metadata_(metadata)
        , events_(events)
        , pool_(
              workers,
              k_wide_group_bytes,
              [&reader](const std::vector<SharedBlob>& blobs) { return errors_of(reader, blobs); },
              [this](const SharedBlob& blob, const std::optional<Error>& error) {
                  return take(blob, error);
              }) {}

    StoreVerdict verdict;

    // Sparse rows have no blob and are not counted.
    Status add_version(const VersionRow& version) {
        verdict.versions[version.uid].version = version;
        verdict.rows_all += version.rows + version.stray - version.sparse;
        return {};
    }

    // Collects rows that agree about one blob. A blob that is continued in a second job is counted
    // once.
    Status add_row(const BlockRow& row) {
        const bool has_other = !next_.rows.empty() && !same_blob(row, next_.rows.front());
        if (has_other || next_.rows.size() >= k_rows_together_max) {
            const bool is_first = next_.rows.front().uid != row.uid;
            DRYDOCK_TRY(send());
            next_.is_first = is_first;
        }
        next_.rows.push_back(row);
        return {};
    }

    // Lost ranges need all damaged positions, so that they come after the last blob.
    Status finish() {
        if (!next_.rows.empty()) {
            DRYDOCK_TRY(send());
        }
        DRYDOCK_TRY(pool_.finish());
        DRYDOCK_TRY_ASSIGN(verdict.orphan_rows, metadata_.orphan_rows());
        for (auto& [uid, version] : verdict.versions) {
            DRYDOCK_TRY(find_lost(version));
            damaged_.erase(uid);
        }
        return {};
    }

private:
    // The share in a group is that of the block or of its rows, the larger of both.
    Status send() {
        SharedBlob blob = std::move(next_);
        next_ = {};
        const std::int64_t bytes =
            std::max(blob.rows.front().size, k_row_bytes * std::ssize(blob.rows));
        return pool_.submit(std::move(blob), bytes);
    }

    // All rows of a blob share its verdict. Its bytes count once.
    Status take(const SharedBlob& blob, const std::optional<Error>& error) {
        verdict.blobs += blob.is_first ? 1 : 0;
        verdict.bytes += error || !blob.is_first ? 0 : blob.rows.front().size;
        for (const BlockRow& row : blob.rows) {
            ++verdict.rows;
            DRYDOCK_TRY(judge(row, error));
        }
        return events_.on_progress ? events_.on_progress(verdict) : Status{};
    }

    // Judges one row: its version, the blob's error, and the size at its position.
    Status judge(const BlockRow& row, const std::optional<Error>& error) {
        const auto version = verdict.versions.find(row.version_uid);
        if (version == verdict.versions.end()) {
            return note_orphan(row);
        }
        if (error) {
            return note(version->second, row, *error);
        }
        const std::int64_t expected = block_size_at(version->second.version, row.id);
        if (row.id >= 0 && row.id < version->second.version.blocks && row.size != expected) {
            return note(
                version->second,
                row,
                {"blocks.row_size",
                 fmt::format("the row has {} bytes where the version needs {}", row.size, expected),
                 "take this block from another version"});
        }
        return {};
    }

    // Notes a row without a version. A version that began after the list was read has rows, too, so
    // it is looked up.
    Status note_orphan(const BlockRow& row) {
        DRYDOCK_TRY_ASSIGN(const bool has_version, metadata_.has_version(row.version_uid));
        if (!has_version) {
            ++verdict.findings;
            events_.on_finding(
                {row,
                 {"blocks.orphan_row",
                  fmt::format("the row is of version {}, which does not exist", row.version_uid),
                  "no backup needs it; look at how the version went"}});
        }
        return {};
    }

    // Notes damage, unless the row is gone: a backup that was removed meanwhile is not damaged.
    Status note(VersionVerdict& version, const BlockRow& row, const Error& error) {
        DRYDOCK_TRY_ASSIGN(const bool is_present, metadata_.still_has(row));
        if (!is_present) {
            return {};
        }
        ++verdict.findings;
        ++version.damaged;
        if (row.id >= 0 && row.id < version.version.blocks) {
            damaged_[row.version_uid].add(row.id);
        }
        events_.on_finding({row, error});
        return {};
    }

    // Rows are read again only for versions that lack some.
    Status find_lost(VersionVerdict& version) {
        std::vector<Positions> lost = damaged_[version.version.uid].ranges();
        if (version.version.rows != version.version.blocks) {
            DRYDOCK_TRY(add_absent(version.version, lost));
        }
        version.lost = ranges_of(version.version, std::move(lost));
        return {};
    }

    // Finds the gaps between the rows, and the gap behind the last row.
    Status add_absent(const VersionRow& version, std::vector<Positions>& lost) {
        std::int64_t next = 0;
        const auto add_gap = [&](std::int64_t end) {
            if (next < end) {
                lost.push_back({next, end});
            }
        };
        DRYDOCK_TRY(metadata_.each_row_of(version.uid, [&](const BlockRow& row) {
            add_gap(std::min(row.id, version.blocks));
            next = std::max(next, row.id < version.blocks ? row.id + 1 : version.blocks);
            return Status{};
        }));
        add_gap(version.blocks);
        return {};
    }

    Metadata& metadata_;
    const VerifyEvents& events_;
    SharedBlob next_;
    std::map<std::string, PositionSet> damaged_;  // by version; only damaged versions
    OrderedPool<SharedBlob, std::optional<Error>> pool_;
};

}  // namespace

bool StoreVerdict::whole() const {
    return std::ranges::all_of(versions, [](const auto& entry) { return entry.second.whole(); });
}

Result<StoreVerdict> verify(Metadata& metadata,
                            const BlobReader& reader,
                            std::size_t workers,
                            const VerifyEvents& events) {
    Verification work(metadata, reader, workers, events);
    DRYDOCK_TRY(metadata.each_version(
        [&](const VersionRow& version) { return work.add_version(version); }));
    DRYDOCK_TRY(metadata.each_blob_row([&](const BlockRow& row) { return work.add_row(row); }));
    DRYDOCK_TRY(work.finish());
    return std::move(work.verdict);
}

}  // namespace drydock::mover::blocks
