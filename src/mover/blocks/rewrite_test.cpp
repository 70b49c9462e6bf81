// Blobs of drydock are read as backy2 reads them, and the journal keeps its promises.
#include "base/hash.h"
#include "mover/blocks/rewrite.h"
#include "mover/blocks/rewrite_rows.h"
#include "mover/blocks/seal.h"
#include "mover/blocks/store_copy.h"
#include "mover/blocks/upgrade.h"
#include "os/files.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

namespace drydock::mover::blocks {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const std::string k_key(32, 'k');

TEST(Seal, MakesWhatTheReaderOpens) {
    const StoreCopy copy("2.13.8");
    const BlobReader reader = {file_backend(copy.config().data), k_key, "sha512"};
    for (const std::string& plain : {std::string(70000, 'x'), std::string("a"), std::string()}) {
        const SealedBlock sealed = seal(plain, k_key).value();
        const std::string uid = new_blob_uid("").value();
        ASSERT_TRUE(reader.blobs->write(uid, sealed.bytes));
        BlockRow row = {uid, "v", 0, std::nullopt, static_cast<std::int64_t>(plain.size()), 1};
        row.envelope = sealed.envelope;
        const Status same = use_decoded_block(reader, row, [&](std::string_view bytes) {
            return bytes == plain ? Status{} : fail("test", "other bytes");
        });
        EXPECT_TRUE(same) << same.error().text();
        EXPECT_EQ(sealed.nonce.size(), 32U);
        EXPECT_TRUE(opens_envelope(k_key, sealed.envelope));
        EXPECT_FALSE(opens_envelope(std::string(32, 'x'), sealed.envelope));
    }
}

TEST(Seal, NeverDrawsTheSameTwice) {
    std::set<std::string> seen;
    for (int i = 0; i < 100; ++i) {
        const SealedBlock sealed = seal("same", k_key).value();
        EXPECT_TRUE(seen.insert(sealed.envelope).second);
        EXPECT_TRUE(seen.insert(sealed.nonce).second);
        const std::string uid = new_blob_uid("beef0123").value();
        EXPECT_EQ(uid.substr(0, 4), "beef");  // no new folder
        EXPECT_EQ(uid.size(), 32U);
        EXPECT_TRUE(seen.insert(uid).second);
    }
}

TEST(BlobWriter, OverwritesNothing) {
    const StoreCopy copy("2.9.17");
    const BlobReader reader = {file_backend(copy.config().data), ""};
    const BlockRow row = copy.first_of_b1();
    const std::string before = os::read_file(copy.path_of(row), 1U << 20U).value();
    EXPECT_FALSE(reader.blobs->write(row.uid, "other"));
    EXPECT_EQ(os::read_file(copy.path_of(row), 1U << 20U).value(), before);
    EXPECT_EQ(reader.blobs->write("../x", "other").error().code, "blocks.uid");
}

class Journal : public testing::Test {
public:
    StoreCopy copy{"2.9.17"};
    std::string path = copy.folder() + "/journal";

    std::string kinds() {
        std::string all;
        const auto journal = RewriteJournal::open(path);
        if (!journal) {
            return journal.error().code;
        }
        EXPECT_TRUE(journal->each([&](const Record& record) {
            all += std::to_string(static_cast<int>(record.kind)) + " ";
            return Status{};
        }));
        return all;
    }

    void write_two() {
        auto journal = RewriteJournal::open(path).value();
        ASSERT_TRUE(journal.append({RecordKind::begin, 0, {}, "encrypt", "s", "k"}));
        ASSERT_TRUE(journal.append({RecordKind::write, 1, {{"a", "b", "", "", "e", "n"}}}));
    }
};

TEST_F(Journal, KeepsItsRecordsWhole) {
    write_two();
    EXPECT_EQ(kinds(), "0 1 ");
    const auto journal = RewriteJournal::open(path).value();
    ASSERT_TRUE(journal.each([](const Record& record) {
        EXPECT_EQ(record.kind == RecordKind::begin ? record.work : record.blobs[0].old_envelope,
                  record.kind == RecordKind::begin ? "encrypt" : "e");
        return Status{};
    }));
}

TEST_F(Journal, DropsALineThatWasCutOffAtEveryByte) {
    write_two();
    const std::string whole = os::read_file(path, 1U << 20U).value();
    const auto first = static_cast<std::size_t>(std::ranges::find(whole, '\n') - whole.begin()) + 1;
    for (std::size_t size = first; size < whole.size(); ++size) {
        std::ofstream(path, std::ios::trunc) << whole.substr(0, size);
        EXPECT_EQ(kinds(), "0 ") << size;
        EXPECT_EQ(fs::file_size(path), first);
    }
}

TEST_F(Journal, NamesARecordThatWasChanged) {
    write_two();
    const std::string whole = os::read_file(path, 1U << 20U).value();
    for (std::size_t place = 0; place + 1 < whole.size(); ++place) {
        std::string changed = whole;
        changed[place] = changed[place] == '#' ? '$' : '#';
        std::ofstream(path, std::ios::trunc) << changed;
        EXPECT_EQ(kinds(), "blocks.journal") << place;
    }
}

// A mistyped path costs no file.
TEST_F(Journal, IsNoFileOfSomebodyElse) {
    write_two();
    const std::string whole = os::read_file(path, 1U << 20U).value();
    const auto first = static_cast<std::size_t>(std::ranges::find(whole, '\n') - whole.begin());
    for (const std::string& other : {std::string("the only copy of a key"),
                                     std::string(100'000, '\0'),
                                     std::string("one line\n") + whole,
                                     whole.substr(0, first),
                                     whole.substr(first + 1),
                                     whole.substr(0, 10)}) {
        std::ofstream(path, std::ios::trunc) << other;
        EXPECT_EQ(kinds(), "blocks.journal");
        EXPECT_EQ(os::read_file(path, 1U << 20U).value(), other);
    }
}

TEST_F(Journal, BelongsToOneProcess) {
    const auto held = RewriteJournal::open(path);
    ASSERT_TRUE(held);
    EXPECT_EQ(RewriteJournal::open(path).error().code, "blocks.busy");
}

struct Raised {
    StoreCopy copy{"2.11.13"};
    RewriteRequest request;
    Store store = opened();

    Store opened() {
        EXPECT_TRUE(upgrade(*connect_sqlite(copy.config().metadata, SqlAccess::write).value(),
                            {UpgradeGoal::newest, false, {}}));
        request.new_key = k_key;
        request.journal = copy.folder() + "/journal";
        return copy.open(SqlAccess::write);
    }

    // Returns the database's plan for the query of has_any().
    std::string plan() {
        RewriteRows rows(store.metadata->sql(), RewriteWork::encrypt);
        const auto found =
            store.metadata->sql().query("EXPLAIN QUERY PLAN " + rows.any_query().value());
        return found.value()[0][3].value();
    }
};

// Facts of the pack ask this again and again, of stores with a hundred million rows.
TEST(PlainBlobs, AreFoundWithoutReadingTheTable) {
    Raised it;
    EXPECT_TRUE(RewriteRows(it.store.metadata->sql(), RewriteWork::encrypt).has_any().value());
    EXPECT_THAT(it.plan(), HasSubstr("INDEX ix_blocks_uid (uid>?)"));  // the first row answers
    ASSERT_TRUE(rewrite(it.store, it.request));
    EXPECT_TRUE(RewriteRows(it.store.metadata->sql(), RewriteWork::encrypt).has_any().value());
    it.copy.change("UPDATE blocks SET enc_version = 1 WHERE uid > ''");  // also the damaged one
    EXPECT_FALSE(RewriteRows(it.store.metadata->sql(), RewriteWork::encrypt).has_any().value());
    EXPECT_THAT(it.plan(), HasSubstr("INDEX drydock_plain_blocks"));
}

TEST(PlainBlobs, LeaveNoIndexBehindOnTheWayBack) {
    Raised it;
    const std::string all = "SELECT name, sql FROM sqlite_master ORDER BY 1";
    const auto before = it.copy.rows(all);
    ASSERT_TRUE(rewrite(it.store, it.request));
    EXPECT_NE(it.copy.rows(all), before);
    ASSERT_TRUE(rewrite_back(it.store, it.request));
    EXPECT_EQ(it.copy.rows(all), before);
}

struct HalfWay : Raised {
    // Names of the old blobs, in the order of the journal.
    std::vector<std::string> old_blobs() {
        request.batch_blobs_max = 5;
        EXPECT_TRUE(rewrite(store, request));
        std::vector<std::string> names;
        const auto journal = RewriteJournal::open(request.journal).value();
        EXPECT_TRUE(journal.each([&](const Record& record) {
            for (const RewrittenBlob& blob : record.blobs) {
                if (record.kind == RecordKind::proved) {
                    names.push_back(blob.old_uid);
                }
            }
            return Status{};
        }));
        return names;
    }

    void remove(const std::string& uid) { EXPECT_TRUE(store.reader.blobs->remove(uid).value()); }

    std::vector<std::string> encrypted() {
        return copy.rows("SELECT count(*) FROM blocks WHERE enc_version = 1");
    }
};

// Each call does one batch and pauses: in the end the work is done, and nothing was done twice.
TEST(Rewrite, PausesBehindEachBatchAndGoesOn) {
    Raised it;
    it.request.batch_blobs_max = 5;
    it.request.is_to_stop = [] { return true; };
    int pauses = 0;
    Result<RewriteReport> report = rewrite(it.store, it.request);
    for (; !report && pauses < 100; ++pauses) {
        ASSERT_EQ(report.error().code, "blocks.paused") << report.error().text();
        EXPECT_THAT(report.error().message, HasSubstr("paused: 5 of"));
        report = rewrite(it.store, it.request);
    }
    ASSERT_TRUE(report) << report.error().text();
    EXPECT_GE(pauses, 3);
    int batches = 0;
    ASSERT_TRUE(RewriteJournal::open(it.request.journal).value().each([&](const Record& record) {
        batches += record.kind == RecordKind::proved ? 1 : 0;
        return Status{};
    }));
    EXPECT_LE(std::abs(batches - pauses), 1);
    EXPECT_EQ(free_old(it.store, it.request).error().code, "blocks.paused");
    it.request.is_to_stop = {};
    ASSERT_TRUE(free_old(it.store, it.request));
}

// A pause between the batches of both ends: the verification and each removal are done again.
TEST(Rewrite, PausesOnItsWayBackAndWhileOldBlobsAreRemoved) {
    for (const bool goes_back : {true, false}) {
        HalfWay it;
        const auto old = it.old_blobs();
        std::int64_t told = -1;
        it.request.on_progress = [&](std::int64_t blobs, std::int64_t) { told = blobs; };
        const auto finish = [&]() -> Status {
            const auto back =
                goes_back ? rewrite_back(it.store, it.request) : Result<BackReport>(BackReport());
            DRYDOCK_TRY(back);
            DRYDOCK_TRY(goes_back ? Result<FreeReport>(FreeReport())
                                  : free_old(it.store, it.request));
            return {};
        };
        // Behind the second batch of the removal: the verification tells rows one by one.
        it.request.is_to_stop = [&] { return told == 10 && !os::exists(it.copy.folder() + "/go"); };
        Status ended = finish();
        ASSERT_FALSE(ended) << goes_back;
        EXPECT_EQ(ended.error().code, "blocks.paused");
        std::ofstream(it.copy.folder() + "/go") << "";
        ended = finish();
        EXPECT_TRUE(ended) << ended.error().text();
        EXPECT_FALSE(os::exists(it.request.journal)) << "put away";
    }
}

TEST(TakingBack, LooksAtAllOldBlobsBeforeItChangesARow) {
    HalfWay it;
    const auto old = it.old_blobs();
    ASSERT_GT(old.size(), 10U);
    it.remove(old.back());
    const auto before = it.encrypted();
    const auto refused = rewrite_back(it.store, it.request);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "blocks.freed");
    EXPECT_THAT(refused.error().message, HasSubstr(old.back()));
    EXPECT_EQ(it.encrypted(), before);
    ASSERT_TRUE(rewrite(it.store, it.request));  // as it was: no record says "back"
    ASSERT_TRUE(free_old(it.store, it.request));
}

TEST(TakingBack, ThatCannotEndLeavesTheWayForward) {
    HalfWay it;
    const auto old = it.old_blobs();
    ASSERT_TRUE(RewriteJournal::open(it.request.journal)
                    .value()
                    .append({RecordKind::back, 0, {}, {}, {}, {}}));
    EXPECT_EQ(rewrite(it.store, it.request).error().code, "blocks.journal");
    // The first batch is back already when an old blob goes.
    RewriteRows rows(it.store.metadata->sql(), RewriteWork::encrypt);
    std::optional<Record> first;
    ASSERT_TRUE(RewriteJournal::open(it.request.journal).value().each([&](const Record& record) {
        if (record.kind == RecordKind::proved && !first) {
            first = record;
        }
        return Status{};
    }));
    ASSERT_TRUE(rows.switch_back(first->blobs));
    it.remove(old.back());
    EXPECT_EQ(rewrite_back(it.store, it.request).error().code, "blocks.freed");
    ASSERT_TRUE(rewrite(it.store, it.request));
    ASSERT_TRUE(free_old(it.store, it.request));
    const std::string key_hex = [] {
        std::string digits;
        for (const char c : k_key) {
            digits += fmt::format("{:02x}", static_cast<int>(c));
        }
        return digits;
    }();
    EXPECT_EQ(it.copy.restored_sha256(it.copy.uid("b1"), key_hex),
              it.copy.manifest()["versions"]["b1"]["image_sha256"].as_string());
}

TEST(TakingBack, MakesNoJournalOfAFileThatIsNone) {
    Raised it;
    std::ofstream(it.request.journal).close();
    EXPECT_EQ(rewrite_back(it.store, it.request).error().code, "blocks.nothing");
    EXPECT_EQ(fs::file_size(it.request.journal), 0U);
}

TEST(Rewrite, NamesEveryBlobWhoseRowsSayNeitherPlainNorEncrypted) {
    Raised it;
    const auto blobs = it.copy.rows("SELECT uid FROM blocks WHERE uid > '' GROUP BY uid HAVING "
                                    "count(*) = 1 ORDER BY uid LIMIT 2");
    it.copy.change("UPDATE blocks SET enc_version = 2 WHERE uid = '" + blobs[0] + "'");
    it.copy.change("UPDATE blocks SET enc_version = 'x1' WHERE uid = '" + blobs[1] + "'");
    RewriteRows rows(it.store.metadata->sql(), RewriteWork::encrypt);
    const std::int64_t all = rows.count().value();
    const RewriteReport report = rewrite(it.store, it.request).value();
    EXPECT_EQ(report.blobs_left, 3);  // these two, and the damaged blob of the fixture
    EXPECT_EQ(report.blobs, all - 3);
    EXPECT_EQ(report.findings[0].row.uid, blobs[0]);
    EXPECT_EQ(report.findings[1].error.code, "blocks.enc_version");
    EXPECT_EQ(rows.count().value(), 3);
    it.copy.change("UPDATE blocks SET enc_version = 1 WHERE enc_version = 0");
    EXPECT_TRUE(rows.has_any().value());
}

// Rows that say different things of one blob cannot be switched together.
TEST(Rewrite, LeavesContradictingRowsAlone) {
    const StoreCopy copy("2.11.13");
    ASSERT_TRUE(upgrade(*connect_sqlite(copy.config().metadata, SqlAccess::write).value(),
                        {UpgradeGoal::newest, false, {}}));
    const std::string shared =
        copy.rows("SELECT uid FROM blocks WHERE uid <> '' GROUP BY uid HAVING count(*) > 1")[0];
    copy.change("UPDATE blocks SET checksum = 'ab' WHERE rowid = (SELECT min(rowid) FROM blocks "
                "WHERE uid = '"
                + shared + "')");
    Store store = copy.open(SqlAccess::write);
    RewriteRequest request;
    request.new_key = k_key;
    request.journal = copy.folder() + "/journal";
    const RewriteReport report = rewrite(store, request).value();
    EXPECT_EQ(report.blobs_left, 2);  // this one, and the damaged blob of the fixture
    EXPECT_EQ(report.findings[0].error.code, "blocks.contradiction");
    EXPECT_EQ(copy.rows("SELECT DISTINCT enc_version FROM blocks WHERE uid = '" + shared + "'"),
              std::vector<std::string>{"0"});
}

}  // namespace
}  // namespace drydock::mover::blocks
