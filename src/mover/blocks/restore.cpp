// Restores a version: rows in the order of positions, blocks read by many threads, one writer.
//
// The pool returns blocks in the order of submission, so the image is written from its beginning to
// its end, and a stream works like a file. A position without a row is lost data and no zeros; only
// a row with an empty uid stands for zeros. A stored block of zeros becomes a hole, too.
#include "mover/blocks/restore.h"

#include "mover/blocks/image_file.h"
#include "mover/blocks/ordered_pool.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::mover::blocks {
namespace {

bool is_zero(std::string_view bytes) {
    return std::ranges::all_of(bytes, [](char c) { return c == '\0'; });
}

// A position of the image. Without a row its bytes are lost.
struct Piece {
    std::int64_t id = 0;
    std::int64_t bytes = 0;
    std::optional<BlockRow> row;
};

// Reads the bytes of one position. A row whose size is not the one of its position is refused: all
// later blocks would be shifted.
Result<std::string> read_piece(const BlobReader& reader, const Piece& piece) {
    if (!piece.row) {
        return fail("blocks.absent_row",
                    fmt::format("position {} has no row", piece.id),
                    "the block is lost here: take it from another version");
    }
    if (piece.row->uid.empty()) {
        return std::string();  // zeros
    }
    if (piece.row->size != piece.bytes) {
        return fail(
            "blocks.row_size",
            fmt::format(
                "position {} has {} bytes, and needs {}", piece.id, piece.row->size, piece.bytes),
            "take this block from another version");
    }
    return read_block(reader, *piece.row);
}

class Restoration {
public:
    Restoration(VersionRow version,
                ImageFile& image,
                const BlobReader& reader,
                const RestoreRequest& request,
                const RestoreProgress& progressed)
        : image_(image)
        , request_(request)
        , progressed_(progressed)
        , pool_(std::max<std::size_t>(request.workers, 1),
                k_small_group_bytes,
                one_by_one<Piece, Result<std::string>>(
                    [&reader](const Piece& piece) { return read_piece(reader, piece); }),
                [this](const Piece& piece, const Result<std::string>& bytes) {
                    return take(piece, bytes);
                }) {
        restored.version = std::move(version);
        lost_.resize(static_cast<std::size_t>(restored.version.blocks));
    }

    Restored restored;

    // Adds a row. Rows come in the order of positions, so the skipped positions before it have no
    // row.
    Status add(const BlockRow& row) {
        if (row.id < 0 || row.id >= restored.version.blocks) {
            return {};  // beyond the end of the image
        }
        DRYDOCK_TRY(add_absent(row.id));
        return add_piece({row.id, 0, row});
    }

    Status finish() {
        DRYDOCK_TRY(add_absent(restored.version.blocks));
        DRYDOCK_TRY(pool_.finish());
        restored.lost = ranges_of(restored.version, lost_);
        return {};
    }

private:
    Status add_absent(std::int64_t end) {
        while (next_ < end) {
            DRYDOCK_TRY(add_piece({next_, 0, std::nullopt}));
        }
        return {};
    }

    Status add_piece(Piece piece) {
        piece.bytes = block_size_at(restored.version, piece.id);
        next_ = piece.id + 1;
        const std::int64_t bytes = piece.bytes;
        return pool_.submit(std::move(piece), bytes);
    }

    // Writes a block or, if holes are allowed, zeros in the place of a lost one.
    Status take(const Piece& piece, const Result<std::string>& bytes) {
        if (!bytes && !request_.allows_holes) {
            return tl::unexpected(bytes.error());
        }
        lost_[static_cast<std::size_t>(piece.id)] = !bytes;
        bytes_done_ += piece.bytes;
        progressed_(bytes_done_, restored.version.bytes);
        if (!bytes || is_zero(*bytes)) {
            return image_.write_zeros(piece.bytes);
        }
        restored.bytes += piece.bytes;
        return image_.write(*bytes);
    }

    ImageFile& image_;
    const RestoreRequest& request_;
    const RestoreProgress& progressed_;
    std::vector<bool> lost_;
    std::int64_t next_ = 0;
    std::int64_t bytes_done_ = 0;
    OrderedPool<Piece, Result<std::string>> pool_;
};

// Refuses a version whose rows contradict its size before any file is made.
Status check_size(const VersionRow& version) {
    if (has_regular_size(version)) {
        return {};
    }
    return fail("blocks.version_size",
                fmt::format("version {} has {} bytes in {} blocks of {}",
                            version.uid,
                            version.bytes,
                            version.blocks,
                            version.block_bytes),
                "its rows cannot be placed; look at the tables versions and blocks");
}

}  // namespace

Result<Restored> restore(Metadata& metadata,
                         const BlobReader& reader,
                         const RestoreRequest& request,
                         const RestoreProgress& progressed) {
    DRYDOCK_TRY_ASSIGN(VersionRow version, metadata.find_version(request.version));
    DRYDOCK_TRY(check_size(version));
    auto image = request.path.empty() ? ImageFile::stream(request.descriptor)
                                      : ImageFile::create(request.path, request.replaces);
    if (!image) {
        return tl::unexpected(image.error());
    }
    const std::string uid = version.uid;
    Restoration work(std::move(version), *image, reader, request, progressed);
    DRYDOCK_TRY(metadata.each_row_of(uid, [&](const BlockRow& row) { return work.add(row); }));
    DRYDOCK_TRY(work.finish());
    DRYDOCK_TRY(image->keep());
    return std::move(work.restored);
}

}  // namespace drydock::mover::blocks
