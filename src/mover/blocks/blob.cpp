#include "mover/blocks/blob.h"

#include "base/hash.h"

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
constexpr std::size_t k_key_bytes = 32;
constexpr std::size_t k_envelope_bytes = 40;
constexpr std::size_t k_tag_bytes = 16;
constexpr std::size_t k_nonce_bytes = 16;
constexpr std::size_t k_head_bytes = k_tag_bytes + k_nonce_bytes;
constexpr const char* k_other_copy =
    "the block is lost here: take it from another copy of the store";

using Cipher = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

const unsigned char* in(std::string_view bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

unsigned char* out(std::string& bytes) {
    return reinterpret_cast<unsigned char*>(bytes.data());
}

int digit(char c) {
    const std::string_view digits = "0123456789abcdef";
    const auto place = digits.find(c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c);
    return place == std::string_view::npos ? -1 : static_cast<int>(place);
}

// Empty if it is not hex of `size` bytes.
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

tl::unexpected<Error> size_error(std::uint64_t found, std::int64_t wanted) {
    return fail(
        "blocks.size", fmt::format("{} bytes, but the row says {}", found, wanted), k_other_copy);
}

// RFC 3394: a wrong key shows, as the unwrapped head must be A6A6... Empty if it does.
std::string unwrap_with(const std::string& key, const std::string& wrapped) {
    const Cipher cipher(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
    std::string data_key(k_envelope_bytes + 8, '\0');
    int size = 0;
    EVP_CIPHER_CTX_set_flags(cipher.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    if (key.size() != k_key_bytes || wrapped.size() != k_envelope_bytes
        || EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_wrap(), nullptr, in(key), nullptr) != 1
        || EVP_DecryptUpdate(
               cipher.get(), out(data_key), &size, in(wrapped), static_cast<int>(wrapped.size()))
               != 1
        || size != static_cast<int>(k_key_bytes)) {
        return {};
    }
    data_key.resize(k_key_bytes);
    return data_key;
}

Result<std::string> unwrap(const BlobReader& reader, const std::string& envelope) {
    if (reader.key.size() != k_key_bytes) {
        return fail(
            "blocks.key", "encrypted, and no key was given", "give backy2's encryption_key");
    }
    const std::string wrapped = from_hex(envelope, k_envelope_bytes);
    if (wrapped.empty()) {
        return fail("blocks.envelope", "enc_envkey of the row is not 80 hex digits", k_other_copy);
    }
    std::string data_key = unwrap_with(reader.key, wrapped);
    data_key = data_key.empty() ? unwrap_with(reader.other_key, wrapped) : data_key;
    if (data_key.empty()) {
        return fail("blocks.key",
                    "the key does not open the envelope of the row",
                    "give the encryption_key that was set when the backup was made");
    }
    return data_key;
}

// A thread reads one block after the other in the same memory.
struct Scratch {
    Buffer blob;
    Buffer plain;
};

Scratch& scratch() {
    thread_local Scratch scratch;
    return scratch;
}

// In the place of the ciphertext. Answers the zstd frame.
Result<std::string_view> decrypt(Buffer& blob, const std::string& key) {
    const Cipher cipher(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
    auto* bytes = reinterpret_cast<unsigned char*>(blob.data());
    unsigned char* sealed = bytes + k_head_bytes;
    const auto sealed_bytes = static_cast<int>(blob.size() - k_head_bytes);
    int size = 0;
    int rest = 0;
    EVP_CIPHER_CTX* raw = cipher.get();
    const bool right =
        EVP_DecryptInit_ex(raw, EVP_aes_256_gcm(), nullptr, nullptr, nullptr) == 1
        && EVP_CIPHER_CTX_ctrl(raw, EVP_CTRL_GCM_SET_IVLEN, int{k_nonce_bytes}, nullptr) == 1
        && EVP_DecryptInit_ex(raw, nullptr, nullptr, in(key), bytes + k_tag_bytes) == 1
        && EVP_DecryptUpdate(raw, sealed, &size, sealed, sealed_bytes) == 1
        && EVP_CIPHER_CTX_ctrl(raw, EVP_CTRL_GCM_SET_TAG, int{k_tag_bytes}, bytes) == 1
        && EVP_DecryptFinal_ex(raw, sealed + size, &rest) == 1;
    if (!right) {
        return fail("blocks.tag", "the GCM tag does not fit: the blob is damaged", k_other_copy);
    }
    return blob.view().substr(k_head_bytes,
                              static_cast<std::size_t>(size) + static_cast<std::size_t>(rest));
}

using Decompressor = std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)>;

// As backy2 reads: the first frame, which must say its size.
Result<std::string_view> unpack(std::string_view frame, std::int64_t wanted, Buffer& plain) {
    const auto says = ZSTD_getFrameContentSize(frame.data(), frame.size());
    if (says == ZSTD_CONTENTSIZE_ERROR || says == ZSTD_CONTENTSIZE_UNKNOWN) {
        return fail("blocks.frame", "no zstd frame that says its size", k_other_copy);
    }
    if (says != static_cast<std::uint64_t>(wanted)) {
        return size_error(says, wanted);
    }
    thread_local const Decompressor decompressor(ZSTD_createDCtx(), &ZSTD_freeDCtx);
    const auto length = ZSTD_findFrameCompressedSize(frame.data(), frame.size());
    plain.reset(says);
    const auto got =
        ZSTD_isError(length) != 0
            ? length
            : ZSTD_decompressDCtx(
                  decompressor.get(), plain.data(), plain.size(), frame.data(), length);
    if (ZSTD_isError(got) != 0 || got != says) {
        return fail("blocks.frame", "the zstd frame is damaged", k_other_copy);
    }
    return plain.view();
}

Result<std::string_view>
open_sealed(const BlobReader& reader, const BlockRow& row, Scratch& scratch) {
    if (scratch.blob.size() <= k_head_bytes) {
        return size_error(scratch.blob.size(), row.size);
    }
    DRYDOCK_TRY_ASSIGN(const std::string key, unwrap(reader, row.envelope));
    DRYDOCK_TRY_ASSIGN(const std::string_view frame, decrypt(scratch.blob, key));
    return unpack(frame, row.size, scratch.plain);
}

Status check(const BlobReader& reader, const BlockRow& row, std::string_view plain) {
    if (plain.size() != static_cast<std::uint64_t>(row.size)) {
        return size_error(plain.size(), row.size);
    }
    if (!row.checksum || row.checksum->empty()) {
        return fail("blocks.no_checksum", "the row has no checksum", "nothing proves this block");
    }
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    const EVP_MD* function = EVP_get_digestbyname(reader.hash_function.c_str());
    if (function == nullptr
        || EVP_Digest(plain.data(), plain.size(), digest.data(), &size, function, nullptr) != 1) {
        return fail("blocks.hash",
                    fmt::format("no hash function {}", reader.hash_function),
                    "give backy2's hash_function");
    }
    if (to_hex(std::span(digest).first(size)) != *row.checksum) {
        return fail("blocks.checksum",
                    fmt::format("the {} is not that of the row", reader.hash_function),
                    k_other_copy);
    }
    return {};
}

Result<std::string_view> decode(const BlobReader& reader, const BlockRow& row) {
    if (row.size < 0 || row.size > k_block_bytes_max) {
        return fail("blocks.size", fmt::format("the row says {} bytes", row.size), k_other_copy);
    }
    if (row.enc_version != 0 && row.enc_version != 1) {
        return fail("blocks.enc_version",
                    fmt::format("enc_version {} is unknown", row.enc_version),
                    "drydock reads 0 and 1");
    }
    // No blob can be longer, so a wrong file takes no memory.
    const auto plain_max = static_cast<std::size_t>(row.size);
    const auto bytes_max =
        row.enc_version == 0 ? plain_max : k_head_bytes + ZSTD_compressBound(plain_max);
    if (reader.reads_from_disk) {
        reader.blobs->forget_cached(row.uid);
    }
    DRYDOCK_TRY(reader.blobs->read(row.uid, bytes_max, scratch().blob));
    return row.enc_version == 1 ? open_sealed(reader, row, scratch())
                                : Result<std::string_view>(scratch().blob.view());
}

Result<std::string_view> read_checked(const BlobReader& reader, const BlockRow& row) {
    DRYDOCK_TRY_ASSIGN(const std::string_view bytes, decode(reader, row));
    DRYDOCK_TRY(check(reader, row, bytes));
    return bytes;
}

using Read = Result<std::string_view> (*)(const BlobReader&, const BlockRow&);

Status use_bytes(Read read, const BlobReader& reader, const BlockRow& row, const UseBlock& use) {
    DRYDOCK_TRY_ASSIGN(const std::string place, reader.blobs->place_of(row.uid));
    const auto bytes = read(reader, row);
    return bytes ? use(*bytes) : tl::unexpected(Error(bytes.error()).in("blob " + place));
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
    return use_bytes(&read_checked, reader, row, use);
}

Status use_decoded_block(const BlobReader& reader, const BlockRow& row, const UseBlock& use) {
    return use_bytes(&decode, reader, row, use);
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
    return !unwrap_with(key, from_hex(envelope, k_envelope_bytes)).empty();
}

}  // namespace drydock::mover::blocks
