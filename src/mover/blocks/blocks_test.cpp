// Real stores of four releases are read to the bytes that their programs backed up; each kind of
// damage is found at its place.
#include "base/hash.h"
#include "base/json.h"
#include "mover/blocks/verify.h"
#include "os/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace drydock::mover::blocks {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr const char* k_key = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

fs::path store_of(const std::string& release) {
    return fs::path(DRYDOCK_SOURCE_DIR) / "tests/fixtures/backy2" / release / "sqlite";
}

Json manifest_of(const std::string& release) {
    return Json::parse(*os::read_file(store_of(release) / "manifest.json", 1 << 20)).value();
}

// A copy of a store to damage.
class Blocks : public testing::TestWithParam<const char*> {
public:
    fs::path folder;
    std::vector<Finding> findings;

    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "drydock-blocks-XXXXXX").string();
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        folder = name;
        fs::copy(store_of(GetParam()), folder, fs::copy_options::recursive);
    }

    void TearDown() override { fs::remove_all(folder); }

    [[nodiscard]] BlobReader reader(const std::string& key = k_key) const {
        return {file_backend((folder / "data").string()), read_key(key).value(), "sha512"};
    }

    Result<std::unique_ptr<Metadata>> open(const char* file = "meta.sqlite") const {
        return open_sqlite((folder / file).string());
    }

    StoreVerdict check(const BlobReader& blobs) {
        findings.clear();
        auto metadata = open().value();
        return verify(*metadata,
                      blobs,
                      2,
                      {[&](const Finding& finding) { findings.push_back(finding); }, {}})
            .value();
    }

    [[nodiscard]] std::string uid(const std::string& version) const {
        return manifest_of(GetParam())["versions"][version]["uid"].as_string();
    }

    [[nodiscard]] std::string corrupt_uid() const {
        return manifest_of(GetParam())["corrupt_blob"].as_string();
    }

    // Returns a row of version b1, which shares no blob.
    BlockRow first_of_b1() {
        BlockRow first;
        auto metadata = open().value();
        EXPECT_TRUE(metadata->each_row_of(uid("b1"), [&](const BlockRow& row) {
            first = first.uid.empty() ? row : first;
            return Status{};
        }));
        return first;
    }

    [[nodiscard]] std::string path_of(const BlockRow& row) const {
        return reader().blobs->place_of(row.uid).value();
    }

    // Runs SQL on the copy.
    void change(const std::string& sql) const {
        sqlite3* database = nullptr;
        ASSERT_EQ(sqlite3_open((folder / "meta.sqlite").c_str(), &database), SQLITE_OK);
        EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
        sqlite3_close(database);
    }

    // Returns the code of the finding that the known corrupt blob did not cause.
    std::string new_finding() {
        std::string codes;
        for (const Finding& finding : findings) {
            codes += finding.row.uid == corrupt_uid() ? "" : finding.error.code + " ";
        }
        return codes;
    }
};

std::string image_of(Metadata& metadata, const BlobReader& blobs, const std::string& uid) {
    std::string image;
    EXPECT_TRUE(metadata.each_row_of(uid, [&](const BlockRow& row) -> Status {
        if (row.uid.empty()) {
            image.append(static_cast<std::size_t>(row.size), '\0');
            return {};
        }
        DRYDOCK_TRY_ASSIGN(const std::string bytes, read_block(blobs, row));
        image += bytes;
        return {};
    }));
    return image;
}

// d1 is left out: its blob was damaged before.
TEST_P(Blocks, ReadsEveryImageToTheByte) {
    const Json manifest = manifest_of(GetParam());
    auto metadata = open().value();
    for (const char* version : {"a1", "a2", "a3", "b1", "c1", "z1"}) {
        const Json& wanted = manifest["versions"][version];
        const std::string image = image_of(*metadata, reader(), wanted["uid"].as_string());
        EXPECT_EQ(sha256_hex(image), wanted["image_sha256"].as_string()) << version;
    }
}

TEST_P(Blocks, FindsTheFlippedByteOfTheFixtureAndNothingElse) {
    const StoreVerdict verdict = check(reader());
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].row.uid, corrupt_uid());
    EXPECT_EQ(findings[0].row.version_uid, uid("d1"));
    EXPECT_EQ(findings[0].row.id, 1);
    EXPECT_THAT(findings[0].error.message, HasSubstr(corrupt_uid() + ".blob"));
    const bool sealed = findings[0].row.enc_version == 1;
    EXPECT_EQ(findings[0].error.code, sealed ? "blocks.tag" : "blocks.checksum");
    EXPECT_EQ(verdict.blobs, sealed ? 30 : 22);
    EXPECT_EQ(verdict.versions.size(), 7U);
    EXPECT_FALSE(verdict.whole());
    EXPECT_FALSE(verdict.versions.at(uid("d1")).whole());
    EXPECT_TRUE(verdict.versions.at(uid("b1")).whole());
}

TEST_P(Blocks, FindsAFlippedByteATruncatedBlobALongOneAndAMissingOne) {
    const BlockRow row = first_of_b1();
    const std::string path = path_of(row);
    const std::string right = os::read_file(path, 1 << 20).value();
    const auto found_with = [&](const std::string& bytes) {
        std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
        check(reader());
        return new_finding();
    };
    std::string flipped = right;
    flipped[40] = static_cast<char>(flipped[40] ^ 1);
    const bool sealed = row.enc_version == 1;
    EXPECT_EQ(found_with(flipped), sealed ? "blocks.tag " : "blocks.checksum ");
    EXPECT_EQ(found_with(right.substr(0, right.size() - 1)),
              sealed ? "blocks.tag " : "blocks.size ");
    EXPECT_EQ(found_with(right.substr(0, 20)), "blocks.size ");
    EXPECT_EQ(found_with(""), "blocks.size ");
    EXPECT_EQ(found_with(right + std::string(32768, 'x')), "blocks.size ");
    EXPECT_EQ(found_with(right), "");
    fs::remove(path);
    check(reader());
    EXPECT_EQ(new_finding(), "blocks.missing ");
}

TEST_P(Blocks, SaysWhichRowsAreAbsent) {
    change("DELETE FROM blocks WHERE version_uid = '" + uid("z1") + "' AND id = 2");
    const StoreVerdict verdict = check(reader());
    EXPECT_FALSE(verdict.versions.at(uid("z1")).whole());
    EXPECT_EQ(verdict.versions.at(uid("z1")).version.rows, 4);
    EXPECT_EQ(verdict.versions.at(uid("z1")).version.blocks, 5);
}

TEST_P(Blocks, RefusesAnUnknownColumnByName) {
    change("ALTER TABLE blocks ADD COLUMN shard INTEGER");
    const auto metadata = open();
    ASSERT_FALSE(metadata);
    EXPECT_EQ(metadata.error().code, "blocks.schema");
    EXPECT_THAT(metadata.error().message, HasSubstr("table blocks has the unknown column shard"));
    EXPECT_FALSE(metadata.error().remedy.empty());
}

TEST_P(Blocks, RefusesWhatIsNoDatabase) {
    std::ofstream(folder / "meta.sqlite") << std::string(5000, 'x');
    EXPECT_EQ(open().error().code, "blocks.metadata");
    EXPECT_EQ(open("absent.sqlite").error().code, "blocks.metadata");
    EXPECT_FALSE(fs::exists(folder / "absent.sqlite"));
}

TEST_P(Blocks, FollowsNoUidOutOfTheStore) {
    change("UPDATE blocks SET uid = '../../../etc/passwd' WHERE version_uid = '" + uid("b1")
           + "' AND id = 0");
    check(reader());
    EXPECT_EQ(new_finding(), "blocks.uid ");
}

TEST_P(Blocks, KnowsTheSchemaByItsColumns) {
    const std::string release = GetParam();
    const Schema schema = open().value()->schema();
    EXPECT_EQ(schema.half_done, "");
    EXPECT_EQ(schema.release,
              release == "2.9.17"    ? "2.9.7 to 2.9.18"
              : release == "2.10.5"  ? "2.10.2 to 2.10.7"
              : release == "2.11.13" ? "2.11"
                                     : "2.12.1 to 2.13.8");
}

// The state after a failed upgrade is named, and its undo makes the schema whole again.
TEST_P(Blocks, NamesAndReadsTheHalfDoneState) {
    if (!fs::exists(folder / "meta-after-failed-upgrade.sqlite")) {
        EXPECT_STREQ(GetParam(), "2.13.8");
        return;
    }
    const std::string release = open().value()->schema().release;
    fs::rename(folder / "meta-after-failed-upgrade.sqlite", folder / "meta.sqlite");
    const Schema schema = open().value()->schema();
    EXPECT_NE(schema.half_done, "");
    check(reader());
    EXPECT_EQ(findings.size(), 1U);
    EXPECT_EQ(new_finding(), "");
    change(schema.undo);
    EXPECT_EQ(open().value()->schema().half_done, "");
    EXPECT_EQ(open().value()->schema().release, release);
}

INSTANTIATE_TEST_SUITE_P(Releases,
                         Blocks,
                         testing::Values("2.9.17", "2.10.5", "2.11.13", "2.13.8"));

class Sealed : public Blocks {};

TEST_P(Sealed, SaysThatTheKeyIsWrongOrAbsent) {
    BlobReader blobs = reader(std::string(64, '7'));
    const StoreVerdict wrong = check(blobs);
    EXPECT_THAT(new_finding(), HasSubstr("blocks.key "));
    EXPECT_TRUE(wrong.versions.at(uid("a1")).whole());  // plain
    EXPECT_FALSE(wrong.versions.at(uid("b1")).whole());
    EXPECT_THAT(findings[0].error.message, HasSubstr("does not open the envelope"));
    blobs.key.clear();
    check(blobs);
    EXPECT_THAT(findings[0].error.message, HasSubstr("no key was given"));
    EXPECT_FALSE(findings[0].error.remedy.empty());
    EXPECT_EQ(read_key("00").error().code, "blocks.key");
}

INSTANTIATE_TEST_SUITE_P(Releases, Sealed, testing::Values("2.13.8"));

}  // namespace
}  // namespace drydock::mover::blocks
