// Imports a version in two passes over the file: the first checks all of it, the second writes the
// rows.
//
// A file that was cut off must leave nothing in the store. So the first pass proves that the file
// is whole before the transaction begins. Each position has exactly one row, sizes add up to the
// version's size, and each blob exists. The file could change between the passes, so the rows are
// counted again before the commit.
//
// Formats differ in the number of fields. A missing field becomes empty, or 0.
#include "mover/blocks/csv.h"
#include "mover/blocks/import_values.h"
#include "mover/blocks/ranges.h"
#include "mover/blocks/transfer.h"
#include "os/stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>

namespace drydock::mover::blocks {
namespace {

using Fields = std::vector<std::string>;

constexpr std::int64_t k_blocks_max = std::int64_t{1} << 31;  // ids have 32 bits

struct Format {
    const char* name;
    std::size_t version_fields;
    std::size_t block_fields;
};

constexpr Format k_formats[] = {
    {"2.1", 6, 7},
    {"2.2", 8, 7},
    {"2.10", 9, 7},
    {"2.12", 9, 10},
};

Result<std::int64_t> number_in(const std::string& text, std::int64_t line) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number < 0) {
        return refuse_import(line, fmt::format("`{}` is no number", text.substr(0, 40)));
    }
    return number;
}

// A file in backy2's export format. open() reads the version's record; each_block() calls `take`
// with each block behind it.
class ExportFile {
public:
    explicit ExportFile(std::string path) : path_(std::move(path)), csv_(stream_) {}

    Format format{};
    Fields version;

    Status open() {
        DRYDOCK_TRY_ASSIGN(stream_, os::open_stream(path_));
        DRYDOCK_TRY_ASSIGN(const Fields head, record_of(1));
        const auto match = std::ranges::find_if(k_formats, [&](const Format& candidate) {
            return head[0] == fmt::format("backy2 Version {} metadata dump", candidate.name);
        });
        if (match == std::end(k_formats)) {
            return refuse_import(1, "this is no export of backy2 2.1 to 2.12");
        }
        format = *match;
        DRYDOCK_TRY_ASSIGN(version, record_of(format.version_fields));
        return check_version_values(version, csv_.line());
    }

    Status each_block(const std::function<Status(const Fields&, std::int64_t line)>& take) {
        while (true) {
            DRYDOCK_TRY_ASSIGN(const auto fields, csv_.next());
            if (!fields) {
                return {};
            }
            DRYDOCK_TRY(check_fields(*fields, format.block_fields));
            DRYDOCK_TRY(check_block_values(*fields, csv_.line()));
            DRYDOCK_TRY(take(*fields, csv_.line()));
        }
    }

private:
    Result<Fields> record_of(std::size_t count) {
        DRYDOCK_TRY_ASSIGN(const auto fields, csv_.next());
        if (!fields) {
            return fail("blocks.truncated", "the file ends too early", "export the version again");
        }
        DRYDOCK_TRY(check_fields(*fields, count));
        return *fields;
    }

    Status check_fields(const Fields& fields, std::size_t count) {
        return fields.size() == count
                   ? Status{}
                   : refuse_import(
                         csv_.line(),
                         fmt::format("it has {} fields, and needs {}", fields.size(), count));
    }

    std::string path_;
    std::ifstream stream_;
    CsvReader csv_;
};

// Builds a version from the second record. The name of the snapshot came with format 2.2 and shifts
// the later fields.
Result<VersionRow> read_version(const ExportFile& file) {
    const bool has_snapshot = file.format.version_fields > 6;
    const std::size_t size = has_snapshot ? 4 : 3;
    VersionRow version;
    version.uid = file.version[0];
    version.date = file.version[1];
    version.name = file.version[2];
    version.snapshot = has_snapshot ? file.version[3] : "";
    DRYDOCK_TRY_ASSIGN(version.blocks, number_in(file.version[size], 2));
    DRYDOCK_TRY_ASSIGN(version.bytes, number_in(file.version[size + 1], 2));
    DRYDOCK_TRY_ASSIGN(const std::int64_t valid, number_in(file.version[size + 2], 2));
    version.is_valid = valid != 0;
    if (has_snapshot) {
        DRYDOCK_TRY_ASSIGN(const std::int64_t is_protected, number_in(file.version[size + 3], 2));
        version.is_protected = is_protected != 0;
    }
    if (version.uid.empty() || version.blocks > k_blocks_max) {
        return refuse_import(2, "this is no version");
    }
    return version;
}

// The first pass: checks every block. Memory grows with the rows, not with the size.
class ImportCheck {
public:
    ImportCheck(const DataBackend& blobs, VersionRow version)
        : blobs_(blobs)
        , version_(std::move(version)) {}

    Status take(const Fields& fields, std::int64_t line) {
        DRYDOCK_TRY_ASSIGN(const std::int64_t id, number_in(fields[2], line));
        DRYDOCK_TRY_ASSIGN(const std::int64_t size, number_in(fields[5], line));
        if (fields[1] != version_.uid || id >= version_.blocks) {
            return refuse_import(line, "the block is of another version, or beyond its end");
        }
        if (!positions_.add(id)) {
            return refuse_import(line, fmt::format("position {} is there twice", id));
        }
        ++version_.rows;
        bytes_ += size;
        version_.block_bytes = std::max(version_.block_bytes, size);
        version_.sparse += fields[0].empty() ? 1 : 0;
        version_.encrypted += fields.size() > 7 && fields[7] == "1" ? 1 : 0;
        return check_blob(fields[0]);
    }

    // A version may be rejected here for its sizes alone: restore() would refuse it later.
    Result<VersionRow> finish() {
        if (version_.rows != version_.blocks) {
            return fail("blocks.truncated",
                        fmt::format("the file has {} block rows, and its version has {}",
                                    version_.rows,
                                    version_.blocks),
                        "export the version again; nothing was imported");
        }
        if (bytes_ != version_.bytes || !has_regular_size(version_)) {
            return refuse_import(2, "the sizes of the blocks do not add up to that of the version");
        }
        return version_;
    }

private:
    // Checks that a blob exists. Rows of one blob often follow each other, so the last one is
    // remembered.
    Status check_blob(const std::string& uid) {
        if (uid.empty() || uid == last_uid_) {
            return {};
        }
        last_uid_ = uid;
        DRYDOCK_TRY_ASSIGN(const auto bytes, blobs_.bytes_of(uid));
        return bytes ? Status{}
                     : fail("blocks.missing",
                            fmt::format("the store has no blob {}", uid),
                            "bring the blobs into the store first; nothing was imported");
    }

    const DataBackend& blobs_;
    VersionRow version_;
    PositionSet positions_;
    std::int64_t bytes_ = 0;
    std::string last_uid_;
};

// Converts an empty field to NULL in the database, and also the "\x" that an older backy2 wrote.
std::string null_or(std::size_t number, const std::string& type) {
    return fmt::format("CAST(nullif(nullif(${0}, ''), '\\x') AS {1})", number, type);
}

// Adds the microseconds that the database's own dates have.
std::string with_time(const std::string& date) {
    return date.empty() || date.find('.') != std::string::npos ? date : date + ".000000";
}

// The second pass: writes the rows inside a transaction.
class RowWriter {
public:
    RowWriter(Sql& sql, const Schema& schema, bool has_expire)
        : sql_(sql)
        , has_enc_(schema.has_enc_version)
        , has_expire_(has_expire) {}

    Status write_version(const ExportFile& file, const VersionRow& version) {
        const std::string expire = file.format.version_fields > 8 ? file.version[8] : "";
        if (!expire.empty() && !has_expire_) {
            return refuse_import(2, "it has an expiry, and this store has no place for one");
        }
        std::vector<std::string> values = {version.uid,
                                           with_time(version.date),
                                           version.name,
                                           version.snapshot,
                                           std::to_string(version.blocks),
                                           std::to_string(version.bytes),
                                           version.is_valid ? "1" : "0",
                                           version.is_protected ? "1" : "0"};
        if (!expire.empty()) {
            values.push_back(expire + " 00:00:00.000000");
        }
        return insert("versions (uid, date, name, snapshot_name, size, size_bytes, valid, protected"
                          + std::string(expire.empty() ? ")" : ", expire)"),
                      values,
                      8);
    }

    Status write_block(const Fields& fields, std::int64_t line) {
        const bool is_encrypted = fields.size() > 7 && fields[7] != "0";
        if (is_encrypted && !has_enc_) {
            return refuse_import(line, "it is encrypted; `drydock store upgrade` first");
        }
        std::vector<std::string> values(fields.begin(), fields.begin() + 7);
        values[3] = with_time(values[3]);
        std::string columns = "blocks (uid, version_uid, id, date, checksum, size, valid";
        if (has_enc_) {
            columns += ", enc_version, enc_envkey, enc_nonce";
            values.insert(values.end(), {is_encrypted ? fields[7] : "0", "", ""});
            if (fields.size() > 7) {
                std::copy(fields.begin() + 8, fields.end(), values.begin() + 8);
            }
        }
        return insert(columns + ")", values, 0);
    }

private:
    // Inserts one row. Parameters are texts; numbers and dates get their type from the column. A
    // field that may be NULL needs a cast, because the server cannot infer a type through nullif().
    Status
    insert(const std::string& into, const std::vector<std::string>& values, std::size_t exact) {
        std::string places;
        for (std::size_t i = 1; i <= values.size(); ++i) {
            const bool is_text = exact == 0 && (i == 1 || i == 5 || i > 8);
            places +=
                (i == 1 ? "" : ", ") + (is_text ? null_or(i, "varchar") : fmt::format("${}", i));
        }
        const auto result =
            sql_.query(fmt::format("INSERT INTO {} VALUES ({}) RETURNING 1", into, places), values);
        return result ? Status{} : tl::unexpected(result.error());
    }

    Sql& sql_;
    bool has_enc_;
    bool has_expire_;
};

// Runs inside the transaction. The count at its end covers a file that changed since the first
// pass.
Status write_all_rows(Store& store, const std::string& path, const VersionRow& version) {
    Sql& sql = store.metadata->sql();
    DRYDOCK_TRY_ASSIGN(const Columns columns, sql.columns());
    ExportFile file(path);
    DRYDOCK_TRY(file.open());
    RowWriter writer(sql, store.metadata->schema(), columns.at("versions").contains("expire"));
    DRYDOCK_TRY(writer.write_version(file, version));
    DRYDOCK_TRY(file.each_block(
        [&](const Fields& fields, std::int64_t line) { return writer.write_block(fields, line); }));
    DRYDOCK_TRY_ASSIGN(
        const SqlRows rows,
        sql.query("SELECT count(*) FROM blocks WHERE version_uid = $1", {version.uid}));
    return number_of(rows[0][0]) == version.blocks
               ? Status{}
               : fail("blocks.import",
                      "the database has other rows than the file",
                      "did the file change meanwhile? Nothing was imported");
}

}  // namespace

Result<ImportReport> import_version(Store& store, const std::string& path) {
    ExportFile file(path);
    DRYDOCK_TRY(file.open());
    DRYDOCK_TRY_ASSIGN(VersionRow version, read_version(file));
    DRYDOCK_TRY_ASSIGN(const bool exists, store.metadata->has_version(version.uid));
    if (exists) {
        return fail("blocks.version_exists",
                    fmt::format("the store has a version {} already", version.uid),
                    "nothing was imported");
    }
    ImportCheck check(*store.reader.blobs, std::move(version));
    DRYDOCK_TRY(file.each_block(
        [&](const Fields& fields, std::int64_t line) { return check.take(fields, line); }));
    DRYDOCK_TRY_ASSIGN(VersionRow checked, check.finish());
    DRYDOCK_TRY(in_transaction(store.metadata->sql(),
                               [&] { return write_all_rows(store, path, checked); }));
    return ImportReport{checked, file.format.name, checked.rows};
}

}  // namespace drydock::mover::blocks
