// Writes the export of a version as the backy2 of the schema's release does. A first line has the
// format, the next the version. Then comes one record for each block in the order of positions.
//
// The version must be whole, and its rows are counted again while they are written. So a backup
// that is removed meanwhile gives an error and no short file. Facts that the format cannot hold are
// listed in the report, so a person learns of them before the old store goes.
#include "mover/blocks/csv.h"
#include "mover/blocks/row_values.h"
#include "mover/blocks/transfer.h"
#include "os/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace drydock::mover::blocks {
namespace {

constexpr int k_page_rows = 1000;
constexpr std::size_t k_seconds = 19;  // "2026-01-31 23:59:59"
constexpr std::size_t k_days = 10;

// Returns the format that the columns of this schema can fill.
std::string format_of(const Schema& schema, bool has_expire) {
    return schema.has_enc_version ? "2.12" : has_expire ? "2.10" : "2.2";
}

std::vector<std::string> texts_of(const SqlRow& row) {
    std::vector<std::string> texts;
    for (const auto& field : row) {
        texts.push_back(text_of(field));
    }
    return texts;
}

class Export {
public:
    Export(Metadata& metadata, const VersionRow& version, int descriptor)
        : metadata_(metadata)
        , version_(version)
        , descriptor_(descriptor) {}

    ExportReport report;

    Status run() {
        DRYDOCK_TRY_ASSIGN(const Columns columns, metadata_.sql().columns());
        const bool has_expire = columns.at("versions").contains("expire");
        report.version = version_;
        report.format = format_of(metadata_.schema(), has_expire);
        pending_ = csv_line({fmt::format("backy2 Version {} metadata dump", report.format)});
        DRYDOCK_TRY(write_version(has_expire));
        DRYDOCK_TRY(write_rows());
        if (columns.contains("tags")) {
            DRYDOCK_TRY(note_tags());
        }
        return flush();
    }

private:
    // Times and dates are cut to the length that backy2 writes.
    Status write_version(bool has_expire) {
        DRYDOCK_TRY_ASSIGN(
            const SqlRows rows,
            metadata_.sql().query(
                fmt::format("SELECT uid, date, name, snapshot_name, size, size_bytes, valid, "
                            "protected{} FROM versions WHERE uid = $1",
                            has_expire ? ", expire" : ""),
                {version_.uid}));
        if (rows.empty()) {
            return fail("blocks.no_version", "the version went meanwhile", "look for it again");
        }
        std::vector<std::string> fields = texts_of(rows[0]);
        fields[1] = fields[1].substr(0, k_seconds);
        if (has_expire) {
            note_time_of_day(fields.back());
            fields.back() = fields.back().substr(0, k_days);
        }
        pending_ += csv_line(fields);
        return {};
    }

    // Notes a time of day that the format cuts off. Midnight loses nothing.
    void note_time_of_day(const std::string& expire) {
        const std::string time = expire.size() > k_days ? expire.substr(k_days + 1, 8) : "";
        if (!time.empty() && time != "00:00:00") {
            report.left_out.push_back("the time of day of its expiry, " + time);
        }
    }

    // Pages by position, so no query holds a lock for long.
    Status write_rows() {
        const std::string encryption_columns =
            metadata_.schema().has_enc_version ? ", enc_version, enc_envkey, enc_nonce" : "";
        const std::string is_placed = is_integer(metadata_.sql().dialect(), "id");
        std::int64_t last = -1;
        while (true) {
            DRYDOCK_TRY_ASSIGN(
                const SqlRows page,
                metadata_.sql().query(
                    fmt::format(
                        "SELECT uid, version_uid, id, date, checksum, size, valid{} FROM "
                        "blocks WHERE version_uid = $1 AND id > {} AND {} ORDER BY id LIMIT {}",
                        encryption_columns,
                        last,
                        is_placed,
                        k_page_rows),
                    {version_.uid}));
            if (page.empty()) {
                return check_count();
            }
            last = number_of(page.back()[2]);
            DRYDOCK_TRY(write_page(page));
        }
    }

    // Each page is written at once, so that memory does not grow with the version.
    Status write_page(const SqlRows& page) {
        for (const SqlRow& row : page) {
            std::vector<std::string> fields = texts_of(row);
            fields[3] = fields[3].substr(0, k_seconds);
            pending_ += csv_line(fields);
            ++report.rows;
        }
        return flush();
    }

    // Counts the written rows: a backup may have gone since the version was looked up.
    [[nodiscard]] Status check_count() const {
        if (report.rows == version_.blocks && version_.has_all_rows()) {
            return {};
        }
        return fail("blocks.incomplete",
                    fmt::format("the version has {} block rows, and {} elsewhere; it must have {}",
                                version_.rows,
                                version_.stray,
                                version_.blocks),
                    "`drydock store verify` names what is missing");
    }

    // The format has no place for tags.
    Status note_tags() {
        DRYDOCK_TRY_ASSIGN(
            const SqlRows tags,
            metadata_.sql().query("SELECT name FROM tags WHERE version_uid = $1 ORDER BY name",
                                  {version_.uid}));
        for (const SqlRow& tag : tags) {
            report.left_out.push_back("the tag " + text_of(tag[0]));
        }
        return {};
    }

    Status flush() {
        const std::string bytes = std::move(pending_);
        pending_.clear();
        return os::write_all(descriptor_, bytes);
    }

    Metadata& metadata_;
    const VersionRow& version_;
    int descriptor_;
    std::string pending_;
};

// Writes and syncs the file under its temporary name.
Result<ExportReport>
write_file(Metadata& metadata, const VersionRow& version, const std::string& partial) {
    DRYDOCK_TRY_ASSIGN(const os::Fd file, os::make_file(partial, O_WRONLY));
    Export work(metadata, version, file.get());
    DRYDOCK_TRY(work.run());
    if (fsync(file.get()) != 0) {
        return fail_errno("os.sync", "sync " + partial, errno);
    }
    return std::move(work.report);
}

// Renames atomically and never replaces a file that appeared meanwhile.
Status give_name(const std::string& partial, const std::string& path) {
    if (renameat2(AT_FDCWD, partial.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) != 0) {
        return errno == EEXIST ? fail("blocks.exists", path + " exists", "name another file")
                               : fail_errno("os.rename", "rename " + partial, errno);
    }
    return os::sync_folder(os::folder_of(path));
}

}  // namespace

// The file gets its name when it is whole and synced. After an error the partial file is removed.
Result<ExportReport>
export_version(Metadata& metadata, const std::string& uid, const std::string& path) {
    if (os::exists(path)) {
        return fail("blocks.exists", path + " exists", "name another file");
    }
    DRYDOCK_TRY_ASSIGN(const VersionRow version, metadata.find_version(uid));
    const std::string partial = path + ".partial";
    auto report = write_file(metadata, version, partial);
    const Status naming = report ? give_name(partial, path) : Status{};
    if (!report || !naming) {
        unlink(partial.c_str());
        return report ? tl::unexpected(naming.error()) : tl::unexpected(report.error());
    }
    return report;
}

}  // namespace drydock::mover::blocks
