// One batch of a rewrite, from the read blobs to the switched rows, and its recovery.
//
// The order makes a kill harmless. The names are in the journal before the first file is written.
// The files are durable and proved before the rows are switched. Old blobs stay.
#pragma once

#include "mover/blocks/rewrite_rows.h"

namespace drydock::mover::blocks {

class RewriteBatches {
public:
    RewriteBatches(Store& store,
                   RewriteJournal& journal,
                   const RewriteRequest& request,
                   RewriteReport& report);

    // Ends the last batch of a killed run: it is switched if it is right, else dropped.
    [[nodiscard]] Status recover();
    [[nodiscard]] Status run(const std::vector<SourceBlob>& sources);

private:
    Status write_all(const std::vector<SourceBlob>& sources, std::vector<RewrittenBlob>& blobs);
    Status switch_all(const std::vector<RewrittenBlob>& blobs);
    Status finish_proved(const Record& record);
    Status drop(std::int64_t batch, const std::vector<RewrittenBlob>& blobs);
    Result<std::vector<RewrittenBlob>> draw_names(const std::vector<SourceBlob>& sources);
    void note(const SourceBlob& source, const Error& error);

    Store& store_;
    RewriteJournal& journal_;
    const RewriteRequest& request_;
    RewriteReport& report_;
    RewriteRows rows_;
    BlobReader new_reader_;
    std::int64_t batch_ = 0;
};

}  // namespace drydock::mover::blocks
