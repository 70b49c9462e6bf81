// The tables of the journal, their formats, and how a file is opened.
//
// A file is opened in five steps. Look at it without opening it; open it through SQLite; refuse
// foreign databases and programs in them. Then make or upgrade the tables in one transaction, and
// set the pragmas. A process that dies at any point leaves a file that the next process can open.
//
// Format 2 adds the journal's id, leases and requests. A journal of format 1 is upgraded at its
// first opening. docs/formats/journal.md has the format.
#include "journal/sqlite/schema.h"

#include "journal/answers.h"
#include "journal/chain.h"
#include "journal/sqlite/run_rows.h"
#include "os/sqlite_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <thread>

namespace drydock::journal {

namespace {

constexpr std::int64_t k_application = 0x44525944;  // "DRYD", SQLite's application_id
constexpr std::int64_t k_schema_version = 2;        // SQLite's user_version
constexpr std::chrono::seconds k_alone_wait{2};     // others open and close in milliseconds

// A record's place is run number * 2^32 + sequence. One integer key keeps rows small and makes the
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
)";

// The additions of format 2. In format 1, only its word says that a run is over.
constexpr const char* k_tables_2 = R"(
ALTER TABLE runs ADD COLUMN is_over INTEGER NOT NULL DEFAULT 0;
UPDATE runs SET is_over = 1 WHERE state IN ('finished', 'returned', 'aborted');
CREATE TABLE journal(id TEXT NOT NULL) STRICT;
CREATE TABLE leases(epoch INTEGER PRIMARY KEY, nonce TEXT NOT NULL) STRICT;
CREATE TABLE requests(
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    run TEXT NOT NULL,
    kind TEXT NOT NULL,
    who TEXT NOT NULL,
    made_ms INTEGER NOT NULL,
    detail TEXT NOT NULL,
    answer TEXT NOT NULL DEFAULT '') STRICT;
CREATE INDEX open_requests ON requests(run) WHERE answer = '';
PRAGMA user_version = 2;
)";

// WAL lets others read during a write; FULL syncs each commit. The rest hardens SQLite against a
// file that was tampered with, and bounds the WAL.
constexpr const char* k_settings = R"(
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA foreign_keys = ON;
PRAGMA trusted_schema = OFF;
PRAGMA cell_size_check = ON;
PRAGMA journal_size_limit = 4194304;
)";

// Makes an empty file, which is a valid empty database. Another process may have made it first.
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

// Looks without opening. To close any descriptor of the file would drop the locks that SQLite
// holds on it through another connection of this process.
Status check_file(const std::filesystem::path& path, OpenMode mode) {
    struct stat facts{};
    if (::lstat(path.c_str(), &facts) != 0) {
        if (mode == OpenMode::create) {
            return create_file(path);
        }
        return fail("journal.missing",
                    "there is no journal at " + path.string(),
                    "check the state folder; a journal is made by the first run");
    }
    if (S_ISLNK(facts.st_mode)) {
        return fail("journal.symlink",
                    path.string() + " is a symbolic link",
                    "name the journal's real place");
    }
    if (!S_ISREG(facts.st_mode)) {
        return fail("journal.foreign", path.string() + " is no regular file", "move it away");
    }
    if ((facts.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return fail("journal.not_private",
                    "others may read or write " + path.string(),
                    "make sure nobody did, then: chmod 600 " + path.string());
    }
    return {};
}

// Refuses a database of another program, and a format that is newer than this program.
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

// Refuses views, triggers and virtual tables: they would run code of the file's last writer.
Status check_programs(Database& database) {
    DRYDOCK_TRY_ASSIGN(const auto programs, database.integer(os::k_count_sqlite_programs));
    return programs == 0
               ? Status()
               : fail("journal.foreign",
                      database.path().string() + " has views, triggers or virtual tables",
                      "drydock makes none: keep the file as evidence, and restore it from a copy");
}

// Returns the word of the event that ended a run; empty if the event ends none.
std::string_view ending_word(std::string_view event_type) {
    constexpr std::array k_words = {std::pair{"run.finished", "finished"},
                                    std::pair{"run.returned", "returned"},
                                    std::pair{"run.aborted", "aborted"}};
    const auto entry =
        std::ranges::find(k_words, event_type, &std::pair<const char*, const char*>::first);
    return entry == k_words.end() ? "" : entry->second;
}

// Repairs the words of runs that ended in format 1. There the last record and the word came in two
// commits. A conductor that died between them left an ended run with the word "running".
Status close_ended_runs(Database& database) {
    DRYDOCK_TRY_ASSIGN(const auto rows, list_rows(database));
    for (const Row& row : rows) {
        std::string word;
        const std::uint64_t skipped = row.info.head.records > 0 ? row.info.head.records - 1 : 0;
        DRYDOCK_TRY(walk_records(database, row, skipped, [&](const Record&, std::string_view text) {
            const auto events = parse_events(text);
            word = events && !events->empty() ? ending_word((*events).back()["type"].as_string())
                                              : std::string_view();
            return Status();
        }));
        if (row.info.state.is_over || word.empty()) {
            continue;
        }
        DRYDOCK_TRY_ASSIGN(
            Statement statement,
            database.prepare("UPDATE runs SET state = ?2, is_over = 1 WHERE number = ?1"));
        statement.bind(1, row.number).bind_text(2, word);
        DRYDOCK_TRY(statement.run());
    }
    return {};
}

// Draws the journal's id. Copies of the file keep it until renew_id().
Status insert_journal_id(Database& database) {
    DRYDOCK_TRY_ASSIGN(Statement statement, database.prepare("INSERT INTO journal(id) VALUES(?1)"));
    const std::string id = draw_journal_id();
    statement.bind_text(1, id);
    return statement.run();
}

// Works in one transaction: a process that dies here leaves the file as it was. The state is read
// again inside, since another process may have been faster.
Status make_tables(Database& database) {
    DRYDOCK_TRY_ASSIGN(Transaction transaction,
                       Transaction::begin(database, Transaction::Kind::write));
    DRYDOCK_TRY_ASSIGN(const auto tables, database.integer("SELECT count(*) FROM sqlite_schema"));
    if (tables == 0) {
        DRYDOCK_TRY(database.execute(k_tables));
    }
    DRYDOCK_TRY_ASSIGN(const auto version, database.integer("PRAGMA user_version"));
    if (version < k_schema_version) {
        DRYDOCK_TRY(database.execute(k_tables_2));
        DRYDOCK_TRY(insert_journal_id(database));
        DRYDOCK_TRY(close_ended_runs(database));
    }
    return transaction.commit();
}

// Retries while the journal is busy. The switch of a new file to WAL needs exclusive access, and
// SQLite does not wait for it. A process that opens the file at that moment gets SQLITE_BUSY.
Status set_up(Database& database) {
    const auto deadline = std::chrono::steady_clock::now() + k_alone_wait;
    Status status = database.execute(k_settings);
    while (!status && status.error().code == "journal.busy"
           && std::chrono::steady_clock::now() < deadline) {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        status = database.execute(k_settings);
    }
    return status;
}

}  // namespace

Result<Database> open_database(const std::filesystem::path& path, OpenMode mode) {
    DRYDOCK_TRY(check_file(path, mode));
    DRYDOCK_TRY_ASSIGN(Database database, Database::open(path));
    DRYDOCK_TRY(database.execute("PRAGMA trusted_schema = OFF"));
    DRYDOCK_TRY_ASSIGN(const auto tables, database.integer("SELECT count(*) FROM sqlite_schema"));
    if (tables > 0) {
        DRYDOCK_TRY(check_programs(database));
        DRYDOCK_TRY(check_version(database));
    }
    DRYDOCK_TRY_ASSIGN(const auto version, database.integer("PRAGMA user_version"));
    if (version < k_schema_version) {
        DRYDOCK_TRY(make_tables(database));
    }
    DRYDOCK_TRY(set_up(database));
    return database;
}

Result<std::string> journal_id(Database& database) {
    DRYDOCK_TRY_ASSIGN(Statement statement, database.prepare("SELECT id FROM journal"));
    DRYDOCK_TRY_ASSIGN(const bool is_there, statement.step());
    return is_there ? Result<std::string>(statement.text(0))
                    : fail("journal.corrupt",
                           database.path().string() + ": the journal has no id",
                           "keep the file as evidence and restore it from a copy");
}

Status store_journal_id(Database& database, const std::string& id) {
    DRYDOCK_TRY_ASSIGN(Statement statement, database.prepare("UPDATE journal SET id = ?1"));
    statement.bind_text(1, id);
    return statement.run();
}

}  // namespace drydock::journal
