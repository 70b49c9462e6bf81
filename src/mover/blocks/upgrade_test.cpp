// The schema is raised in one transaction; every image, tag, expiry and count stays.
#include "mover/blocks/locks.h"
#include "mover/blocks/metadata_copy.h"
#include "mover/blocks/store_copy.h"
#include "mover/blocks/upgrade.h"
#include "os/files.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>

#include <filesystem>

namespace drydock::mover::blocks {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Upgrade : public testing::TestWithParam<const char*> {
public:
    StoreCopy copy{GetParam()};

    Result<UpgradeReport> run(UpgradeGoal goal = UpgradeGoal::newest, bool dry_run = false) {
        const auto sql = connect_sqlite(copy.config().metadata, SqlAccess::write).value();
        return upgrade(*sql, {goal, dry_run, {}});
    }

    std::string digest() {
        return digest_of_content(*connect_sqlite(copy.config().metadata, SqlAccess::read).value())
            .value();
    }

    void expect_every_image() {
        for (const char* version : {"a1", "a2", "a3", "b1", "c1", "z1"}) {
            EXPECT_EQ(copy.restored_sha256(copy.uid(version)),
                      copy.manifest()["versions"][version]["image_sha256"].as_string())
                << version;
        }
    }

    // All that backy2's export loses.
    std::vector<std::string> kept() {
        std::vector<std::string> all;
        for (const char* sql : {"SELECT * FROM tags ORDER BY version_uid, name",
                                "SELECT * FROM deleted_blocks ORDER BY id",
                                "SELECT uid, date, name, snapshot_name, size, size_bytes, valid, "
                                "protected FROM versions ORDER BY uid",
                                "SELECT uid, version_uid, id, date, checksum, size, valid FROM "
                                "blocks ORDER BY version_uid, id",
                                "SELECT date, version_uid, version_name, version_size_bytes, "
                                "bytes_read, bytes_written, bytes_sparse, duration_seconds "
                                "FROM stats ORDER BY date, version_uid"}) {
            const auto rows = copy.rows(sql);
            EXPECT_FALSE(rows.empty()) << sql;
            all.insert(all.end(), rows.begin(), rows.end());
        }
        return all;
    }
};

TEST_P(Upgrade, KeepsEveryImageAndAllThatExportsLose) {
    const auto before = kept();
    const auto report = run();
    ASSERT_TRUE(report) << report.error().text();
    EXPECT_EQ(report->new_schema.release, "2.12.1 to 2.13.8");
    EXPECT_EQ(report->new_schema.head, k_newest_head);
    EXPECT_EQ(kept(), before);
    EXPECT_EQ(report->rows.at("tags"), 16);
    expect_every_image();
    if (copy.manifest()["versions"]["c1"]["expire"].is_string()) {
        EXPECT_THAT(copy.rows("SELECT expire FROM versions WHERE uid = '" + copy.uid("c1") + "'"),
                    testing::ElementsAre(HasSubstr("2020-02-29 13:45:07")));
    }
    EXPECT_TRUE(run()->steps.empty());
}

TEST_P(Upgrade, ADryRunChangesNothing) {
    const std::string before = digest();
    const auto report = run(UpgradeGoal::newest, true);
    ASSERT_TRUE(report);
    EXPECT_EQ(report->steps.empty(), std::string(GetParam()) == "2.13.8");
    EXPECT_EQ(digest(), before);
}

TEST_P(Upgrade, TheCopyAloneChangesNothing) {
    const std::string before = digest();
    const std::string path = copy.folder() + "/before";
    const auto sql = connect_sqlite(copy.config().metadata, SqlAccess::write).value();
    const auto copied = [&](Sql& locked_sql) {
        return copy_sqlite(locked_sql, copy.config().metadata, path);
    };
    const auto report = upgrade(*sql, {UpgradeGoal::newest, false, copied, true});
    ASSERT_TRUE(report) << report.error().text();
    EXPECT_EQ(report->new_schema.head, report->old_schema.head);
    EXPECT_EQ(digest(), before);
    EXPECT_EQ(digest_of_content(*connect_sqlite(path, SqlAccess::read).value()).value(), before);
}

// The new columns are found by their names and declarations, as backy2's own migration makes them.
TEST_P(Upgrade, MakesTheColumnsOfTheNewestRelease) {
    ASSERT_TRUE(run());
    const StoreCopy newest("2.13.8");
    const auto columns = [](const StoreCopy& store) {
        return connect_sqlite(store.config().metadata, SqlAccess::read).value()->columns().value();
    };
    EXPECT_EQ(columns(copy), columns(newest));
    const std::string indexes = "SELECT name, tbl_name FROM sqlite_master WHERE type = 'index' AND "
                                "name LIKE 'ix_%' ORDER BY name";
    EXPECT_EQ(copy.rows(indexes), newest.rows(indexes));
}

TEST_P(Upgrade, GoesOnFromAHalfDoneState) {
    if (!copy.take_half_done()) {
        EXPECT_STREQ(GetParam(), "2.13.8");
        return;
    }
    const auto report = run();
    ASSERT_TRUE(report) << report.error().text();
    EXPECT_EQ(report->new_schema.half_done, "");
    EXPECT_EQ(report->rows.at("stats"), 8);
    EXPECT_EQ(copy.rows("SELECT count(*) FROM tags"), std::vector<std::string>{"16"});
    expect_every_image();
}

TEST_P(Upgrade, TakesAHalfDoneStateBack) {
    const auto columns = [&] {
        return connect_sqlite(copy.config().metadata, SqlAccess::read).value()->columns().value();
    };
    const Columns whole = columns();
    EXPECT_EQ(run(UpgradeGoal::undo).error().code, "blocks.no_undo");
    if (!copy.take_half_done()) {
        return;
    }
    ASSERT_NE(columns(), whole);
    ASSERT_TRUE(run(UpgradeGoal::undo));
    EXPECT_EQ(columns(), whole);
    expect_every_image();
    ASSERT_TRUE(run());
}

TEST_P(Upgrade, CopiesTheMetadataFirstAndReadsTheCopyBack) {
    const std::string before = digest();
    const std::string path = copy.folder() + "/before";
    const auto sql = connect_sqlite(copy.config().metadata, SqlAccess::write).value();
    const auto made = upgrade(*sql, {UpgradeGoal::newest, false, [&](Sql& held) {
                                         return copy_sqlite(held, copy.config().metadata, path);
                                     }});
    ASSERT_TRUE(made) << made.error().text();
    if (!made->steps.empty()) {
        const auto restored = connect_sqlite(path, SqlAccess::read).value();
        EXPECT_EQ(digest_of_content(*restored).value(), before);
    }
}

INSTANTIATE_TEST_SUITE_P(Releases,
                         Upgrade,
                         testing::Values("2.9.17", "2.10.5", "2.11.13", "2.13.8"));

class OldUpgrade : public Upgrade {};

TEST_P(OldUpgrade, ChangesNothingIfAStepFails) {
    // The last step fails.
    copy.change("CREATE TABLE kept AS SELECT * FROM alembic_version; DROP TABLE alembic_version; "
                "CREATE TABLE alembic_version(version_num VARCHAR(32) NOT NULL "
                "CHECK (version_num <> '30349b678801')); "
                "INSERT INTO alembic_version SELECT * FROM kept; DROP TABLE kept");
    const std::string before = digest();
    const auto refused = run();
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("CHECK"));
    EXPECT_EQ(digest(), before);
}

TEST_P(OldUpgrade, ChangesNothingIfTheCopyCannotBeMade) {
    const std::string before = digest();
    const auto sql = connect_sqlite(copy.config().metadata, SqlAccess::write).value();
    const auto upgrade_with_copy = [&](const std::string& path) {
        return upgrade(*sql, {UpgradeGoal::newest, false, [&](Sql& held) {
                                  return copy_sqlite(held, copy.config().metadata, path);
                              }});
    };
    EXPECT_EQ(upgrade_with_copy(copy.folder() + "/manifest.json").error().code, "blocks.exists");
    EXPECT_EQ(upgrade_with_copy("/dev/full").error().code, "blocks.exists");
    fs::create_directory(copy.folder() + "/taken.partial");
    EXPECT_FALSE(upgrade_with_copy(copy.folder() + "/taken"));
    EXPECT_FALSE(upgrade_with_copy(copy.folder() + "/absent/copy"));
    EXPECT_EQ(digest(), before);
}

// A foreign link in the copy's place is neither followed nor kept.
TEST_P(OldUpgrade, MakesACopyOfItsOwn) {
    const auto sql = connect_sqlite(copy.config().metadata, SqlAccess::write).value();
    const std::string path = copy.folder() + "/copy";
    fs::create_symlink("/dev/full", path + ".partial");
    ASSERT_TRUE(upgrade(*sql, {UpgradeGoal::newest, false, [&](Sql& held) {
                                   return copy_sqlite(held, copy.config().metadata, path);
                               }}));
    EXPECT_FALSE(fs::is_symlink(path));
    EXPECT_TRUE(fs::is_regular_file(path));
    EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

// backy2 reads an expiry as a date with a time; 2.10.1 wrote a date alone.
TEST_P(OldUpgrade, GivesADateWithoutTimeItsMidnight) {
    copy.change("ALTER TABLE versions RENAME COLUMN expire TO other");
    copy.change("ALTER TABLE versions DROP COLUMN other");
    copy.change("ALTER TABLE versions ADD COLUMN expire DATE");
    copy.change("UPDATE versions SET expire = '2020-02-29' WHERE uid = '" + copy.uid("c1") + "'");
    copy.change("UPDATE alembic_version SET version_num = '828da0fbbe8d'");
    const auto report = run();
    ASSERT_TRUE(report) << report.error().text();
    EXPECT_EQ(copy.rows("SELECT expire FROM versions WHERE expire IS NOT NULL"),
              std::vector<std::string>{"2020-02-29 00:00:00.000000"});
}

TEST_P(OldUpgrade, DropsNoColumnThatHoldsValues) {
    copy.change("ALTER TABLE blocks ADD COLUMN enc_envkey VARCHAR(80)");
    copy.change("UPDATE blocks SET enc_envkey = 'ab' WHERE id = 0");
    const std::string before = digest();
    EXPECT_EQ(run().error().code, "blocks.upgrade");
    EXPECT_EQ(run(UpgradeGoal::undo).error().code, "blocks.upgrade");
    EXPECT_EQ(digest(), before);
}

INSTANTIATE_TEST_SUITE_P(Releases, OldUpgrade, testing::Values("2.10.5"));

TEST(HalfDoneUpgrade, UndoesNoExpiryThatSomebodySet) {
    const StoreCopy copy("2.9.17");
    ASSERT_TRUE(copy.take_half_done());
    copy.change("UPDATE versions SET expire = '2030-01-01'");
    const auto sql = connect_sqlite(copy.config().metadata, SqlAccess::write).value();
    EXPECT_EQ(upgrade(*sql, {UpgradeGoal::undo, false, {}}).error().code, "blocks.upgrade");
    ASSERT_TRUE(upgrade(*sql, {UpgradeGoal::newest, false, {}}));
    EXPECT_EQ(copy.rows("SELECT DISTINCT expire FROM versions"),
              std::vector<std::string>{"2030-01-01 00:00:00.000000"});
}

struct Altered {
    StoreCopy copy;
    std::unique_ptr<Sql> sql = connect_sqlite(copy.config().metadata, SqlAccess::write).value();

    [[nodiscard]] Schema schema() const { return copy.open().metadata->schema(); }
};

// backy2 makes enc_version without NULL: each row says how its blob is kept.
TEST(HalfDoneUpgrade, MakesColumnsOfEncryptionAnewThatAreOtherwise) {
    for (const char* type : {"INTEGER", "TEXT NOT NULL DEFAULT 'x'", "BLOB"}) {
        const Altered it{StoreCopy("2.11.13")};
        it.copy.change("ALTER TABLE blocks ADD COLUMN enc_envkey VARCHAR(80);"
                       "ALTER TABLE blocks ADD COLUMN enc_nonce VARCHAR(32);"
                       "ALTER TABLE blocks ADD COLUMN enc_version "
                       + std::string(type));
        EXPECT_THAT(it.schema().half_done, HasSubstr("of other types")) << type;
        const auto raised = upgrade(*it.sql, {UpgradeGoal::newest, false, {}});
        if (type[0] == 'T') {
            EXPECT_EQ(raised.error().code, "blocks.upgrade");  // it holds values
            continue;
        }
        ASSERT_TRUE(raised) << raised.error().text();
        EXPECT_EQ(it.sql->columns().value().at("blocks").at("enc_version"), "INTEGER NOT NULL");
        EXPECT_EQ(it.copy.rows("SELECT DISTINCT enc_version FROM blocks"),
                  std::vector<std::string>{"0"});
    }
}

TEST(HalfDoneUpgrade, NamesEachOfSeveralStatesAndUndoesAllOrNone) {
    const std::string expire = "ALTER TABLE versions ADD COLUMN expire DATE;";
    const std::string stats = "ALTER TABLE stats RENAME TO stats_old;";
    const std::string part = "ALTER TABLE blocks ADD COLUMN enc_envkey VARCHAR(80);";
    for (const std::string& states : {expire + stats, expire + part, expire + stats + part}) {
        const Altered it{StoreCopy("2.9.17")};
        const Columns before = it.sql->columns().value();
        it.copy.change(states);
        EXPECT_THAT(it.schema().half_done, HasSubstr("column expire added, head not moved; "));
        EXPECT_EQ(it.schema().half_done.find("under the head"), std::string::npos);
        ASSERT_TRUE(upgrade(*it.sql, {UpgradeGoal::undo, false, {}})) << it.schema().half_done;
        EXPECT_EQ(it.sql->columns().value(), before);
    }
    const Altered it{StoreCopy("2.9.17")};
    it.copy.change(stats + part + "UPDATE alembic_version SET version_num = 'zzz'");
    EXPECT_THAT(it.schema().half_done, HasSubstr("under the head zzz"));
    EXPECT_EQ(it.schema().undo, "");
    EXPECT_EQ(upgrade(*it.sql, {UpgradeGoal::undo, false, {}}).error().code, "blocks.no_undo");
    ASSERT_TRUE(upgrade(*it.sql, {UpgradeGoal::newest, false, {}}));
}

TEST(HalfDoneUpgrade, KnowsNoExpiryOfAnotherType) {
    const Altered it{StoreCopy("2.9.17")};
    it.copy.change("ALTER TABLE versions ADD COLUMN expire BLOB");
    EXPECT_EQ(upgrade(*it.sql, {UpgradeGoal::newest, false, {}}).error().code, "blocks.schema");
}

// Tables of others are copied, and not read: they need no rowid and no plain name.
TEST(MetadataCopy, LeavesTablesOfOthersUnread) {
    const Altered it{StoreCopy("2.9.17")};
    it.copy.change("CREATE TABLE \"a \"\"b\" (a); CREATE TABLE \"order\" (rowid TEXT);"
                   "INSERT INTO \"order\" VALUES ('a'), ('b');"
                   "CREATE TABLE keyed (a PRIMARY KEY) WITHOUT ROWID;"
                   "INSERT INTO keyed VALUES (1)");
    const std::string path = it.copy.folder() + "/before";
    const auto copied = copy_sqlite(*it.sql, it.copy.config().metadata, path);
    EXPECT_TRUE(copied) << copied.error().text();
    EXPECT_TRUE(fs::exists(path));
}

TEST(StoreLocks, AreThoseOfBacky2) {
    const StoreCopy copy("2.9.17");
    const auto lock = StoreLock::take(copy.folder());
    ASSERT_TRUE(lock);
    EXPECT_EQ(StoreLock::take(copy.folder()).error().code, "blocks.busy");
    const os::Fd global = os::open_file(copy.folder() + "/backy_backy.lock", O_RDONLY).value();
    EXPECT_NE(flock(global.get(), LOCK_EX | LOCK_NB), 0);
}

TEST(StoreLocks, SeeABackupThatRuns) {
    const StoreCopy copy("2.9.17");
    os::Fd version =
        os::open_file(copy.folder() + "/backy_b73b331c.lock", O_RDWR | O_CREAT).value();
    ASSERT_EQ(flock(version.get(), LOCK_EX), 0);
    const auto refused = StoreLock::take(copy.folder());
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("backy_b73b331c.lock"));
    version.close();
    EXPECT_TRUE(StoreLock::take(copy.folder()));
}

}  // namespace
}  // namespace drydock::mover::blocks
