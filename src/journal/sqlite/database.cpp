// A thin layer over SQLite: its errors as Results, and its handles as objects.
//
// The table of errors is the point of this file. A person can act on "disk full", "locked by
// another process" and "not a journal". SQLite's extended code and errno tell them apart. A failed
// sync is of class unknown_outcome: the write may be on disk or not.
//
// A database error does not throw, and a wrong bind is a bug that ends the program (CHECK).
#include "journal/sqlite/database.h"

#include "base/check.h"
#include "os/sqlite_files.h"

#include <sqlite3.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace drydock::journal {

namespace {

constexpr int k_busy_wait_ms = 2000;  // another process's commit takes milliseconds

// One failure: the codes of SQLite and of the system, and its place.
struct Failure {
    int extended;
    int system_error;
    std::string file;
    std::string folder;
    std::string message;

    [[nodiscard]] int primary() const { return extended & 0xff; }
};

// True if the disk, a quota or a file size limit is exhausted.
bool is_no_room(const Failure& failure) {
    const int error = failure.system_error;
    return failure.primary() == SQLITE_FULL
           || (failure.primary() == SQLITE_IOERR
               && (error == ENOSPC || error == EDQUOT || error == EFBIG));
}

// Returns errno of the file's last failed call. sqlite3_system_errno() does not know it for the
// WAL.
int last_error(sqlite3* handle) {
    for (const int pointer : {SQLITE_FCNTL_JOURNAL_POINTER, SQLITE_FCNTL_FILE_POINTER}) {
        sqlite3_file* file = nullptr;
        int error = 0;
        if (sqlite3_file_control(handle, "main", pointer, static_cast<void*>(&file)) == SQLITE_OK
            && file != nullptr && file->pMethods != nullptr) {
            file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &error);
        }
        if (error != 0) {
            return error;
        }
    }
    return sqlite3_system_errno(handle);
}

// A failed sync is a case of its own: the write may be on disk or not.
tl::unexpected<Error> io_error(const Failure& failure) {
    const std::string cause =
        failure.system_error == 0
            ? ""
            : std::string(" (") + std::generic_category().message(failure.system_error) + ")";
    if (failure.extended == SQLITE_IOERR_FSYNC || failure.extended == SQLITE_IOERR_DIR_FSYNC) {
        return fail("journal.io",
                    failure.file + "the disk did not confirm a write" + cause,
                    "check the disk, then resume: the journal is read again from the start",
                    ErrorClass::unknown_outcome);
    }
    return fail("journal.io",
                failure.file + failure.message + cause,
                "check the disk and the folder " + failure.folder);
}

tl::unexpected<Error> to_error(const Failure& failure) {
    if (is_no_room(failure)) {
        return fail("journal.full",
                    failure.file + "no room left to write",
                    "free some space in " + failure.folder
                        + ", then resume; nothing was half-written");
    }
    switch (failure.primary()) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return fail("journal.busy",
                    failure.file + "another process keeps it locked",
                    "try again; `fuser` on the file names that process",
                    ErrorClass::transient);
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return fail("journal.read_only",
                    failure.file + "it cannot be written",
                    "check the owner and mode of " + failure.folder
                        + " and that it is mounted writable");
    case SQLITE_ERROR:  // a table differs from ours
    case SQLITE_CORRUPT:
    case SQLITE_CONSTRAINT:
        return fail("journal.corrupt",
                    failure.file + "the database is damaged: " + failure.message,
                    "keep the file as evidence and restore it from a copy");
    case SQLITE_NOTADB:
        return fail("journal.foreign",
                    failure.file + "this file is no journal",
                    "choose another state folder, or move the file away");
    default:
        return io_error(failure);
    }
}

}  // namespace

void Database::Close::operator()(sqlite3* handle) const {
    sqlite3_close_v2(handle);
}

Database::Database(std::filesystem::path path, sqlite3* handle)
    : path_(std::move(path))
    , handle_(handle) {
}

// Checks the files first: SQLite would open a pipe or a device, and would obey the
// super-journal that a foreign rollback journal names.
Result<Database> Database::open(const std::filesystem::path& path) {
    const auto real = os::check_sqlite_files(path.string());
    if (!real) {
        return fail("journal.foreign", real.error().message, real.error().remedy);
    }
    sqlite3* handle = nullptr;
    const int code = sqlite3_open_v2(
        real->c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE, nullptr);
    Database database(path, handle);
    if (code != SQLITE_OK) {
        return database.error();
    }
    sqlite3_busy_timeout(handle, k_busy_wait_ms);
    return database;
}

Status Database::execute(const char* sql) {
    if (sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
        return error();
    }
    return {};
}

Result<std::int64_t> Database::integer(const char* sql) {
    DRYDOCK_TRY_ASSIGN(Statement statement, prepare(sql));
    DRYDOCK_TRY_ASSIGN(const bool row, statement.step());
    return row ? statement.integer(0) : 0;
}

Result<Statement> Database::prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(handle_.get(), sql, -1, &statement, nullptr) != SQLITE_OK) {
        return error();
    }
    return Statement(*this, statement);
}

bool Database::in_transaction() const {
    return sqlite3_get_autocommit(handle_.get()) == 0;
}

tl::unexpected<Error> Database::error() const {
    return to_error({sqlite3_extended_errcode(handle_.get()),
                     last_error(handle_.get()),
                     "journal " + path_.string() + ": ",
                     path_.parent_path().string(),
                     sqlite3_errmsg(handle_.get())});
}

void Statement::Finalize::operator()(sqlite3_stmt* handle) const {
    sqlite3_finalize(handle);
}

Statement::Statement(const Database& database, sqlite3_stmt* handle)
    : database_(&database)
    , handle_(handle) {
}

// A bind fails only on a wrong parameter number or a value over SQLite's limits: both are bugs of
// ours.
Statement& Statement::bind(int parameter, std::int64_t value) {
    CHECK(sqlite3_bind_int64(handle_.get(), parameter, value) == SQLITE_OK);
    return *this;
}

Statement& Statement::bind(int parameter, std::uint64_t value) {
    return bind(parameter, static_cast<std::int64_t>(value));
}

Statement& Statement::bind_text(int parameter, std::string_view value) {
    CHECK(sqlite3_bind_text64(
              handle_.get(), parameter, value.data(), value.size(), nullptr, SQLITE_UTF8)
          == SQLITE_OK);
    return *this;
}

Statement& Statement::bind_bytes(int parameter, std::string_view value) {
    CHECK(sqlite3_bind_blob64(handle_.get(), parameter, value.data(), value.size(), nullptr)
          == SQLITE_OK);
    return *this;
}

Result<bool> Statement::step() {
    const int code = sqlite3_step(handle_.get());
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        return database_->error();
    }
    return code == SQLITE_ROW;
}

Status Statement::run() {
    DRYDOCK_TRY(step());
    return {};
}

std::int64_t Statement::integer(int column) const {
    return sqlite3_column_int64(handle_.get(), column);
}

std::string_view Statement::bytes(int column) const {
    const void* const data = sqlite3_column_blob(handle_.get(), column);
    if (data == nullptr) {
        return {};
    }
    return {static_cast<const char*>(data),
            static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column))};
}

Result<Transaction> Transaction::begin(Database& database, Kind kind) {
    DRYDOCK_TRY(database.execute(kind == Kind::write ? "BEGIN IMMEDIATE" : "BEGIN"));
    return Transaction(database);
}

Transaction::Transaction(Transaction&& source) noexcept
    : database_(std::exchange(source.database_, nullptr)) {
}

Transaction::~Transaction() {
    // After some errors SQLite has rolled back by itself.
    if (database_ != nullptr && database_->in_transaction()) {
        static_cast<void>(database_->execute("ROLLBACK"));
    }
}

Status Transaction::commit() {
    return database_->execute("COMMIT");
}

}  // namespace drydock::journal
