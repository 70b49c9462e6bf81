// Restores a version: rows in the order of positions, blocks read by many threads, one writer.
//
// The pool returns blocks in the order of submission. So the image is written from its beginning to
// its end, and a stream works like a file. A position without a row is lost data and no zeros; only
// a row with an empty uid stands for zeros. A stored block of zeros becomes a hole, too.
#include "mover/blocks/restore.h"

#include "mover/blocks/image_file.h"
#include "mover/blocks/ordered_pool.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::mover::blocks {
namespace {

constexpr int k_switches_max = 3;  // of one row, between two looks at it

bool is_zero(std::string_view bytes) {
    return std::ranges::all_of(bytes, [](char c) { return c == '\0'; });
}

// A position of the image, or several without a row: their bytes are lost.
struct Piece {
    Positions positions;
    std::int64_t bytes = 0;
    std::optional<BlockRow> row;
};

// Reads the bytes of one position. A row of another size than its position needs is refused: all
// later blocks would be shifted.
Result<std::string> read_piece(const BlobReader& reader, const Piece& piece) {
    if (!piece.row) {
        return fail("blocks.absent_row",
                    fmt::format("position {} has no row", piece.positions.first),
                    "the block is lost here: take it from another version");
    }
    if (piece.row->uid.empty()) {
        return std::string();  // zeros
    }
    if (piece.row->size != piece.bytes) {
        return fail("blocks.row_size",
                    fmt::format("position {} has {} bytes, and needs {}",
                                piece.row->id,
                                piece.row->size,
                                piece.bytes),
                    "take this block from another version");
    }
    return read_block(reader, *piece.row);
}

// Compares the parts of a row that a rewrite switches.
bool names_same_blob(const BlockRow& a, const BlockRow& b) {
    return a.uid == b.uid && a.enc_version == b.enc_version && a.envelope == b.envelope;
}

class Restoration {
public:
    Restoration(Metadata& metadata,
                VersionRow version,
                ImageFile& image,
                const BlobReader& reader,
                const RestoreRequest& request,
                const RestoreProgress& progressed)
        : metadata_(metadata)
        , reader_(reader)
        , image_(image)
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
    }

    Restored restored;

    // Adds a row. Rows come in the order of positions, so the skipped positions before it have no
    // row.
    Status add(const BlockRow& row) {
        if (row.id < 0 || row.id >= restored.version.blocks) {
            return {};  // beyond the end of the image
        }
        DRYDOCK_TRY(add_absent(row.id));
        return add_piece({{row.id, row.id + 1}, 0, row});
    }

    Status finish() {
        DRYDOCK_TRY(add_absent(restored.version.blocks));
        DRYDOCK_TRY(pool_.finish());
        restored.lost = ranges_of(restored.version, std::move(lost_));
        return {};
    }

private:
    // The absent positions before `end` become one piece, however many they are.
    Status add_absent(std::int64_t end) {
        return next_ < end ? add_piece({{next_, end}, 0, std::nullopt}) : Status{};
    }

    Status add_piece(Piece piece) {
        piece.bytes = bytes_at(restored.version, piece.positions);
        next_ = piece.positions.end;
        const std::int64_t bytes = piece.row ? piece.bytes : 0;
        return pool_.submit(std::move(piece), bytes);
    }

    // A row may name another blob by now, so that a failed read is tried again by the new row.
    Status take(const Piece& piece, const Result<std::string>& read) {
        if (!read) {
            DRYDOCK_TRY_ASSIGN(const auto now, read_as_it_is_now(piece, read.error()));
            return put(piece, now);
        }
        return put(piece, read);
    }

    // Writes one piece in its place. A lost piece becomes a hole if the user allows it.
    Status put(const Piece& piece, const Result<std::string>& bytes) {
        if (!bytes && !request_.allows_holes) {
            return tl::unexpected(bytes.error());
        }
        if (!bytes) {
            lost_.push_back(piece.positions);
        }
        bytes_done_ += piece.bytes;
        progressed_(bytes_done_, restored.version.bytes);
        if (!bytes || is_zero(*bytes)) {
            return image_.write_zeros(piece.bytes);
        }
        restored.bytes += piece.bytes;
        return image_.write(*bytes);
    }

    // Reads the piece by its present row. A rewrite switches rows to other blobs, and removes the
    // old ones while this works. The first error stands if the row did not change.
    Result<Result<std::string>> read_as_it_is_now(Piece piece, const Error& error) {
        for (int i = 0; i < k_switches_max && piece.row; ++i) {
            DRYDOCK_TRY_ASSIGN(auto row, metadata_.row_at(restored.version.uid, piece.row->id));
            if (!row || names_same_blob(*row, *piece.row)) {
                break;
            }
            piece.row = std::move(row);
            Result<std::string> bytes = read_piece(reader_, piece);
            if (bytes) {
                return bytes;
            }
        }
        return Result<std::string>(tl::unexpected(error));
    }

    Metadata& metadata_;
    const BlobReader& reader_;
    ImageFile& image_;
    const RestoreRequest& request_;
    const RestoreProgress& progressed_;
    std::vector<Positions> lost_;
    std::int64_t next_ = 0;
    std::int64_t bytes_done_ = 0;
    OrderedPool<Piece, Result<std::string>> pool_;
};

// Rows beyond the size of the version mean that the size, or the rows, are wrong.
Status check_stray(const VersionRow& version) {
    return version.stray == 0
               ? Status{}
               : fail("blocks.stray_rows",
                      fmt::format("version {} has {} rows that are not within its {} blocks",
                                  version.uid,
                                  version.stray,
                                  version.blocks),
                      "its size may be wrong; --allow-holes restores the blocks within it");
}

// Blocks of one size must fill the version, or no row has a certain place.
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

// The checks come before the image: a refused restore leaves no file.
Result<Restored> restore(Metadata& metadata,
                         const BlobReader& reader,
                         const RestoreRequest& request,
                         const RestoreProgress& progressed) {
    DRYDOCK_TRY_ASSIGN(VersionRow version, metadata.find_version(request.version));
    DRYDOCK_TRY(check_size(version));
    DRYDOCK_TRY(request.allows_holes ? Status{} : check_stray(version));
    auto image = request.path.empty() ? ImageFile::stream(request.descriptor)
                                      : ImageFile::create(request.path, request.replaces);
    if (!image) {
        return tl::unexpected(image.error());
    }
    const std::string uid = version.uid;
    Restoration work(metadata, std::move(version), *image, reader, request, progressed);
    DRYDOCK_TRY(metadata.each_row_of(uid, [&](const BlockRow& row) { return work.add(row); }));
    DRYDOCK_TRY(work.finish());
    DRYDOCK_TRY(image->keep());
    return std::move(work.restored);
}

}  // namespace drydock::mover::blocks
