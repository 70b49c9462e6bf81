// A database that holds other values than its schema says: each command ends, and says so.
#include "mover/blocks/inspect.h"
#include "mover/blocks/ranges.h"
#include "mover/blocks/restore.h"
#include "mover/blocks/store_copy.h"
#include "mover/blocks/transfer.h"
#include "mover/blocks/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace drydock::mover::blocks {
namespace {

using testing::HasSubstr;

class StrangeRows : public testing::Test {
public:
    StoreCopy copy{"2.13.8"};
    std::string a1 = copy.uid("a1");
    std::string path = copy.folder() + "/out.img";

    // One row of version a1 gets other values.
    void change_row(const std::string& values) const {
        copy.change("UPDATE blocks SET " + values + " WHERE id = 2 AND version_uid = '" + a1 + "'");
    }

    void change_version(const std::string& values) const {
        copy.change("UPDATE versions SET " + values + " WHERE uid = '" + a1 + "'");
    }

    Result<Inspection> look() const {
        Store store = copy.open();
        return inspect(store);
    }

    Result<StoreVerdict> check() const {
        const Store store = copy.open();
        return verify(*store.metadata, store.reader, 2, {[](const Finding&) {}, {}});
    }

    Result<Restored> take_out(bool allows_holes = false) const {
        const Store store = copy.open();
        RestoreRequest request = {a1, path, -1, 2, true};
        request.allows_holes = allows_holes;
        return restore(*store.metadata, store.reader, request, [](auto, auto) {});
    }

    Result<ExportReport> write_out() const {
        const Store store = copy.open();
        return export_version(*store.metadata, a1, copy.folder() + "/out.csv");
    }

    void expect_not_whole() const {
        EXPECT_FALSE(look().value().whole());
        EXPECT_FALSE(check().value().versions.at(a1).whole());
        EXPECT_FALSE(take_out());
        EXPECT_FALSE(std::filesystem::exists(path));
        EXPECT_EQ(write_out().error().code, "blocks.incomplete");
    }
};

TEST_F(StrangeRows, NameAUidThatIsNoText) {
    for (const char* value : {"CAST(uid AS BLOB)", "17"}) {
        const StoreCopy other("2.13.8");
        // A column without a type keeps numbers.
        other.change(
            "CREATE TABLE other AS SELECT * FROM blocks; DROP TABLE blocks;"
            "CREATE TABLE blocks (uid, version_uid TEXT, id INTEGER, date, checksum, size, "
            "valid, enc_version INTEGER NOT NULL, enc_envkey VARCHAR(80), enc_nonce "
            "VARCHAR(32)); INSERT INTO blocks SELECT * FROM other; DROP TABLE other;"
            "UPDATE blocks SET uid = "
            + std::string(value) + " WHERE rowid = 2");
        Store store = other.open();
        const auto refused = inspect(store);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, "blocks.rows");
        EXPECT_THAT(refused.error().message, HasSubstr("table blocks, row 2: column uid"));
        EXPECT_EQ(
            verify(*store.metadata, store.reader, 1, {[](const Finding&) {}, {}}).error().code,
            "blocks.rows");
    }
    copy.change("UPDATE versions SET uid = CAST(uid AS BLOB) WHERE name = 'vm-b'");
    EXPECT_EQ(look().error().code, "blocks.rows");
    EXPECT_EQ(check().error().code, "blocks.rows");
    EXPECT_TRUE(take_out());  // another version
}

TEST_F(StrangeRows, WithoutAPositionOfTheVersionAreStray) {
    for (const char* id : {"'abc'", "1.5", "9223372036854775807", "-9223372036854775808", "-1"}) {
        copy.change("UPDATE blocks SET id = 2 WHERE version_uid = '" + a1 + "' AND id = 'abc'");
        change_row(std::string("id = ") + id);
        EXPECT_EQ(copy.open().metadata->find_version(a1)->stray, 1) << id;
        expect_not_whole();
        const auto verdict = check().value().versions.at(a1);
        EXPECT_EQ(verdict.lost, (std::vector<ByteRange>{{2 * 16384, 16384}})) << id;
        const auto restored = take_out(true);
        ASSERT_TRUE(restored) << id;
        EXPECT_FALSE(restored->whole());
        EXPECT_EQ(restored->lost, verdict.lost);
        std::filesystem::remove(path);
        copy.change(std::string("UPDATE blocks SET id = 2 WHERE id = ") + id);
    }
}

TEST_F(StrangeRows, BeyondAVersionThatIsTooShort) {
    for (const char* size : {"size = 5, size_bytes = 81920",
                             "size = 0, size_bytes = 0",
                             "size = 'x', size_bytes = 'y'",
                             "size = -5, size_bytes = -5"}) {
        change_version(size);
        expect_not_whole();
    }
    change_version("size = 5, size_bytes = 81920");
    EXPECT_EQ(take_out().error().code, "blocks.stray_rows");
    const auto restored = take_out(true);
    ASSERT_TRUE(restored);
    EXPECT_FALSE(restored->whole());
    EXPECT_EQ(std::filesystem::file_size(path), 81920U);
}

// Nothing is allocated or counted up to the size of a version that has few rows.
TEST_F(StrangeRows, OfAVersionThatClaimsToBeHuge) {
    for (const char* size : {"size = 1000000000000, size_bytes = 16384000000000000",
                             "size = 9223372036854775807, size_bytes = 9223372036854775807",
                             "size = 2147483648, size_bytes = 35184372088832"}) {
        change_version(size);
        expect_not_whole();
    }
    const auto verdict = check().value().versions.at(a1);
    ASSERT_EQ(verdict.lost.size(), 1U);
    EXPECT_EQ(verdict.lost[0].offset + verdict.lost[0].bytes, 35184372088832);
}

TEST_F(StrangeRows, WithSizesAndVersionsOfEncryptionThatNoneHas) {
    for (const char* values : {"size = -1",
                               "size = 'x'",
                               "size = 9223372036854775807",
                               "enc_version = 'x1'",
                               "enc_version = 2",
                               "enc_version = 1.5"}) {
        const auto rows = copy.rows("SELECT size, enc_version FROM blocks WHERE id = 2 AND "
                                    "version_uid = '"
                                    + a1 + "'");
        change_row(values);
        EXPECT_FALSE(check().value().versions.at(a1).whole()) << values;
        EXPECT_FALSE(take_out()) << values;
        change_row("size = 16384, enc_version = " + rows.at(0).substr(rows.at(0).find('|') + 1));
    }
    EXPECT_TRUE(take_out());
}

TEST(PositionSet, KeepsFarPositionsApartAndNeighboursTogether) {
    PositionSet set;
    for (const std::int64_t id : {4095, 4096, 7, 2'147'483'647}) {
        set.add(id);
    }
    const auto ranges = set.ranges();
    ASSERT_EQ(ranges.size(), 3U);
    EXPECT_EQ(ranges[1].first, 4095);
    EXPECT_EQ(ranges[1].end, 4097);
    EXPECT_EQ(ranges[2].first, 2'147'483'647);
}

}  // namespace
}  // namespace drydock::mover::blocks
