// A copy of an SQLite database, page by page with SQLite's backup interface, and its proof.
//
// A copied file would miss the pages of a write-ahead log, so SQLite itself copies. The proof is
// independent of it: a digest over all rows through SQL, on both sides. Rows are hashed in chunks,
// so the digest of a chunk begins with the digest before it and memory stays small.
#include "mover/blocks/metadata_copy.h"

#include "base/hash.h"
#include "os/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace drydock::mover::blocks {
namespace {

constexpr int k_page_rows = 1000;

struct Close {
    void operator()(sqlite3* database) const { sqlite3_close(database); }
};

using Database = std::unique_ptr<sqlite3, Close>;

tl::unexpected<Error> refuse(const std::string& path, const std::string& reason) {
    return fail("blocks.copy", fmt::format("copy {}: {}", path, reason), "nothing was changed");
}

Result<Database> open_database(const std::string& path, int flags) {
    sqlite3* raw = nullptr;
    const int code = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
    Database database(raw);
    if (code != SQLITE_OK) {
        return refuse(path, raw == nullptr ? "out of memory" : sqlite3_errmsg(raw));
    }
    return database;
}

// Copies through connections of its own: the caller's connection is inside a transaction.
Status copy_pages(const std::string& path, const std::string& copy) {
    DRYDOCK_TRY_ASSIGN(const Database source, open_database(path, SQLITE_OPEN_READWRITE));
    DRYDOCK_TRY_ASSIGN(const Database target, open_database(copy, SQLITE_OPEN_READWRITE));
    sqlite3_backup* backup = sqlite3_backup_init(target.get(), "main", source.get(), "main");
    const int step_code = backup == nullptr ? SQLITE_ERROR : sqlite3_backup_step(backup, -1);
    const int finish_code = sqlite3_backup_finish(backup);
    if (step_code != SQLITE_DONE || finish_code != SQLITE_OK) {
        return refuse(copy, sqlite3_errmsg(target.get()));
    }
    return {};
}

Status sync_file(const std::string& path) {
    DRYDOCK_TRY_ASSIGN(const os::Fd file, os::open_plain(path, O_RDONLY));
    if (fsync(file.get()) != 0) {
        return refuse(path, "it cannot be synced");
    }
    return os::sync_folder(os::folder_of(path));
}

// Puts the length in front of a field, so that two rows cannot have the same bytes with other
// borders. NULL differs from an empty text.
std::string length_and_text(const std::optional<std::string>& field) {
    return field ? fmt::format("{}:{}", field->size(), *field) : "-";
}

// Hashes the rows in pages by rowid. Each page begins with the digest so far, so all pages count.
Result<std::string> digest_of_table(Sql& sql, const std::string& table, std::string digest) {
    std::int64_t last = INT64_MIN + 1;
    while (true) {
        DRYDOCK_TRY_ASSIGN(
            const SqlRows rows,
            sql.query(fmt::format("SELECT rowid, * FROM \"{}\" WHERE rowid > {} ORDER BY rowid "
                                  "LIMIT {}",
                                  table,
                                  last,
                                  k_page_rows)));
        if (rows.empty()) {
            return digest;
        }
        last = number_of(rows.back()[0]);
        std::string page = digest;
        for (const SqlRow& row : rows) {
            for (const auto& field : row) {
                page += length_and_text(field);
            }
        }
        digest = sha256_hex(page);
    }
}

// Lets SQLite check the structure of the copy, then compares the content of both databases.
Status check_copy(Sql& connection, const std::string& copy) {
    DRYDOCK_TRY_ASSIGN(const auto copied, connect_sqlite(copy, SqlAccess::read));
    DRYDOCK_TRY_ASSIGN(const SqlRows integrity, copied->query("PRAGMA integrity_check"));
    if (integrity.size() != 1 || text_of(integrity[0][0]) != "ok") {
        return refuse(copy, integrity.empty() ? "no answer" : text_of(integrity[0][0]));
    }
    DRYDOCK_TRY_ASSIGN(const std::string expected, digest_of_content(connection));
    DRYDOCK_TRY_ASSIGN(const std::string actual, digest_of_content(*copied));
    if (actual != expected) {
        return refuse(copy, "it differs from the metadata");
    }
    return {};
}

Status give_name(const std::string& partial, const std::string& copy) {
    if (renameat2(AT_FDCWD, partial.c_str(), AT_FDCWD, copy.c_str(), RENAME_NOREPLACE) != 0) {
        return fail_errno("blocks.copy", "rename " + copy, errno);
    }
    return os::sync_folder(os::folder_of(copy));
}

}  // namespace

Result<std::string> digest_of_content(Sql& sql) {
    DRYDOCK_TRY_ASSIGN(const SqlRows tables,
                       sql.query("SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE "
                                 "'sqlite_%' ORDER BY type, name"));
    std::string digest;
    for (const SqlRow& table : tables) {
        digest += length_and_text(table[1]);
        digest += length_and_text(table[2]);
        digest = sha256_hex(digest);
        if (text_of(table[0]) == "table" && is_known_table(text_of(table[1]))) {
            DRYDOCK_TRY_ASSIGN(digest, digest_of_table(sql, text_of(table[1]), digest));
        }
    }
    return digest;
}

Status copy_sqlite(Sql& connection, const std::string& path, const std::string& copy) {
    if (os::exists(copy)) {
        return fail("blocks.exists",
                    fmt::format("{} exists", copy),
                    "name another file for the copy of the metadata");
    }
    const std::string partial = copy + ".partial";  // no name of a copy until it is proved
    DRYDOCK_TRY_ASSIGN(os::Fd file, os::make_file(partial, O_RDWR));
    file.close();
    Status status = copy_pages(path, partial);
    status = status ? sync_file(partial) : status;
    status = status ? check_copy(connection, partial) : status;
    status = status ? give_name(partial, copy) : status;
    if (!status) {
        unlink(partial.c_str());
    }
    return status;
}

}  // namespace drydock::mover::blocks
