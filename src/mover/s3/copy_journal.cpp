// Seven tables of SQLite, written in one transaction at a time.
//
// The first write begins the transaction; commit() ends it. The file is opened with an exclusive
// lock, which the kernel drops when the process dies.
#include "mover/s3/copy_journal.h"

#include "os/files.h"

#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

namespace drydock::mover::s3 {
namespace {

constexpr const char* k_schema =
    "CREATE TABLE IF NOT EXISTS clone(version INTEGER NOT NULL, name TEXT NOT NULL);"
    "CREATE TABLE IF NOT EXISTS ranges_left(after BLOB NOT NULL, until BLOB);"
    "CREATE TABLE IF NOT EXISTS pairs(key BLOB NOT NULL, source_etag TEXT NOT NULL,"
    " target_etag TEXT NOT NULL, PRIMARY KEY(key, source_etag)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS notes(name TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS upload_intents(key BLOB PRIMARY KEY, noted_ms INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS uploads(id TEXT PRIMARY KEY, key BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS upload_sources(id TEXT PRIMARY KEY, source TEXT NOT NULL)"
    " WITHOUT ROWID;";

// A prepared statement with its values. Texts are bound as blobs: keys may hold any byte.
class Statement {
public:
    Statement(sqlite3* database, const char* sql) : database_(database) {
        sqlite3_prepare_v2(database, sql, -1, &statement_, nullptr);
    }

    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;

    ~Statement() { sqlite3_finalize(statement_); }

    Statement& blob(int index, const std::string& value) {
        sqlite3_bind_blob(
            statement_, index, value.data(), static_cast<int>(value.size()), SQLITE_TRANSIENT);
        return *this;
    }

    Statement& text(int index, const std::string& value) {
        sqlite3_bind_text(
            statement_, index, value.data(), static_cast<int>(value.size()), SQLITE_TRANSIENT);
        return *this;
    }

    Statement& number(int index, std::int64_t value) {
        sqlite3_bind_int64(statement_, index, value);
        return *this;
    }

    // Returns true for a row, false at the end.
    Result<bool> step() {
        const int code =
            statement_ == nullptr ? sqlite3_errcode(database_) : sqlite3_step(statement_);
        if (code == SQLITE_ROW || code == SQLITE_DONE) {
            return code == SQLITE_ROW;
        }
        return fail(code == SQLITE_BUSY ? "s3.journal_busy" : "s3.journal",
                    fmt::format("the journal of the copy: {}", sqlite3_errmsg(database_)),
                    code == SQLITE_BUSY ? "wait until the other copy has ended"
                                        : "look at the file and at its disk");
    }

    [[nodiscard]] std::string column(int index) const {
        const void* bytes = sqlite3_column_blob(statement_, index);
        const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, index));
        return bytes == nullptr ? std::string()
                                : std::string(static_cast<const char*>(bytes), size);
    }

    [[nodiscard]] std::int64_t number_at(int index) const {
        return sqlite3_column_int64(statement_, index);
    }

    [[nodiscard]] bool is_null(int index) const {
        return sqlite3_column_type(statement_, index) == SQLITE_NULL;
    }

private:
    sqlite3* database_;
    sqlite3_stmt* statement_ = nullptr;
};

// Ends the process at the commit that DRYDOCK_COPY_CRASH names, for tests: "3:before", "3:after".
void crash_here([[maybe_unused]] int commits, [[maybe_unused]] const char* moment) {
#ifdef DRYDOCK_CRASH_SWITCHES
    // NOLINTNEXTLINE(concurrency-mt-unsafe): no thread changes the environment
    const char* crash_point = std::getenv("DRYDOCK_COPY_CRASH");
    if (crash_point != nullptr && fmt::format("{}:{}", commits, moment) == crash_point) {
        ::kill(::getpid(), SIGKILL);
    }
#endif
}

}  // namespace

struct CopyJournal::Database {
    sqlite3* handle = nullptr;
    bool is_writing = false;
    int commits = 0;

    Database() = default;
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    ~Database() { sqlite3_close(handle); }

    [[nodiscard]] Status run(const char* sql) const {
        Statement statement(handle, sql);
        const auto stepped = statement.step();
        return stepped ? Status() : tl::unexpected(stepped.error());
    }

    [[nodiscard]] Status begin() {
        if (is_writing) {
            return {};
        }
        is_writing = true;
        return run("BEGIN IMMEDIATE");
    }

    [[nodiscard]] Status write(Statement& statement) {
        const auto stepped = statement.step();
        return stepped ? Status() : tl::unexpected(stepped.error());
    }
};

CopyJournal::CopyJournal(std::unique_ptr<Database> database) : database_(std::move(database)) {
}

CopyJournal::CopyJournal(CopyJournal&&) noexcept = default;
CopyJournal& CopyJournal::operator=(CopyJournal&&) noexcept = default;
CopyJournal::~CopyJournal() = default;

namespace {

// Binds a new file to its clone, and refuses the file of another one.
Status check_clone(sqlite3* handle, const std::string& clone) {
    Statement select(handle, "SELECT name FROM clone WHERE version = 1");
    DRYDOCK_TRY_ASSIGN(const bool has_row, select.step());
    if (!has_row) {
        Statement insert(handle,
                         "INSERT INTO clone SELECT 1, ?1 WHERE NOT EXISTS "
                         "(SELECT 1 FROM clone)");
        insert.text(1, clone);
        DRYDOCK_TRY(insert.step());
        if (sqlite3_changes(handle) == 1) {
            return {};
        }
    }
    if (!has_row || select.column(0) != clone) {
        return fail("s3.journal",
                    fmt::format("the journal is that of another copy: {}",
                                has_row ? select.column(0) : "of a later version"),
                    "name another file with --journal");
    }
    return {};
}

}  // namespace

Result<CopyJournal> CopyJournal::open(const std::string& path, const std::string& clone) {
    DRYDOCK_TRY(os::ensure_private_folder(os::folder_of(path)));
    auto database = std::make_unique<Database>();
    if (sqlite3_open_v2(path.c_str(),
                        &database->handle,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW,
                        nullptr)
        != SQLITE_OK) {
        return fail("s3.journal",
                    fmt::format("{}: {}", path, sqlite3_errmsg(database->handle)),
                    "look at the path of the journal");
    }
    for (const char* pragma : {"PRAGMA locking_mode = EXCLUSIVE", "PRAGMA synchronous = FULL"}) {
        DRYDOCK_TRY(database->run(pragma));
    }
    char* problem = nullptr;
    const int code = sqlite3_exec(database->handle,
                                  fmt::format("BEGIN EXCLUSIVE;{}COMMIT;", k_schema).c_str(),
                                  nullptr,
                                  nullptr,
                                  &problem);
    const std::string text = problem == nullptr ? "" : problem;
    sqlite3_free(problem);
    if (code != SQLITE_OK) {
        return fail(code == SQLITE_BUSY ? "s3.journal_busy" : "s3.journal",
                    fmt::format("{}: {}", path, text),
                    code == SQLITE_BUSY ? "wait until the other copy has ended"
                                        : "name another file with --journal");
    }
    DRYDOCK_TRY(check_clone(database->handle, clone));
    return CopyJournal(std::move(database));
}

Result<std::vector<KeyRange>> CopyJournal::left() const {
    std::vector<KeyRange> ranges;
    Statement select(database_->handle, "SELECT after, until FROM ranges_left ORDER BY after");
    while (true) {
        DRYDOCK_TRY_ASSIGN(const bool has_row, select.step());
        if (!has_row) {
            return ranges;
        }
        ranges.push_back(
            {select.column(0),
             select.is_null(1) ? std::nullopt : std::optional<std::string>(select.column(1))});
    }
}

Status CopyJournal::save_left(const std::vector<KeyRange>& ranges) {
    DRYDOCK_TRY(database_->begin());
    DRYDOCK_TRY(database_->run("DELETE FROM ranges_left"));
    for (const KeyRange& range : ranges) {
        Statement insert(database_->handle, "INSERT INTO ranges_left VALUES(?1, ?2)");
        insert.blob(1, range.after);
        if (range.until) {
            insert.blob(2, *range.until);
        }
        DRYDOCK_TRY(database_->write(insert));
    }
    return {};
}

Result<std::optional<std::string>> CopyJournal::pair(const std::string& key,
                                                     const std::string& source_etag) const {
    Statement select(database_->handle,
                     "SELECT target_etag FROM pairs WHERE key = ?1 AND source_etag = ?2");
    select.blob(1, key).text(2, source_etag);
    DRYDOCK_TRY_ASSIGN(const bool has_row, select.step());
    return has_row ? std::optional<std::string>(select.column(0)) : std::nullopt;
}

Status CopyJournal::note_pair(const std::string& key,
                              const std::string& source_etag,
                              const std::string& target_etag) {
    DRYDOCK_TRY(database_->begin());
    Statement insert(database_->handle, "INSERT OR REPLACE INTO pairs VALUES(?1, ?2, ?3)");
    insert.blob(1, key).text(2, source_etag).text(3, target_etag);
    return database_->write(insert);
}

Result<std::string> CopyJournal::note(const std::string& name) const {
    Statement select(database_->handle, "SELECT text FROM notes WHERE name = ?1");
    select.text(1, name);
    DRYDOCK_TRY_ASSIGN(const bool has_row, select.step());
    return has_row ? select.column(0) : std::string();
}

Status CopyJournal::set_note(const std::string& name, const std::string& text) {
    DRYDOCK_TRY(database_->begin());
    Statement insert(database_->handle, "INSERT OR REPLACE INTO notes VALUES(?1, ?2)");
    insert.text(1, name).text(2, text);
    return database_->write(insert);
}

Status CopyJournal::add_intent(const UploadIntent& intent) {
    DRYDOCK_TRY(database_->begin());
    Statement insert(database_->handle, "INSERT OR IGNORE INTO upload_intents VALUES(?1, ?2)");
    insert.blob(1, intent.key).number(2, intent.noted_ms);
    return database_->write(insert);
}

Status CopyJournal::remove_intent(const std::string& key) {
    DRYDOCK_TRY(database_->begin());
    Statement remove(database_->handle, "DELETE FROM upload_intents WHERE key = ?1");
    remove.blob(1, key);
    return database_->write(remove);
}

Result<std::vector<UploadIntent>> CopyJournal::intents() const {
    std::vector<UploadIntent> result;
    Statement select(database_->handle, "SELECT key, noted_ms FROM upload_intents ORDER BY key");
    while (true) {
        DRYDOCK_TRY_ASSIGN(const bool has_row, select.step());
        if (!has_row) {
            return result;
        }
        result.push_back({select.column(0), select.number_at(1)});
    }
}

Status CopyJournal::add_upload(const OpenUpload& upload) {
    DRYDOCK_TRY(database_->begin());
    Statement insert(database_->handle, "INSERT OR REPLACE INTO uploads VALUES(?1, ?2)");
    insert.text(1, upload.id).blob(2, upload.key);
    DRYDOCK_TRY(database_->write(insert));
    Statement source(database_->handle, "INSERT OR REPLACE INTO upload_sources VALUES(?1, ?2)");
    source.text(1, upload.id).text(2, upload.source);
    return database_->write(source);
}

Status CopyJournal::remove_upload(const std::string& id) {
    DRYDOCK_TRY(database_->begin());
    for (const char* sql :
         {"DELETE FROM uploads WHERE id = ?1", "DELETE FROM upload_sources WHERE id = ?1"}) {
        Statement remove(database_->handle, sql);
        remove.text(1, id);
        DRYDOCK_TRY(database_->write(remove));
    }
    return {};
}

Result<std::vector<OpenUpload>> CopyJournal::uploads() const {
    std::vector<OpenUpload> result;
    Statement select(database_->handle,
                     "SELECT key, uploads.id, ifnull(source, '') FROM uploads"
                     " LEFT JOIN upload_sources USING(id) ORDER BY uploads.id");
    while (true) {
        DRYDOCK_TRY_ASSIGN(const bool has_row, select.step());
        if (!has_row) {
            return result;
        }
        result.push_back({select.column(0), select.column(1), select.column(2)});
    }
}

Status CopyJournal::commit() {
    if (!database_->is_writing) {
        return {};
    }
    ++database_->commits;
    crash_here(database_->commits, "before");
    database_->is_writing = false;
    DRYDOCK_TRY(database_->run("COMMIT"));
    crash_here(database_->commits, "after");
    return {};
}

}  // namespace drydock::mover::s3
