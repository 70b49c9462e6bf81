#include "journal/sqlite/schema.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

namespace drydock::journal {

namespace {

constexpr std::int64_t k_application = 0x44525944;  // "DRYD", SQLite's application_id
constexpr std::int64_t k_schema_version = 1;        // SQLite's user_version
constexpr std::chrono::seconds k_alone_wait{2};     // others open and close in milliseconds

// A record's place is run number * 2^32 + sequence: one integer key keeps rows small and makes the
// records of a run one range, in order.
constexpr const char* k_tables = R"(
CREATE TABLE runs(
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    created_ms INTEGER NOT NULL,
    plan_digest TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT '',
    epoch INTEGER NOT NULL DEFAULT 0,
    host TEXT NOT NULL DEFAULT '',
    pid INTEGER NOT NULL DEFAULT 0,
    since_ms INTEGER NOT NULL DEFAULT 0,
    records INTEGER NOT NULL DEFAULT 0,
    head BLOB NOT NULL) STRICT;
CREATE TABLE records(
    place INTEGER PRIMARY KEY,
    wall_ms INTEGER NOT NULL,
    hash BLOB NOT NULL,
    events BLOB NOT NULL) STRICT;
PRAGMA application_id = 1146247492;
PRAGMA user_version = 1;
)";

constexpr const char* k_settings = R"(
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA foreign_keys = ON;
PRAGMA trusted_schema = OFF;
PRAGMA cell_size_check = ON;
PRAGMA journal_size_limit = 4194304;
)";

Status create_file(const std::filesystem::path& path) {
    const int descriptor =
        ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (descriptor < 0 && errno != EEXIST) {
        auto failed = fail_errno("journal.open", "create " + path.string(), errno);
        failed.value().remedy = "check that the folder exists and is writable";
        return failed;
    }
    ::close(descriptor);
    return {};
}

// Looks without opening: closing any descriptor of the file would drop SQLite's own locks on it
// that this process holds through another connection.
Status check_file(const std::filesystem::path& path, OpenMode mode) {
    struct stat found{};
    if (::lstat(path.c_str(), &found) != 0) {
        if (mode == OpenMode::create) {
            return create_file(path);
        }
        return fail("journal.missing",
                    "there is no journal at " + path.string(),
                    "check the state folder; a journal is made by the first run");
    }
    if (S_ISLNK(found.st_mode)) {
        return fail("journal.symlink",
                    path.string() + " is a symbolic link",
                    "name the journal's real place");
    }
    if (!S_ISREG(found.st_mode)) {
        return fail("journal.foreign", path.string() + " is no regular file", "move it away");
    }
    if ((found.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return fail("journal.not_private",
                    "others may read or write " + path.string(),
                    "make sure nobody did, then: chmod 600 " + path.string());
    }
    return {};
}

Status check_version(Database& database) {
    DRYDOCK_TRY_ASSIGN(const auto application, database.integer("PRAGMA application_id"));
    DRYDOCK_TRY_ASSIGN(const auto version, database.integer("PRAGMA user_version"));
    if (application != k_application) {
        return fail("journal.foreign",
                    database.path().string() + " is a database, but no journal",
                    "choose another state folder, or move the file away");
    }
    if (version > k_schema_version) {
        return fail("journal.newer",
                    database.path().string() + " is of format " + std::to_string(version)
                        + "; this drydock reads up to " + std::to_string(k_schema_version),
                    "use the drydock that wrote it, or a later one");
    }
    return {};
}

// In one transaction: a process that dies here leaves an empty file, which the next one fills.
Status make_tables(Database& database) {
    DRYDOCK_TRY_ASSIGN(Transaction transaction,
                       Transaction::begin(database, Transaction::Kind::write));
    DRYDOCK_TRY_ASSIGN(const auto tables, database.integer("SELECT count(*) FROM sqlite_schema"));
    if (tables == 0) {
        DRYDOCK_TRY(database.execute(k_tables));
    }
    return transaction.commit();
}

// A new file that turns to a WAL wants to be alone, and SQLite does not wait for that by itself:
// whoever opens it at the same moment is told that it is busy.
Status set_up(Database& database) {
    const auto patience = std::chrono::steady_clock::now() + k_alone_wait;
    Status done = database.execute(k_settings);
    while (!done && done.error().code == "journal.busy"
           && std::chrono::steady_clock::now() < patience) {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        done = database.execute(k_settings);
    }
    return done;
}

}  // namespace

Result<Database> open_database(const std::filesystem::path& path, OpenMode mode) {
    DRYDOCK_TRY(check_file(path, mode));
    DRYDOCK_TRY_ASSIGN(Database database, Database::open(path));
    DRYDOCK_TRY_ASSIGN(const auto tables, database.integer("SELECT count(*) FROM sqlite_schema"));
    if (tables == 0) {
        DRYDOCK_TRY(make_tables(database));
    }
    DRYDOCK_TRY(check_version(database));
    DRYDOCK_TRY(set_up(database));
    return database;
}

}  // namespace drydock::journal
