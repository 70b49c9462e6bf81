// Unpacks whole streams, so that a damaged or shortened archive is an error.
//
// libarchive does not compare gzip's checksum, and stops in silence before a stream that it does
// not know. A tar read in this way could lack its last files. Therefore the streams are unpacked
// before the tar is read, each to its end. zlib unpacks gzip and compares the checksum;
// libarchive's filters unpack the others. The size is limited while the bytes come, as a small file
// may unpack to a huge one.
#include "chain/unpack.h"

#include "chain/limits.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

namespace drydock::chain {

namespace {

constexpr std::size_t k_block = 64ULL << 10;
constexpr int k_gzip_window = 15 + 16;  // the largest window, with gzip's header

tl::unexpected<Error> too_large() {
    return damaged_archive(fmt::format("it unpacks to over {} bytes", k_texts_max));
}

class Gzip {
public:
    Gzip() { is_open_ = inflateInit2(&stream_, k_gzip_window) == Z_OK; }

    Gzip(const Gzip&) = delete;
    Gzip& operator=(const Gzip&) = delete;

    ~Gzip() { inflateEnd(&stream_); }

    // A file may have several streams, one behind the other. Each end resets zlib for the next one.
    Result<std::string> unpack(const std::string& bytes) {
        if (!is_open_) {
            return damaged_archive("no memory");
        }
        const auto* begin = reinterpret_cast<const Bytef*>(bytes.data());
        stream_.next_in = const_cast<Bytef*>(begin);  // zlib only reads it
        stream_.avail_in = static_cast<uInt>(bytes.size());
        while (true) {
            const int outcome = step();
            if (result_.size() > k_texts_max) {
                return too_large();
            }
            if (outcome == Z_STREAM_END && is_all_read()) {
                return std::move(result_);
            }
            if (outcome == Z_STREAM_END) {
                inflateReset(&stream_);  // another stream follows
            } else if (outcome != Z_OK) {
                return damaged_archive(stream_.msg == nullptr ? "it is cut off" : stream_.msg);
            }
        }
    }

private:
    // Unpacks one block; returns the code of zlib.
    int step() {
        std::array<Bytef, k_block> block{};
        stream_.next_out = block.data();
        stream_.avail_out = static_cast<uInt>(block.size());
        const int outcome = inflate(&stream_, Z_NO_FLUSH);
        const std::size_t size = block.size() - stream_.avail_out;
        result_.append(reinterpret_cast<const char*>(block.data()), size);
        return outcome;
    }

    // Zeros behind the last stream pad it to whole blocks of a tape.
    [[nodiscard]] bool is_all_read() const {
        const Bytef* begin = stream_.next_in;
        return std::all_of(begin, begin + stream_.avail_in, [](Bytef byte) { return byte == 0; });
    }

    z_stream stream_ = {};
    bool is_open_ = false;
    std::string result_;
};

struct CloseArchive {
    void operator()(archive* handle) const { archive_read_free(handle); }
};

using Handle = std::unique_ptr<archive, CloseArchive>;

tl::unexpected<Error> damaged(archive* handle) {
    const char* text = archive_error_string(handle);
    return damaged_archive(text == nullptr ? "no reason is given" : text);
}

// Unpacks bzip2 and xz by libarchive, whose filters compare the checksums.
Result<std::string> unpack_by_filter(const std::string& bytes) {
    const Handle handle(archive_read_new());
    if (!handle) {
        return damaged_archive("no memory");
    }
    archive_read_support_format_raw(handle.get());
    archive_read_support_filter_bzip2(handle.get());
    archive_read_support_filter_xz(handle.get());
    archive_entry* entry = nullptr;
    if (archive_read_open_memory(handle.get(), bytes.data(), bytes.size()) != ARCHIVE_OK
        || archive_read_next_header(handle.get(), &entry) != ARCHIVE_OK) {
        return damaged(handle.get());
    }
    std::string result;
    std::array<char, k_block> block{};
    while (true) {
        const la_ssize_t size = archive_read_data(handle.get(), block.data(), block.size());
        if (size < 0) {
            return damaged(handle.get());
        }
        if (size == 0) {
            return result;
        }
        result.append(block.data(), static_cast<std::size_t>(size));
        if (result.size() > k_texts_max) {
            return too_large();
        }
    }
}

}  // namespace

// An xz stream ends with "YZ", and perhaps zeros as padding. A file without this end is cut off.
Result<std::string> unpack(std::string bytes) {
    static constexpr std::string_view k_gzip = "\x1F\x8B";
    static constexpr std::string_view k_bzip2 = "BZh";
    static constexpr std::string_view k_xz("\xFD"
                                           "7zXZ\0",
                                           6);
    static constexpr std::string_view k_xz_end = "YZ";
    if (bytes.starts_with(k_gzip)) {
        return Gzip().unpack(bytes);
    }
    if (bytes.starts_with(k_xz)
        && !bytes.substr(0, bytes.find_last_not_of('\0') + 1).ends_with(k_xz_end)) {
        return damaged_archive("it is cut off");
    }
    return bytes.starts_with(k_bzip2) || bytes.starts_with(k_xz)
               ? unpack_by_filter(bytes)
               : Result<std::string>(std::move(bytes));
}

}  // namespace drydock::chain
