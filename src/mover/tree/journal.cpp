// Tables of SQLite in WAL mode: a commit is one write that the kernel keeps when the process dies,
// and a checkpoint syncs what was committed.
#include "mover/tree/journal.h"

#include "os/files.h"

#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <iterator>
#include <sstream>
#include <utility>

namespace drydock::mover::tree {
namespace {

constexpr const char* k_schema =
    "CREATE TABLE IF NOT EXISTS notes(name TEXT PRIMARY KEY, text BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS first_names(device INTEGER, inode INTEGER, path BLOB NOT NULL,"
    " digest BLOB NOT NULL DEFAULT x'', PRIMARY KEY(device, inode)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS links(path BLOB PRIMARY KEY, device INTEGER NOT NULL,"
    " inode INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS flags(path BLOB PRIMARY KEY, flags INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS chunks(path BLOB NOT NULL, version TEXT NOT NULL,"
    " chunk INTEGER NOT NULL, digest BLOB NOT NULL, PRIMARY KEY(path, chunk)) WITHOUT ROWID;";

constexpr std::int64_t k_wait_ms = 0;  // another process that has the file is told at once

// Ends the process at the call that DRYDOCK_TREE_CRASH names, for tests: "barrier:2".
void crash_here([[maybe_unused]] const char* call, [[maybe_unused]] int count) {
#ifdef DRYDOCK_CRASH_SWITCHES
    // NOLINTNEXTLINE(concurrency-mt-unsafe): no thread changes the environment
    const char* crash_point = std::getenv("DRYDOCK_TREE_CRASH");
    if (crash_point != nullptr && fmt::format("{}:{}", call, count) == crash_point) {
        ::kill(::getpid(), SIGKILL);
    }
#endif
}

std::string text_of(const Time& time) {
    return fmt::format("{}.{:09}", time.seconds, time.nanoseconds);
}

std::set<std::string> words_of(const std::string& text) {
    std::istringstream stream(text);
    return {std::istream_iterator<std::string>(stream), {}};
}

std::string joined(const std::set<std::string>& words) {
    std::string text;
    for (const std::string& word : words) {
        text += text.empty() ? word : " " + word;
    }
    return text;
}

Time time_of(const std::string& text) {
    Time time;
    const auto dot = text.find('.');
    if (dot != text.npos) {
        std::from_chars(text.data(), text.data() + dot, time.seconds);
        std::from_chars(text.data() + dot + 1, text.data() + text.size(), time.nanoseconds);
    }
    return time;
}

}  // namespace

// A prepared statement with its values. Paths are bound as blobs: they may hold any byte.
class Journal::Statement {
public:
    Statement(sqlite3* database, const char* sql) : database_(database) {
        sqlite3_prepare_v2(database, sql, -1, &statement_, nullptr);
    }

    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;

    ~Statement() { sqlite3_finalize(statement_); }

    Statement& bytes(std::string_view value) {
        sqlite3_bind_blob(statement_,
                          ++bound_,
                          value.empty() ? "" : value.data(),
                          static_cast<int>(value.size()),
                          SQLITE_TRANSIENT);
        return *this;
    }

    Statement& number(std::uint64_t value) {
        sqlite3_bind_int64(statement_, ++bound_, static_cast<std::int64_t>(value));
        return *this;
    }

    // Returns true for a row, false at the end.
    Result<bool> step() {
        const int code =
            statement_ == nullptr ? sqlite3_errcode(database_) : sqlite3_step(statement_);
        if (code == SQLITE_ROW || code == SQLITE_DONE) {
            return code == SQLITE_ROW;
        }
        const bool is_busy = code == SQLITE_BUSY;
        return fail(is_busy ? "tree.journal_busy" : "tree.journal",
                    fmt::format("the journal of the copy: {}", sqlite3_errmsg(database_)),
                    is_busy ? "wait until the other copy has ended"
                            : "look at the file and at its disk");
    }

    // Runs a statement without rows.
    Status run() {
        DRYDOCK_TRY(step());
        return {};
    }

    [[nodiscard]] std::string bytes_at(int column) const {
        const void* bytes = sqlite3_column_blob(statement_, column);
        const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
        return bytes == nullptr ? std::string()
                                : std::string(static_cast<const char*>(bytes), size);
    }

    [[nodiscard]] std::int64_t number_at(int column) const {
        return sqlite3_column_int64(statement_, column);
    }

private:
    sqlite3* database_;
    sqlite3_stmt* statement_ = nullptr;
    int bound_ = 0;
};

Result<std::unique_ptr<Journal>> Journal::open(const std::string& path,
                                               const std::string& copy,
                                               const std::set<std::string>& boots) {
    sqlite3* database = nullptr;
    const bool is_new = ::access(path.c_str(), F_OK) != 0;
    const int code =
        sqlite3_open_v2(path.c_str(),
                        &database,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX,
                        nullptr);
    std::unique_ptr<Journal> journal(new Journal(database));
    journal->boots_ = boots;
    journal->folder_ = os::folder_of(path);
    if (code != SQLITE_OK) {
        return journal->broken();
    }
    sqlite3_busy_timeout(database, k_wait_ms);
    DRYDOCK_TRY(journal->set_syncing(!is_new));
    DRYDOCK_TRY(journal->prepare(copy));
    return journal;
}

Journal::~Journal() {
    sqlite3_close(database_);
}

// The first write takes the lock, and exclusive locking keeps it until the file is closed.
Status Journal::prepare(const std::string& copy) {
    DRYDOCK_TRY(run("PRAGMA locking_mode = EXCLUSIVE"));
    DRYDOCK_TRY(run("PRAGMA journal_mode = WAL"));
    DRYDOCK_TRY(run("BEGIN IMMEDIATE"));
    if (sqlite3_exec(database_, k_schema, nullptr, nullptr, nullptr) != SQLITE_OK) {
        return broken();
    }
    DRYDOCK_TRY_ASSIGN(const std::string known, note("copy"));
    DRYDOCK_TRY_ASSIGN(const std::string phase_text, note("phase"));
    if (!known.empty() && known != copy && phase_text != "done") {
        return fail("tree.journal",
                    fmt::format("this is the journal of another copy: {}", known),
                    "name another one: --journal FOLDER");
    }
    DRYDOCK_TRY(set_note("copy", copy));
    DRYDOCK_TRY(note_boots());
    return run("COMMIT");
}

// A host that joins later is noted with the others: what it copies is lost, too, if it goes down.
Status Journal::note_boots() {
    DRYDOCK_TRY_ASSIGN(const std::string text, note("boot"));
    std::set<std::string> known = words_of(text);
    was_rebooted_ = !std::includes(boots_.begin(), boots_.end(), known.begin(), known.end());
    known.insert(boots_.begin(), boots_.end());
    return set_note("boot", joined(known));
}

Status Journal::run(const char* sql) {
    Statement statement(database_, sql);
    return statement.run();
}

tl::unexpected<Error> Journal::broken() const {
    return fail("tree.journal",
                fmt::format("the journal of the copy: {}", sqlite3_errmsg(database_)),
                "look at the file and at its disk");
}

Result<std::string> Journal::note(const char* name) {
    Statement select(database_, "SELECT text FROM notes WHERE name = ?1");
    select.bytes(name);
    DRYDOCK_TRY_ASSIGN(const bool has_row, select.step());
    return has_row ? select.bytes_at(0) : std::string();
}

Status Journal::set_note(const char* name, std::string_view text) {
    Statement insert(database_, "INSERT OR REPLACE INTO notes(name, text) VALUES(?1, ?2)");
    return insert.bytes(name).bytes(text).run();
}

// What is in a new file counts for nothing before the first barrier: until then it is not synced.
Status Journal::set_syncing(bool syncs) {
    syncs_ = syncs;
    return run(syncs ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = OFF");
}

Status Journal::barrier() {
    static int count = 0;
    const std::lock_guard lock(mutex_);
    crash_here("barrier", ++count);
    if (!syncs_) {
        DRYDOCK_TRY(set_syncing(true));
        DRYDOCK_TRY(os::sync_folder(folder_));
    }
    return run("PRAGMA wal_checkpoint(FULL)");
}

Status Journal::end_syncing() {
    const std::lock_guard lock(mutex_);
    return set_syncing(false);
}

Result<Phase> Journal::phase() {
    const std::lock_guard lock(mutex_);
    DRYDOCK_TRY_ASSIGN(const std::string text, note("phase"));
    return text == "done" ? Phase::done : Phase::copying;
}

Status Journal::set_phase(Phase phase) {
    const std::lock_guard lock(mutex_);
    return set_note("phase", phase == Phase::copying ? "copying" : "done");
}

Result<std::int64_t> Journal::count_start() {
    const std::lock_guard lock(mutex_);
    DRYDOCK_TRY_ASSIGN(const std::string text, note("starts"));
    std::int64_t starts = 0;
    std::from_chars(text.data(), text.data() + text.size(), starts);
    DRYDOCK_TRY(set_note("starts", fmt::format("{}", starts + 1)));
    return starts + 1;
}

Result<std::string> Journal::staging() {
    const std::lock_guard lock(mutex_);
    return note("staging");
}

Status Journal::set_staging(const std::string& identity) {
    const std::lock_guard lock(mutex_);
    return set_note("staging", identity);
}

Result<bool> Journal::folds_names() {
    const std::lock_guard lock(mutex_);
    DRYDOCK_TRY_ASSIGN(const std::string text, note("folds_names"));
    return text == "yes";
}

Status Journal::set_folds_names(bool folds) {
    const std::lock_guard lock(mutex_);
    return set_note("folds_names", folds ? "yes" : "no");
}

Result<Time> Journal::durable_until() {
    const std::lock_guard lock(mutex_);
    DRYDOCK_TRY_ASSIGN(const std::string text, note("durable_until"));
    return time_of(text);
}

Status Journal::set_durable_until(const Time& time) {
    const std::lock_guard lock(mutex_);
    return set_note("durable_until", text_of(time));
}

Result<FirstName> Journal::first_name(const FileId& file, const std::string& path) {
    const std::lock_guard lock(mutex_);
    Statement insert(database_,
                     "INSERT OR IGNORE INTO first_names(device, inode, path) VALUES(?1, ?2, ?3)");
    DRYDOCK_TRY(insert.number(file.device).number(file.inode).bytes(path).run());
    Statement select(database_,
                     "SELECT path, digest FROM first_names WHERE device = ?1 AND inode = ?2");
    DRYDOCK_TRY(select.number(file.device).number(file.inode).step());
    return FirstName{select.bytes_at(0), select.bytes_at(1), file};
}

Status Journal::set_digest(const FileId& file, const std::string& digest) {
    const std::lock_guard lock(mutex_);
    Statement update(database_,
                     "UPDATE first_names SET digest = ?1 WHERE device = ?2 AND inode = ?3");
    return update.bytes(digest).number(file.device).number(file.inode).run();
}

Status Journal::add_link(const std::string& path, const FileId& file) {
    const std::lock_guard lock(mutex_);
    Statement insert(database_,
                     "INSERT OR REPLACE INTO links(path, device, inode) VALUES(?1, ?2, ?3)");
    return insert.bytes(path).number(file.device).number(file.inode).run();
}

Status Journal::settle_boot() {
    const std::lock_guard lock(mutex_);
    was_rebooted_ = false;
    return set_note("boot", joined(boots_));
}

Status Journal::forget_names() {
    const std::lock_guard lock(mutex_);
    DRYDOCK_TRY(run("DELETE FROM links"));
    DRYDOCK_TRY(run("DELETE FROM flags"));
    return run("DELETE FROM first_names");
}

Status Journal::each_link(const std::function<void(const std::string&, const FirstName&)>& take) {
    Statement select(
        database_,
        "SELECT links.path, first_names.path, digest, device, inode FROM links JOIN first_names"
        " USING(device, inode) ORDER BY links.path");
    while (true) {
        DRYDOCK_TRY_ASSIGN(const bool has_row, select.step());
        if (!has_row) {
            return {};
        }
        take(select.bytes_at(0),
             {select.bytes_at(1),
              select.bytes_at(2),
              {static_cast<std::uint64_t>(select.number_at(3)),
               static_cast<std::uint64_t>(select.number_at(4))}});
    }
}

Status Journal::add_flags(const std::string& path, std::uint32_t flags) {
    const std::lock_guard lock(mutex_);
    Statement insert(database_, "INSERT OR REPLACE INTO flags(path, flags) VALUES(?1, ?2)");
    return insert.bytes(path).number(flags).run();
}

Status Journal::each_flags(const std::function<void(const std::string&, std::uint32_t)>& take) {
    Statement select(database_, "SELECT path, flags FROM flags ORDER BY path DESC");
    while (true) {
        DRYDOCK_TRY_ASSIGN(const bool has_row, select.step());
        if (!has_row) {
            return {};
        }
        take(select.bytes_at(0), static_cast<std::uint32_t>(select.number_at(1)));
    }
}

Result<std::map<std::int64_t, std::string>> Journal::chunks(const std::string& path,
                                                            const std::string& version) {
    const std::lock_guard lock(mutex_);
    Statement select(database_,
                     "SELECT chunk, digest FROM chunks WHERE path = ?1 AND version = ?2");
    select.bytes(path).bytes(version);
    std::map<std::int64_t, std::string> digests;
    while (true) {
        DRYDOCK_TRY_ASSIGN(const bool has_row, select.step());
        if (!has_row) {
            return digests;
        }
        digests[select.number_at(0)] = select.bytes_at(1);
    }
}

Status Journal::add_chunk(const std::string& path,
                          const std::string& version,
                          std::int64_t chunk,
                          const std::string& digest) {
    static int count = 0;
    const std::lock_guard lock(mutex_);
    Statement insert(database_,
                     "INSERT OR REPLACE INTO chunks(path, version, chunk, digest)"
                     " VALUES(?1, ?2, ?3, ?4)");
    DRYDOCK_TRY(insert.bytes(path)
                    .bytes(version)
                    .number(static_cast<std::uint64_t>(chunk))
                    .bytes(digest)
                    .run());
    crash_here("chunk", ++count);
    return {};
}

Status Journal::remove_chunks(const std::string& path) {
    const std::lock_guard lock(mutex_);
    Statement remove(database_, "DELETE FROM chunks WHERE path = ?1");
    return remove.bytes(path).run();
}

}  // namespace drydock::mover::tree
