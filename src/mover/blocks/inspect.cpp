// A merge of two sorted lists: the blobs that rows name, and the blobs in the backend.
//
// Both come in the bytewise order of uids. A blob that only rows name is missing. A blob that only
// the backend has is unreferenced. The fast cleanup of backy2 removes only blobs in its list of
// deleted blocks. An unreferenced blob outside of that list stays for ever, so each one is looked
// up there.
#include "mover/blocks/inspect.h"

#include "mover/blocks/ranges.h"

#include <algorithm>

namespace drydock::mover::blocks {
namespace {

constexpr std::size_t k_uids_shown_max = 100;

void note(std::vector<std::string>& uids, const std::string& uid) {
    if (uids.size() < k_uids_shown_max) {
        uids.push_back(uid);
    }
}

class Comparison {
public:
    explicit Comparison(Store& store) : store_(store), names_(store.reader.blobs->names()) {}

    Inspection inspection;

    Status add_version(const VersionRow& version) {
        inspection.versions.push_back(version);
        inspection.rows += version.rows + version.stray;
        inspection.sparse += version.sparse;
        inspection.stray += version.stray;
        inspection.encrypted += version.encrypted;
        return {};
    }

    // Advances the merge to the uid of a row. Rows of one blob follow each other, so the second one
    // proves that the blob is shared.
    Status add_row(const BlockRow& row) {
        if (row.uid == uid_) {
            inspection.shared += ++rows_of_uid_ == 2 ? 1 : 0;
            return {};
        }
        uid_ = row.uid;
        rows_of_uid_ = 1;
        ++inspection.blobs;
        DRYDOCK_TRY(pass_files_before(row.uid));
        if (file_ && file_->uid == row.uid) {
            inspection.blob_bytes += file_->bytes;
            return advance();
        }
        ++inspection.missing;
        note(inspection.missing_uids, row.uid);
        return {};
    }

    Status begin() { return advance(); }

    Status finish() {
        while (file_) {
            DRYDOCK_TRY(note_unreferenced(*file_));
            DRYDOCK_TRY(advance());
        }
        inspection.strange = names_->strange();
        return {};
    }

private:
    Status advance() {
        DRYDOCK_TRY_ASSIGN(file_, names_->next());
        return {};
    }

    // Notes the blobs before `uid` that no row named.
    Status pass_files_before(const std::string& uid) {
        while (file_ && file_->uid < uid) {
            DRYDOCK_TRY(note_unreferenced(*file_));
            DRYDOCK_TRY(advance());
        }
        return {};
    }

    Status note_unreferenced(const BlobFile& file) {
        ++inspection.unreferenced;
        inspection.unreferenced_bytes += file.bytes;
        inspection.blob_bytes += file.bytes;
        DRYDOCK_TRY_ASSIGN(const bool is_listed, store_.metadata->is_listed_as_deleted(file.uid));
        inspection.unlisted += is_listed ? 0 : 1;
        note(inspection.unreferenced_uids, file.uid);
        return {};
    }

    Store& store_;
    std::unique_ptr<BlobNames> names_;
    std::optional<BlobFile> file_;
    std::string uid_;  // of the last row
    std::int64_t rows_of_uid_ = 0;
};

}  // namespace

bool Inspection::whole() const {
    return missing == 0 && std::ranges::all_of(versions, [](const VersionRow& version) {
               return version.has_all_rows() && has_regular_size(version);
           });
}

Result<Inspection> inspect(Store& store) {
    Comparison walk(store);
    walk.inspection.schema = store.metadata->schema();
    DRYDOCK_TRY(store.metadata->each_version(
        [&](const VersionRow& version) { return walk.add_version(version); }));
    DRYDOCK_TRY(walk.begin());
    DRYDOCK_TRY(
        store.metadata->each_blob_row([&](const BlockRow& row) { return walk.add_row(row); }));
    DRYDOCK_TRY(walk.finish());
    DRYDOCK_TRY_ASSIGN(walk.inspection.orphan_rows, store.metadata->orphan_rows());
    DRYDOCK_TRY_ASSIGN(walk.inspection.deleted, store.metadata->deleted_blocks());
    return std::move(walk.inspection);
}

}  // namespace drydock::mover::blocks
