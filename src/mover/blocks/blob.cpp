// The path of a blob from the backend to the plain block. The steps are size limit, envelope, GCM
// tag, zstd frame, size of the row, checksum of the row. Each step has an error code of its own,
// because the remedies differ: a wrong key is no damage.
//
// Rows and blobs are hostile input here. A size limit is computed before anything is read, and the
// frame's size is compared with the row's before memory is allocated.
//
// Speed: most time goes into hashing and copying. So buffers are kept for each thread, and nothing
// is copied between the steps. Up to eight blocks of one size are hashed side by side
// (sha512_lanes.h).
#include "mover/blocks/blob.h"

#include "base/hash.h"
#include "mover/blocks/cipher.h"
#include "mover/blocks/sha512_lanes.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <span>

namespace drydock::mover::blocks {
namespace {

constexpr std::int64_t k_block_bytes_max = std::int64_t{256} << 20;  // backy2's default is 4 MiB
constexpr const char* k_other_copy =
    "the block is lost here: take it from another copy of the store";

int digit(char c) {
    const std::string_view digits = "0123456789abcdef";
    const auto place = digits.find(c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c);
    return place == std::string_view::npos ? -1 : static_cast<int>(place);
}

// Returns the bytes of a hex text; empty if it is not hex of `size` bytes.
std::string from_hex(std::string_view hex, std::size_t size) {
    std::string bytes;
    for (std::size_t i = 0; hex.size() == 2 * size && i < hex.size(); i += 2) {
        const int high = digit(hex[i]);
        const int low = digit(hex[i + 1]);
        if (high < 0 || low < 0) {
            return {};
        }
        bytes.push_back(static_cast<char>(high * 16 + low));
    }
    return bytes;
}

tl::unexpected<Error> size_error(std::uint64_t actual, std::int64_t expected) {
    return fail("blocks.size",
                fmt::format("{} bytes, but the row says {}", actual, expected),
                k_other_copy);
}

// Unwraps the data key with the reader's key, and then with its second key: during a rewrite of
// keys old and new blobs coexist.
Result<std::string> unwrap(const BlobReader& reader, const std::string& envelope) {
    if (reader.key.size() != k_key_bytes) {
        return fail(
            "blocks.key", "encrypted, and no key was given", "give backy2's encryption_key");
    }
    const std::string wrapped = from_hex(envelope, k_envelope_bytes);
    if (wrapped.empty()) {
        return fail("blocks.envelope", "enc_envkey of the row is not 80 hex digits", k_other_copy);
    }
    std::string data_key = unwrap_key(wrapped, reader.key);
    data_key = data_key.empty() ? unwrap_key(wrapped, reader.other_key) : data_key;
    if (data_key.empty()) {
        return fail("blocks.key",
                    "the key does not open the envelope of the row",
                    "give the encryption_key that was set when the backup was made");
    }
    return data_key;
}

// The memory of a thread, kept between blocks: one group of blocks is read after the other.
struct Scratch {
    Buffer sealed;  // of one blob
    std::array<Buffer, k_lanes> plain;
};

Scratch& scratch() {
    thread_local Scratch scratch;
    return scratch;
}

// Decrypts in place and returns the zstd frame.
Result<std::string_view> decrypt(Buffer& blob, const std::string& key) {
    if (!decrypt_blob(key, blob.data(), blob.size())) {
        return fail("blocks.tag", "the GCM tag does not fit: the blob is damaged", k_other_copy);
    }
    return blob.view().substr(k_head_bytes);
}

using Decompressor = std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)>;

// Decompresses as backy2 does: the first frame, which must say its size. Bytes behind that frame
// are ignored.
Result<std::string_view> unpack(std::string_view frame, std::int64_t expected, Buffer& plain) {
    const auto stated_size = ZSTD_getFrameContentSize(frame.data(), frame.size());
    if (stated_size == ZSTD_CONTENTSIZE_ERROR || stated_size == ZSTD_CONTENTSIZE_UNKNOWN) {
        return fail("blocks.frame", "no zstd frame that says its size", k_other_copy);
    }
    if (stated_size != static_cast<std::uint64_t>(expected)) {
        return size_error(stated_size, expected);
    }
    thread_local const Decompressor decompressor(ZSTD_createDCtx(), &ZSTD_freeDCtx);
    const auto length = ZSTD_findFrameCompressedSize(frame.data(), frame.size());
    plain.reset(stated_size);
    const auto unpacked_size =
        ZSTD_isError(length) != 0
            ? length
            : ZSTD_decompressDCtx(
                  decompressor.get(), plain.data(), plain.size(), frame.data(), length);
    if (ZSTD_isError(unpacked_size) != 0 || unpacked_size != stated_size) {
        return fail("blocks.frame", "the zstd frame is damaged", k_other_copy);
    }
    return plain.view();
}

Result<std::string_view>
// Decrypts and decompresses a blob of enc_version 1.
open_sealed(const BlobReader& reader, const BlockRow& row, Buffer& sealed, Buffer& plain) {
    if (sealed.size() <= k_head_bytes) {
        return size_error(sealed.size(), row.size);
    }
    DRYDOCK_TRY_ASSIGN(const std::string key, unwrap(reader, row.envelope));
    DRYDOCK_TRY_ASSIGN(const std::string_view frame, decrypt(sealed, key));
    return unpack(frame, row.size, plain);
}

// Compares the size with the row's. A row without a checksum is an error: no other fact proves the
// block.
Status check_size(const BlockRow& row, std::string_view plain) {
    if (plain.size() != static_cast<std::uint64_t>(row.size)) {
        return size_error(plain.size(), row.size);
    }
    if (!row.checksum || row.checksum->empty()) {
        return fail("blocks.no_checksum", "the row has no checksum", "nothing proves this block");
    }
    return {};
}

// Compares the checksum of the plain block with the row's.
Status check(const BlobReader& reader, const BlockRow& row, std::string_view plain) {
    DRYDOCK_TRY(check_size(row, plain));
    const std::string digest = digest_hex(reader.hash_function, plain);
    if (digest.empty()) {
        return fail("blocks.hash",
                    fmt::format("no hash function {}", reader.hash_function),
                    "give backy2's hash_function");
    }
    if (digest != *row.checksum) {
        return fail("blocks.checksum",
                    fmt::format("the {} is not that of the row", reader.hash_function),
                    k_other_copy);
    }
    return {};
}

// Reads and decodes a blob. The result lies in `plain`.
Result<std::string_view> decode(const BlobReader& reader, const BlockRow& row, Buffer& plain) {
    if (row.size < 0 || row.size > k_block_bytes_max) {
        return fail("blocks.size", fmt::format("the row says {} bytes", row.size), k_other_copy);
    }
    if (row.enc_version != 0 && row.enc_version != 1) {
        return fail("blocks.enc_version",
                    fmt::format("enc_version {} is unknown", row.enc_version),
                    "drydock reads 0 and 1");
    }
    // No right blob is longer, so a wrong file takes no memory.
    const auto plain_max = static_cast<std::size_t>(row.size);
    const auto bytes_max =
        row.enc_version == 0 ? plain_max : k_head_bytes + ZSTD_compressBound(plain_max);
    if (reader.reads_from_disk) {
        reader.blobs->forget_cached(row.uid);
    }
    Buffer& bytes = row.enc_version == 1 ? scratch().sealed : plain;
    DRYDOCK_TRY(reader.blobs->read(row.uid, bytes_max, bytes));
    return row.enc_version == 1 ? open_sealed(reader, row, bytes, plain)
                                : Result<std::string_view>(bytes.view());
}

// Puts the place of the blob in front of an error.
Error in_blob(const BlobReader& reader, const BlockRow& row, const Error& error) {
    const auto place = reader.blobs->place_of(row.uid);
    return place ? Error(error).with_context("blob " + *place) : place.error();
}

Status
// Calls `use` with the plain block, if the block is right. `is_checked` asks for the checksum, too.
use_one(const BlobReader& reader, const BlockRow& row, bool is_checked, const UseBlock& use) {
    const auto plain = decode(reader, row, scratch().plain[0]);
    if (!plain) {
        return tl::unexpected(in_blob(reader, row, plain.error()));
    }
    const Status right = is_checked ? check(reader, row, *plain) : Status{};
    return right ? use(*plain) : tl::unexpected(in_blob(reader, row, right.error()));
}

// Returns the number of rows from `first` on that can be hashed together. Lanes need blocks of one
// size; below three blocks OpenSSL is faster.
std::size_t
lanes_from(const BlobReader& reader, const std::vector<const BlockRow*>& rows, std::size_t first) {
    constexpr std::int64_t k_bytes_max = std::int64_t{4} << 20;  // of one: backy2's default
    std::size_t count = 1;
    while (count < k_lanes && first + count < rows.size() && rows[first]->size <= k_bytes_max
           && rows[first + count]->size == rows[first]->size) {
        ++count;
    }
    constexpr std::size_t k_worth_it = 3;  // eight lanes take the time of two and a half blocks
    const bool is_worth_it =
        reader.hash_function == "sha512" && has_sha512_lanes() && count >= k_worth_it;
    return is_worth_it ? count : 1;
}

using Plain = std::vector<Result<std::string_view>>;

// Hashes all lanes. A lane without a readable block gets the bytes of another lane, because the
// function always hashes eight.
std::array<Sha512, k_lanes> digests_of(const Plain& blocks) {
    std::array<std::string_view, k_lanes> texts{};
    const auto whole =
        std::ranges::find_if(blocks, [](const auto& block) { return block.has_value(); });
    for (std::size_t i = 0; whole != blocks.end() && i < k_lanes; ++i) {
        texts.at(i) = i < blocks.size() && blocks[i] ? *blocks[i] : **whole;
    }
    return sha512_lanes(texts);
}

Result<std::string_view>
// The checksum is left to the lanes.
decode_whole(const BlobReader& reader, const BlockRow& row, Buffer& buffer) {
    DRYDOCK_TRY_ASSIGN(const std::string_view plain, decode(reader, row, buffer));
    DRYDOCK_TRY(check_size(row, plain));
    return plain;
}

// Reads and hashes rows of one size. A digest that differs is computed again, by OpenSSL, before it
// counts: a fault in the lanes must not look like lost data.
void use_together(const BlobReader& reader,
                  std::span<const BlockRow* const> rows,
                  const UseOneOf& use,
                  std::span<Status> results,
                  std::size_t first) {
    Plain blocks;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        blocks.push_back(decode_whole(reader, *rows[i], scratch().plain.at(i)));
    }
    const auto digests = digests_of(blocks);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        Status right = blocks[i] ? Status{} : tl::unexpected(blocks[i].error());
        if (right && to_hex(digests.at(i)) != *rows[i]->checksum) {
            right = check(reader, *rows[i], *blocks[i]);
        }
        results[i] = right ? use(first + i, *blocks[i])
                           : tl::unexpected(in_blob(reader, *rows[i], right.error()));
    }
}

}  // namespace

Result<std::string> read_key(std::string_view hex) {
    std::string key = from_hex(hex, k_key_bytes);
    if (key.empty()) {
        return fail("blocks.key", "the key is not 64 hex digits", "give backy2's encryption_key");
    }
    return key;
}

Result<std::string> hash_name(const std::string& python_name) {
    std::string name = python_name == "blake2b"   ? "blake2b512"
                       : python_name == "blake2s" ? "blake2s256"
                                                  : python_name;
    std::ranges::replace(name, '_', '-');
    if (EVP_get_digestbyname(name.c_str()) == nullptr) {
        return fail("blocks.hash",
                    fmt::format("no hash function {}", python_name),
                    "look at [DEFAULTS] hash_function");
    }
    return name;
}

Status use_block(const BlobReader& reader, const BlockRow& row, const UseBlock& use) {
    return use_one(reader, row, /*is_checked=*/true, use);
}

Status use_decoded_block(const BlobReader& reader, const BlockRow& row, const UseBlock& use) {
    return use_one(reader, row, /*is_checked=*/false, use);
}

// Takes as many rows together as the lanes allow, in the order of the rows.
std::vector<Status> use_blocks(const BlobReader& reader,
                               const std::vector<const BlockRow*>& rows,
                               const UseOneOf& use) {
    std::vector<Status> results(rows.size());
    std::size_t first = 0;
    while (first < rows.size()) {
        const std::size_t count = lanes_from(reader, rows, first);
        if (count > 1) {
            use_together(reader,
                         std::span(rows).subspan(first, count),
                         use,
                         std::span(results).subspan(first, count),
                         first);
        } else {
            results[first] = use_one(reader, *rows[first], /*is_checked=*/true, [&](auto plain) {
                return use(first, plain);
            });
        }
        first += count;
    }
    return results;
}

Result<std::string> read_block(const BlobReader& reader, const BlockRow& row) {
    std::string copy;
    DRYDOCK_TRY(use_block(reader, row, [&](std::string_view plain) {
        copy = plain;
        return Status{};
    }));
    return copy;
}

bool opens_envelope(const std::string& key, const std::string& envelope) {
    return !unwrap_key(from_hex(envelope, k_envelope_bytes), key).empty();
}

}  // namespace drydock::mover::blocks
