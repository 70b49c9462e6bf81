#include "mover/blocks/verify.h"

#include <algorithm>

namespace drydock::mover::blocks {
namespace {

bool same_blob(const BlockRow& a, const BlockRow& b) {
    return a.uid == b.uid && a.checksum == b.checksum && a.size == b.size
           && a.enc_version == b.enc_version && a.envelope == b.envelope;
}

class Verification {
public:
    Verification(Metadata& metadata,
                 const BlobReader& reader,
                 const std::function<void(const Finding&)>& found)
        : metadata_(metadata)
        , reader_(reader)
        , found_(found) {}

    StoreVerdict verdict;

    Status take(const BlockRow& row) {
        if (!same_blob(row, last_)) {
            read(row);
        }
        return error_ ? note(row) : Status{};
    }

private:
    // Rows of one blob follow each other, so it is read once.
    void read(const BlockRow& row) {
        verdict.blobs += row.uid == last_.uid ? 0 : 1;
        last_ = row;
        error_.reset();
        const auto bytes = read_block(reader_, row);
        if (bytes) {
            verdict.bytes += row.size;
        } else {
            error_ = bytes.error();
        }
    }

    // A backup that was removed meanwhile is no damage.
    Status note(const BlockRow& row) {
        DRYDOCK_TRY_ASSIGN(const bool still, metadata_.still_has(row));
        if (still) {
            ++verdict.findings;
            ++verdict.versions[row.version_uid].damaged;
            found_({row, *error_});
        }
        return {};
    }

    Metadata& metadata_;
    const BlobReader& reader_;
    const std::function<void(const Finding&)>& found_;
    BlockRow last_;
    std::optional<Error> error_;
};

}  // namespace

bool StoreVerdict::whole() const {
    return std::ranges::all_of(versions, [](const auto& entry) { return entry.second.whole(); });
}

Result<StoreVerdict> verify(Metadata& metadata,
                            const BlobReader& reader,
                            const std::function<void(const Finding&)>& found,
                            const std::function<void(const StoreVerdict&)>& progress) {
    Verification work(metadata, reader, found);
    DRYDOCK_TRY(metadata.each_version([&](const VersionRow& version) {
        work.verdict.versions[version.uid].version = version;
        return Status{};
    }));
    DRYDOCK_TRY(metadata.each_blob_row([&](const BlockRow& row) {
        const Status taken = work.take(row);
        progress(work.verdict);
        return taken;
    }));
    return std::move(work.verdict);
}

}  // namespace drydock::mover::blocks
