#include "mover/s3/folder_copy.h"
#include "mover/s3/folder_manifest.h"
#include "s3/fixture.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace drydock::mover::s3 {
namespace {

using fake_s3::Fault;
using fake_s3::Request;
using testing::ElementsAre;
using testing::IsEmpty;

// Bucket "from" is copied into a folder, and that into bucket "to".
class S3Folder : public testing::Test, protected WithFakeS3 {
protected:
    S3Folder() {
        request_.place = {client_.address(), "from", ""};
        request_.folder = scratch_ / "tree";
        request_.journal = scratch_ / "journal";
        request_.piece_bytes_max = 1'000;
        request_.memory_bytes_max = 3'000;
        request_.limits = k_copy_limits;
        server_.with("from", [](fake_s3::Bucket&) {});
        server_.with("to", [](fake_s3::Bucket&) {});
    }

    CloneReport to_folder() {
        request_.place.bucket = "from";
        const auto report = download(request_, clock_);
        EXPECT_TRUE(report) << report.error().text();
        return report ? *report : CloneReport();
    }

    CloneReport to_bucket() {
        request_.place.bucket = "to";
        const auto report = upload(request_, clock_);
        EXPECT_TRUE(report) << report.error().text();
        return report ? *report : CloneReport();
    }

    std::string upload_refusal() {
        request_.place.bucket = "to";
        const auto report = upload(request_, clock_);
        return report ? "" : report.error().code;
    }

    std::string file(const std::string& path) {
        std::ifstream stream(request_.folder + "/" + path, std::ios::binary);
        std::ostringstream text;
        text << stream.rdbuf();
        return stream ? text.str() : "(none)";
    }

    void write(const std::string& path, const std::string& text) {
        std::filesystem::create_directories(
            std::filesystem::path(request_.folder + "/" + path).parent_path());
        std::ofstream(request_.folder + "/" + path, std::ios::binary) << text;
    }

    ScratchFolder scratch_;
    FolderRequest request_;
};

TEST_F(S3Folder, CarriesEveryKeyThereAndBack) {
    for (const std::string& key : {std::string("a"),
                                   std::string("a/b"),
                                   std::string("a/"),
                                   std::string("/"),
                                   std::string("//x"),
                                   std::string(".."),
                                   std::string("a/../b"),
                                   std::string("100%"),
                                   std::string("%drydock-manifest.jsonl"),
                                   std::string("\n"),
                                   std::string("\u4e2d\U0001F600"),
                                   std::string(1024, 'l')}) {
        server_.put("from", key, "of " + key);
    }
    server_.put("from", "empty", "");
    put_rich_object("big");
    server_.with("from", [](fake_s3::Bucket& bucket) {
        bucket.objects["a"].back().headers["x-amz-meta-small"] = "yes";
        bucket.objects["a"].back().tags["one"] = "two";
    });
    const CloneReport down = to_folder();
    EXPECT_EQ(down.copied, 14);
    EXPECT_TRUE(down.is_whole()) << (down.failures.empty() ? "" : down.failures[0].error.text());
    EXPECT_EQ(file("a%2Fb"), "of a/b");
    EXPECT_EQ(file("big"), std::string(2'500, 'p'));
    const CloneReport up = to_bucket();
    EXPECT_EQ(up.copied, 14);
    EXPECT_TRUE(up.is_whole()) << (up.failures.empty() ? "" : up.failures[0].error.text());
    EXPECT_EQ(server_.keys("to"), server_.keys("from"));
    for (const std::string& key : server_.keys("from")) {
        EXPECT_EQ(server_.body_of("to", key), server_.body_of("from", key)) << key;
    }
    server_.with("to", [](fake_s3::Bucket& bucket) {
        EXPECT_EQ(bucket.objects["a"].back().headers.at("x-amz-meta-small"), "yes");
        EXPECT_EQ(bucket.objects["a"].back().tags.at("one"), "two");
        EXPECT_EQ(bucket.objects["big"].back().headers.at("x-amz-meta-owner"), "me");
        EXPECT_EQ(bucket.objects["big"].back().tags.at("team"), "a b&c");
    });
    EXPECT_EQ(server_.open_uploads(), 0U);
}

TEST_F(S3Folder, CopiesNothingTwice) {
    server_.put("from", "a/b", "bytes");
    put_rich_object("big");
    EXPECT_EQ(to_folder().copied, 2);
    server_.forget_requests();
    const CloneReport down = to_folder();
    EXPECT_EQ(down.equal, 2);
    EXPECT_EQ(down.copied, 0);
    EXPECT_EQ(server_.count("HEAD"), 0U) << "the manifest has the headers";
    EXPECT_EQ(to_bucket().copied, 2);
    EXPECT_EQ(to_bucket().equal, 2);
}

// Killed in front of the manifest: the files are known by their content, and what the manifest
// holds is read again. An unfinished file is removed.
TEST_F(S3Folder, GoesOnWithoutAManifest) {
    server_.put("from", "a", "bytes");
    put_rich_object("big");
    to_folder();
    std::filesystem::remove(manifest_path(request_.folder));
    write("%drydock-part-7", "half");
    const CloneReport report = to_folder();
    EXPECT_EQ(report.equal, 2);
    EXPECT_EQ(report.copied, 0);
    EXPECT_EQ(file("%drydock-part-7"), "(none)");
    FolderEntries entries(request_.folder);
    const auto entry = entries.find("big");
    ASSERT_TRUE(entry && *entry);
    EXPECT_THAT((*entry)->headers, testing::Contains(NameValue("x-amz-meta-owner", "me")));
    EXPECT_EQ((*entry)->tags, "team=a%20b%26c");
}

TEST_F(S3Folder, ReplacesOnlyWhenToldTo) {
    server_.put("from", "k", "new");
    write("k", "old");
    EXPECT_THAT(to_folder().differ.keys, ElementsAre("k"));
    EXPECT_EQ(file("k"), "old");
    request_.replaces = true;
    EXPECT_EQ(to_folder().copied, 1);
    EXPECT_EQ(file("k"), "new");
    server_.put("to", "k", "of the target");
    server_.put("to", "other", "of the target");
    request_.replaces = false;
    const CloneReport up = to_bucket();
    EXPECT_THAT(up.differ.keys, ElementsAre("k"));
    EXPECT_THAT(up.extra.keys, ElementsAre("other"));
    EXPECT_EQ(server_.body_of("to", "k"), "of the target");
}

TEST_F(S3Folder, NamesWhatIsInTheWay) {
    server_.put("from", "a/b", "bytes");
    server_.put("from", "c", "bytes");
    server_.put("from", "l/x", "bytes");
    write("a", "a file where a folder must be");
    std::filesystem::create_directories(request_.folder + "/c/d");
    std::filesystem::create_directory(scratch_ / "outside");
    std::filesystem::create_directory_symlink(scratch_ / "outside", request_.folder + "/l");
    const CloneReport report = to_folder();
    ASSERT_EQ(report.failed, 3);
    for (const KeyFailure& failure : report.failures) {
        EXPECT_EQ(failure.error.code, "s3.folder_conflict") << failure.key;
    }
    EXPECT_TRUE(std::filesystem::is_empty(scratch_ / "outside")) << "no link is followed";
}

TEST_F(S3Folder, LosesNoFileSilently) {
    write("a/b", "one");
    write("a%2Fb", "two");
    EXPECT_EQ(upload_refusal(), "s3.folder_name") << "two files of one key";
    std::filesystem::remove(request_.folder + "/a%2Fb");
    write("100% sure", "three");
    EXPECT_EQ(upload_refusal(), "s3.folder_name") << "no escape";
    std::filesystem::remove(request_.folder + "/100% sure");
    std::filesystem::create_symlink("/etc/passwd", request_.folder + "/link");
    const CloneReport report = to_bucket();
    EXPECT_THAT(report.skipped.keys, ElementsAre("link"));
    EXPECT_FALSE(report.is_whole());
    EXPECT_THAT(server_.keys("to"), ElementsAre("a/b"));
}

TEST_F(S3Folder, NamesAnEntryWhoseFileIsGone) {
    server_.put("from", "a", "bytes");
    server_.put("from", "z", "bytes");
    to_folder();
    std::filesystem::remove(request_.folder + "/z");
    const CloneReport report = to_bucket();
    ASSERT_EQ(report.failed, 1);
    EXPECT_EQ(report.failures[0].key, "z");
    EXPECT_EQ(report.failures[0].error.code, "s3.folder_missing");
}

TEST_F(S3Folder, NamesARottenObject) {
    server_.put("from", "k", "bytes");
    server_.with("from", [](fake_s3::Bucket& bucket) { bucket.objects["k"].back().body[0] = '?'; });
    const CloneReport report = to_folder();
    ASSERT_EQ(report.failed, 1);
    EXPECT_EQ(report.failures[0].error.code, "s3.etag");
    EXPECT_EQ(file("k"), "(none)");
}

TEST_F(S3Folder, SurvivesFaults) {
    for (int i = 0; i < 40; ++i) {
        server_.put("from", fmt::format("k/{:03}", i), fmt::format("bytes of {}", i));
    }
    put_rich_object("big");
    for (const Fault fault : {Fault::slow_down, Fault::reset_before, Fault::reset_after}) {
        std::filesystem::remove_all(request_.folder);
        server_.with("to", [](fake_s3::Bucket& bucket) { bucket.objects.clear(); });
        server_.fault = [fault, n = 0](const Request& request) mutable {
            return !request.key.empty() && ++n % 3 == 0 ? fault : Fault::none;
        };
        EXPECT_TRUE(to_folder().is_whole());
        CloneReport up = to_bucket();
        server_.fault = nullptr;
        // The creation of an upload is sent once, and other requests a few times. What failed is
        // named, and the next run makes it.
        EXPECT_EQ(up.failed, static_cast<std::int64_t>(up.failures.size()));
        up = up.is_whole() ? up : to_bucket();
        EXPECT_TRUE(up.is_whole());
        EXPECT_EQ(server_.keys("to"), server_.keys("from"));
        EXPECT_EQ(server_.open_uploads(), 0U) << static_cast<int>(fault);
    }
}

TEST_F(S3Folder, WritesNothingInADryRun) {
    server_.put("from", "a", "bytes");
    request_.dry_run = true;
    EXPECT_EQ(to_folder().copied, 1);
    EXPECT_FALSE(std::filesystem::exists(request_.folder));
    request_.dry_run = false;
    to_folder();
    request_.dry_run = true;
    EXPECT_EQ(to_bucket().copied, 1);
    EXPECT_THAT(server_.keys("to"), IsEmpty());
}

}  // namespace
}  // namespace drydock::mover::s3
