// A version comes back to the byte, or not at all, or with its losses named.
#include "base/hash.h"
#include "mover/blocks/inspect.h"
#include "mover/blocks/restore.h"
#include "mover/blocks/store_copy.h"
#include "mover/blocks/verify.h"
#include "os/files.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace drydock::mover::blocks {
namespace {

namespace fs = std::filesystem;

class Restore : public testing::TestWithParam<const char*> {
public:
    StoreCopy copy{GetParam()};
    std::string path = copy.folder() + "/out.img";
    std::int64_t progress = 0;

    Result<Restored> run(RestoreRequest request) {
        const Store store = copy.open();
        return restore(*store.metadata, store.reader, request, [&](auto done, auto /*all*/) {
            progress = done;
        });
    }

    std::string wanted(const std::string& version) const {
        return copy.manifest()["versions"][version]["image_sha256"].as_string();
    }
};

TEST_P(Restore, MakesEveryImageToTheByteAsAFileAndAsAStream) {
    for (const char* version : {"a1", "a2", "a3", "b1", "c1", "z1"}) {
        EXPECT_EQ(copy.restored_sha256(copy.uid(version)), wanted(version)) << version;
        const std::string stream = copy.folder() + "/stream";
        const os::Fd out = os::open_file(stream, O_WRONLY | O_CREAT | O_TRUNC).value();
        ASSERT_TRUE(run({copy.uid(version), "", out.get(), 3}));
        EXPECT_EQ(sha256_hex(os::read_file(stream, 1 << 20).value()), wanted(version)) << version;
    }
}

TEST_P(Restore, LeavesHolesForZerosAndTellsProgress) {
    ASSERT_TRUE(run({copy.uid("z1"), path}));
    struct stat found{};
    ASSERT_EQ(stat(path.c_str(), &found), 0);
    EXPECT_EQ(found.st_blocks, 0);
    EXPECT_EQ(found.st_size, progress);
    EXPECT_GT(found.st_size, 0);
}

TEST_P(Restore, ReplacesNothingUnasked) {
    std::ofstream(path) << "old";
    EXPECT_EQ(run({copy.uid("a1"), path}).error().code, "blocks.exists");
    EXPECT_EQ(os::read_file(path, 100).value(), "old");
    ASSERT_TRUE(run({copy.uid("a1"), path, -1, 1, true}));
    EXPECT_EQ(sha256_hex(os::read_file(path, 1 << 20).value()), wanted("a1"));
    fs::remove(path);
    fs::create_symlink(copy.folder() + "/elsewhere", path);
    EXPECT_EQ(run({copy.uid("a1"), path, -1, 1, true}).error().code, "blocks.exists");
    EXPECT_FALSE(fs::exists(copy.folder() + "/elsewhere"));
}

TEST_P(Restore, LeavesNoFileWhereABlockIsLost) {
    const auto before = std::distance(fs::directory_iterator(copy.folder()), {});
    const auto refused = run({copy.uid("d1"), path});
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, testing::HasSubstr(copy.corrupt_uid()));
    EXPECT_EQ(std::distance(fs::directory_iterator(copy.folder()), {}), before);
}

TEST_P(Restore, NamesTheRangesItLeftOutOnDemand) {
    copy.change("DELETE FROM blocks WHERE version_uid = '" + copy.uid("b1") + "' AND id IN (0, 1)");
    RestoreRequest request = {copy.uid("b1"), path};
    EXPECT_EQ(run(request).error().code, "blocks.absent_row");
    request.allows_holes = true;
    const auto restored = run(request);
    ASSERT_TRUE(restored) << restored.error().text();
    EXPECT_EQ(restored->lost, (std::vector<ByteRange>{{0, 32768}}));
    EXPECT_EQ(os::read_file(path, 1 << 20).value().substr(0, 32768), std::string(32768, '\0'));
}

TEST_P(Restore, RefusesABlockThatDoesNotFitItsPosition) {
    copy.change("UPDATE blocks SET id = 900 WHERE id = 0 AND version_uid = '" + copy.uid("b1")
                + "'");
    copy.change("UPDATE blocks SET id = 0 WHERE version_uid = '" + copy.uid("b1")
                + "' AND id = (SELECT max(id) FROM blocks WHERE id < 900 AND version_uid = '"
                + copy.uid("b1") + "')");
    copy.change("UPDATE blocks SET id = (SELECT max(id) + 1 FROM blocks WHERE id < 900 AND "
                "version_uid = '"
                + copy.uid("b1") + "') WHERE id = 900");
    EXPECT_EQ(run({copy.uid("b1"), path}).error().code, "blocks.row_size");
}

TEST_P(Restore, FindsAVersionByTheStartOfItsUid) {
    EXPECT_TRUE(run({copy.uid("b1").substr(0, 12), path}));
    EXPECT_EQ(run({"no-such", path}).error().code, "blocks.no_version");
    EXPECT_EQ(run({"", path}).error().code, "blocks.no_version");
    EXPECT_EQ(run({copy.uid("b1").substr(0, 1), path}).error().code, "blocks.ambiguous");
}

// Moves a blob to another name when it is asked for, and switches its row, as a rewrite does.
class MovingBlobs : public DataBackend {
public:
    MovingBlobs(const StoreCopy& copy, BlockRow row) : copy_(copy), row_(std::move(row)) {}

    const std::string& name() const override { return blobs_->name(); }

    Result<std::string> place_of(const std::string& uid) const override {
        return blobs_->place_of(uid);
    }

    Status check() const override { return blobs_->check(); }

    Status read(const std::string& uid, std::size_t bytes_max, Buffer& bytes) const override {
        BlockRow moved = row_;
        moved.uid = uid.substr(0, 4) + "moved" + uid.substr(9);
        if (uid == row_.uid && fs::exists(copy_.path_of(row_))) {
            fs::rename(copy_.path_of(row_), copy_.path_of(moved));
            copy_.change("UPDATE blocks SET uid = '" + moved.uid + "' WHERE uid = '" + uid + "'");
        }
        return blobs_->read(uid, bytes_max, bytes);
    }

    Status write(const std::string& uid, std::string_view bytes) const override {
        return blobs_->write(uid, bytes);
    }

    Status sync() const override { return blobs_->sync(); }

    void forget_cached(const std::string& uid) const override { blobs_->forget_cached(uid); }

    Result<bool> remove(const std::string& uid) const override { return blobs_->remove(uid); }

    Result<std::optional<std::int64_t>> bytes_of(const std::string& uid) const override {
        return blobs_->bytes_of(uid);
    }

    std::unique_ptr<BlobNames> names() const override { return blobs_->names(); }

private:
    const StoreCopy& copy_;
    BlockRow row_;
    Blobs blobs_ = file_backend(copy_.config().data);
};

TEST_P(Restore, ReadsTheRowAgainWhereABlobWent) {
    for (const bool allows_holes : {false, true}) {
        Store store = copy.open();
        store.reader.blobs = std::make_shared<MovingBlobs>(copy, copy.first_of_b1());
        RestoreRequest request = {copy.uid("b1"), path, -1, 1, true};
        request.allows_holes = allows_holes;
        const auto restored = restore(*store.metadata, store.reader, request, [](auto, auto) {});
        ASSERT_TRUE(restored) << restored.error().text();
        EXPECT_TRUE(restored->whole());
        EXPECT_EQ(sha256_hex(os::read_file(path, 1 << 20).value()), wanted("b1"));
    }
}

INSTANTIATE_TEST_SUITE_P(Releases,
                         Restore,
                         testing::Values("2.9.17", "2.10.5", "2.11.13", "2.13.8"));

class Inspect : public Restore {};

TEST_P(Inspect, CountsWhatTheManifestTells) {
    Store store = copy.open();
    const Inspection found = inspect(store).value();
    const auto blobs = static_cast<std::int64_t>(copy.manifest()["blobs"].members().size());
    EXPECT_EQ(found.versions.size(), 7U);
    EXPECT_EQ(found.blobs + found.unreferenced, blobs);
    EXPECT_EQ(found.missing, 0);
    EXPECT_EQ(found.strange, 0);
    EXPECT_GT(found.unreferenced, 0);  // of e1, which was removed
    EXPECT_EQ(found.unlisted, 0);
    EXPECT_GT(found.shared, 0);
    EXPECT_TRUE(found.whole());
}

TEST_P(Inspect, NamesMissingUnreferencedAndStrangeFiles) {
    const BlockRow row = copy.first_of_b1();
    fs::remove(copy.path_of(row));
    fs::create_directories(copy.folder() + "/data/zz/yy");
    std::ofstream(copy.folder() + "/data/zz/yy/zzyylost.blob") << "12345";
    std::ofstream(copy.folder() + "/data/zz/yy/other.blob") << "1";
    Store store = copy.open();
    const Inspection found = inspect(store).value();
    EXPECT_EQ(found.missing_uids, std::vector<std::string>{row.uid});
    EXPECT_EQ(found.unreferenced_uids.back(), "zzyylost");
    EXPECT_EQ(found.unlisted, 1);
    EXPECT_EQ(found.strange, 1);
    EXPECT_FALSE(found.whole());
}

TEST_P(Inspect, FindsRowsOfNoVersion) {
    copy.change("DELETE FROM versions WHERE uid = '" + copy.uid("b1") + "'");
    Store store = copy.open();
    const Inspection found = inspect(store).value();
    EXPECT_EQ(found.versions.size(), 6U);
    EXPECT_EQ(found.orphan_rows, copy.manifest()["versions"]["b1"]["blocks"].as_int());
    std::int64_t orphans = 0;
    const auto verdict = verify(
        *store.metadata,
        store.reader,
        2,
        {[&](const Finding& finding) { orphans += finding.error.code == "blocks.orphan_row"; },
         {}});
    ASSERT_TRUE(verdict);
    EXPECT_GT(orphans, 0);
    EXPECT_EQ(verdict->orphan_rows, found.orphan_rows);
}

// backy2 writes while a callback runs: no read lock may be held.
TEST_P(Inspect, HoldsNoLockDuringCallbacks) {
    const Store store = copy.open();
    const auto write = [&](const auto&) {
        return connect_sqlite(copy.config().metadata, SqlAccess::write)
            .value()
            ->execute("UPDATE versions SET valid = valid");
    };
    EXPECT_TRUE(store.metadata->each_version(write));
    EXPECT_TRUE(store.metadata->each_blob_row(write));
    EXPECT_TRUE(store.metadata->each_row_of(copy.uid("a1"), write));
}

TEST_P(Inspect, ReadsAFileThatMayNotBeWritten) {
    fs::permissions(copy.config().metadata, fs::perms::owner_read);
    Store store = copy.open();
    EXPECT_TRUE(inspect(store));
    EXPECT_FALSE(store.metadata->sql().execute("UPDATE versions SET valid = 0"));
}

TEST_P(Inspect, VerifyTellsTheRangesThatAreLost) {
    fs::remove(copy.path_of(copy.first_of_b1()));
    copy.change("DELETE FROM blocks WHERE version_uid = '" + copy.uid("b1") + "' AND id = 1");
    const Store store = copy.open();
    const auto verdict =
        verify(*store.metadata, store.reader, 3, {[](const Finding&) {}, {}}).value();
    EXPECT_EQ(verdict.versions.at(copy.uid("b1")).lost, (std::vector<ByteRange>{{0, 32768}}));
    EXPECT_EQ(verdict.versions.at(copy.uid("d1")).lost, (std::vector<ByteRange>{{16384, 16384}}));
    EXPECT_EQ(verdict.rows, verdict.rows_all);
}

INSTANTIATE_TEST_SUITE_P(Releases,
                         Inspect,
                         testing::Values("2.9.17", "2.10.5", "2.11.13", "2.13.8"));

}  // namespace
}  // namespace drydock::mover::blocks
