// The cases of SQLite alone: hand-edited tables, full and read-only disks, foreign files.
#include "journal/sqlite/database.h"
#include "journal/sqlite/sqlite_journal.h"
#include "journal/test_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/fsuid.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <fstream>
#include <future>

namespace drydock::journal {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

Json event(std::int64_t action) {
    return Json::Object{{"type", "action.intended"}, {"action", action}};
}

class SqliteJournalTest : public testing::Test {
public:
    fs::path folder;
    fs::path path;

    SqliteJournalTest() {
        std::string name = (fs::temp_directory_path() / "drydock-journal-XXXXXX").string();
        folder = ::mkdtemp(name.data());
        path = folder / "journal.db";
    }

    ~SqliteJournalTest() override { fs::remove_all(folder); }

    [[nodiscard]] std::unique_ptr<Journal> open() const { return open_sqlite(path).value(); }

    // A journal with one run of one record.
    struct Written {
        std::unique_ptr<Journal> journal;
        TestWriter writer;
    };

    [[nodiscard]] Written open_to_write() const {
        auto journal = open();
        TestWriter writer(*journal);
        EXPECT_TRUE(writer.begin({"roll", 1, "digest"}, {"here", ::getpid(), 1}));
        return {std::move(journal), writer};
    }

    // A run of five records, closed.
    void write_five() const {
        auto written = open_to_write();
        for (int i = 2; i <= 5; ++i) {
            ASSERT_TRUE(written.writer.append("roll", i, {event(i)}));
        }
    }

    void edit(const std::string& sql) const {
        auto database = Database::open(path);
        ASSERT_TRUE(database);
        const Status done = database->execute(sql.c_str());
        ASSERT_TRUE(done) << done.error().text();
    }
};

// Any edit by hand is found by read and by verify, and the record is named.
struct Edit {
    std::string name;
    std::string sql;  // $ stands for the run's base place
    std::string named;
};

void PrintTo(const Edit& edit, std::ostream* out) {  // NOLINT: GoogleTest looks for this name
    *out << edit.name;
}

class EditedJournal : public SqliteJournalTest, public testing::WithParamInterface<Edit> {};

TEST_P(EditedJournal, IsFound) {
    write_five();
    edit(GetParam().sql);
    const auto journal = open();
    const auto read = journal->read("roll");
    const auto verified = journal->verify("roll");
    ASSERT_FALSE(read);
    ASSERT_FALSE(verified);
    EXPECT_EQ(read.error().code, "journal.chain");
    EXPECT_EQ(read.error(), verified.error());
    EXPECT_THAT(read.error().message, HasSubstr(GetParam().named));
    EXPECT_NE(read.error().remedy, "");
}

std::string place(int sequence) {
    return std::to_string((std::int64_t{1} << 32) + sequence);
}

std::string swap(const std::string& column) {
    return "UPDATE records SET " + column + " = (SELECT other." + column
           + " FROM records other WHERE other.place = 2 * " + place(2)
           + " + 1 - records.place) WHERE place IN (" + place(2) + "," + place(3) + ")";
}

INSTANTIATE_TEST_SUITE_P(
    ByHand,
    EditedJournal,
    testing::Values(
        Edit{"payload",
             "UPDATE records SET events = CAST(replace(events, '3', '4') AS BLOB)",
             "record 3"},
        Edit{"garbage", "UPDATE records SET events = x'00' WHERE place = " + place(2), "record 2"},
        Edit{"time", "UPDATE records SET wall_ms = 9 WHERE place = " + place(4), "record 4"},
        Edit{
            "hash", "UPDATE records SET hash = zeroblob(32) WHERE place = " + place(5), "record 5"},
        Edit{"short_hash", "UPDATE records SET hash = x'01' WHERE place = " + place(1), "record 1"},
        Edit{"dropped_first", "DELETE FROM records WHERE place = " + place(1), "record 1"},
        Edit{"dropped_middle", "DELETE FROM records WHERE place = " + place(3), "record 3"},
        Edit{"dropped_last", "DELETE FROM records WHERE place = " + place(5), "record 5"},
        Edit{"dropped_all", "DELETE FROM records", "record 1"},
        Edit{"swapped_events", swap("events"), "record 2"},
        Edit{"moved_on",
             "UPDATE records SET place = place + 1 WHERE place = " + place(5),
             "record 5"},
        Edit{"cut_with_count",
             "DELETE FROM records WHERE place = " + place(5) + "; UPDATE runs SET records = 4",
             "record 4"},
        Edit{"count_lowered", "UPDATE runs SET records = 4", "record 5"},
        Edit{"count_raised", "UPDATE runs SET records = 6", "record 6"},
        Edit{"head", "UPDATE runs SET head = zeroblob(32)", "record 5"},
        Edit{"plan", "UPDATE runs SET plan_digest = 'other'", "record 1"},
        Edit{"created", "UPDATE runs SET created_ms = 2", "record 1"}),
    [](const auto& test) { return test.param.name; });

// A journal of unknown origin must bring no programs along.
TEST_F(SqliteJournalTest, ViewsAndTriggersAreRefused) {
    for (const char* made : {"CREATE VIEW more AS SELECT * FROM runs",
                             "CREATE TRIGGER more AFTER INSERT ON records BEGIN SELECT 1; END"}) {
        write_five();
        edit(made);
        const auto opened = open_sqlite(path);
        ASSERT_FALSE(opened) << made;
        EXPECT_EQ(opened.error().code, "journal.foreign");
        std::filesystem::remove(path);
    }
}

// Every byte of a compressed record counts: changing one is found, or changes nothing that is read
// (zstd leaves a few bits without meaning).
TEST_F(SqliteJournalTest, AChangedByteNeverChangesWhatIsRead) {
    std::vector<Json> events;
    events.reserve(50);
    for (int i = 0; i < 50; ++i) {
        events.push_back(event(i));
    }
    ASSERT_TRUE(open_to_write().writer.append("roll", 1, events));
    auto database = Database::open(path).value();
    const auto size =
        database.integer("SELECT length(events) FROM records ORDER BY place DESC").value();
    ASSERT_LT(size, 300) << "not compressed: this test would say little";
    edit("CREATE TABLE original AS SELECT events FROM records WHERE place = " + place(2));
    for (std::int64_t at = 1; at <= size; ++at) {
        Statement select = database.prepare("SELECT events FROM original").value();
        ASSERT_TRUE(select.step().value());
        std::string bytes = select.text(0);
        bytes[static_cast<std::size_t>(at - 1)] ^= 0x10;
        Statement update =
            database.prepare(("UPDATE records SET events = ?1 WHERE place = " + place(2)).c_str())
                .value();
        ASSERT_TRUE(update.bind_bytes(1, bytes).run());
        const auto read = open()->read("roll");
        EXPECT_TRUE(!read || read->back().events == events) << "byte " << at;
    }
}

TEST_F(SqliteJournalTest, ADamagedPageIsAnErrorNotACrash) {
    write_five();
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096);
    file << std::string(8192, '\x5a');
    file.close();
    const auto journal = open_sqlite(path);
    const auto read = journal ? (*journal)->read("roll") : tl::unexpected(journal.error());
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, "journal.corrupt") << read.error().text();
}

// Nothing is half-written when the disk is full, and the journal works again when there is room.
TEST_F(SqliteJournalTest, SurvivesAFullDisk) {
    auto [journal, writer] = open_to_write();
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    const rlimit small{262'144, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    std::uint64_t written = 1;
    Result<Head> last;
    for (int i = 1; i < 1000; ++i) {
        last = writer.append("roll", i, {event(i)});
        if (!last) {
            break;
        }
        ++written;
    }
    const auto again = writer.append("roll", 0, {event(0)});
    const auto readable = journal->verify("roll");
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    ASSERT_FALSE(last) << "the limit was never met";
    EXPECT_EQ(last.error().code, "journal.full") << last.error().text();
    EXPECT_THAT(last.error().remedy, HasSubstr(folder.string()));
    EXPECT_FALSE(again);
    EXPECT_EQ(readable->records, written);
    EXPECT_TRUE(writer.append("roll", 0, {event(0)}));
    EXPECT_EQ(open()->verify("roll")->records, written + 1);
}

TEST_F(SqliteJournalTest, SaysSoWhenItMayNotWrite) {
    write_five();
    const bool is_root = ::geteuid() == 0;
    ASSERT_EQ(::chmod(folder.c_str(), is_root ? 0755 : 0500), 0);
    ASSERT_EQ(::chmod(path.c_str(), is_root ? 0600 : 0400), 0);
    if (is_root) {
        ::setfsuid(65534);  // this thread accesses files as the user `nobody`
    }
    const auto refused = open_sqlite(path);
    if (is_root) {
        ::setfsuid(0);
    }
    ::chmod(folder.c_str(), 0700);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr(path.string()));
    EXPECT_THAT(refused.error().remedy, HasSubstr(folder.string()));
}

// A conductor whose lease file was removed under it must not write beside its successor.
TEST_F(SqliteJournalTest, ADisplacedConductorCannotAppend) {
    auto first = open_to_write();
    fs::remove(path.string() + ".lease");
    const auto second = open();
    ASSERT_EQ(second->take_lease("roll", {"there", 99, 0})->epoch, 2);
    const auto refused = first.writer.append("roll", 1, {event(1)});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "journal.lease.lost");
    EXPECT_THAT(refused.error().message, HasSubstr("process 99 on there"));
}

TEST_F(SqliteJournalTest, FilesAreThePersonsAlone) {
    const auto written = open_to_write();
    for (const auto& entry : fs::directory_iterator(folder)) {
        EXPECT_EQ(entry.status().permissions(), fs::perms::owner_read | fs::perms::owner_write)
            << entry.path();
    }
}

TEST_F(SqliteJournalTest, RefusesFilesThatOthersMayRead) {
    write_five();
    ::chmod(path.c_str(), 0644);
    EXPECT_EQ(open_sqlite(path).error().code, "journal.not_private");
}

TEST_F(SqliteJournalTest, RefusesASymbolicLink) {
    write_five();
    fs::rename(path, folder / "real.db");
    fs::create_symlink("real.db", path);
    EXPECT_EQ(open_sqlite(path).error().code, "journal.symlink");
}

TEST_F(SqliteJournalTest, RefusesAMissingJournalUnlessToldToMakeIt) {
    EXPECT_EQ(open_sqlite(path, OpenMode::existing).error().code, "journal.missing");
    EXPECT_FALSE(fs::exists(path));
    EXPECT_EQ(open_sqlite(folder / "no" / "such.db").error().code, "journal.open");
}

TEST_F(SqliteJournalTest, RefusesWhatIsNoJournal) {
    std::ofstream(path) << std::string(5000, 'x');
    ::chmod(path.c_str(), 0600);
    EXPECT_EQ(open_sqlite(path).error().code, "journal.foreign");
    std::ofstream(path, std::ios::trunc).close();
    edit("CREATE TABLE other(x)");
    EXPECT_EQ(open_sqlite(path).error().code, "journal.foreign");
}

TEST_F(SqliteJournalTest, RefusesANewerFormat) {
    write_five();
    edit("PRAGMA user_version = 3");
    const auto refused = open_sqlite(path);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "journal.newer");
    EXPECT_NE(refused.error().remedy, "");
}

// A journal of format 1 gets the additions of format 2. Its conductor died between a run's last
// record and the word of it.
TEST_F(SqliteJournalTest, GoesOnWithAJournalOfFormat1) {
    {
        auto written = open_to_write();
        ASSERT_TRUE(
            written.writer.append("roll", 1, {Json(Json::Object{{"type", "run.finished"}})}));
    }
    edit("DROP TABLE journal; DROP TABLE leases; DROP INDEX open_requests; DROP TABLE requests;"
         "ALTER TABLE runs DROP COLUMN is_over; PRAGMA user_version = 1");
    const auto journal = open();
    EXPECT_EQ(journal->id().size(), 32);
    EXPECT_EQ(journal->find_run("roll")->state, (RunState{"finished", true}));
    EXPECT_TRUE(journal->verify("roll"));
    EXPECT_EQ(open()->id(), journal->id());
}

// The first `apply` makes the journal while another process already reads its log.
TEST_F(SqliteJournalTest, ManyOpenANewOneAtOnce) {
    for (int round = 0; round < 60; ++round) {
        const fs::path fresh = folder / (std::to_string(round) + ".db");
        std::array<std::future<std::string>, 8> opened;
        for (auto& one : opened) {
            one = std::async(std::launch::async, [&] {
                const auto journal = open_sqlite(fresh);
                return journal ? std::string() : journal.error().text();
            });
        }
        for (auto& one : opened) {
            EXPECT_EQ(one.get(), "");
        }
    }
}

// A process that died between making the file and its tables leaves an empty file.
TEST_F(SqliteJournalTest, FillsAnEmptyFile) {
    std::ofstream(path).close();
    ::chmod(path.c_str(), 0600);
    EXPECT_TRUE(open_sqlite(path));
}

}  // namespace
}  // namespace drydock::journal
