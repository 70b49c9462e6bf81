#include "mover/s3/folder_copy.h"
#include "mover/s3/folder_manifest.h"
#include "mover/s3/list_compare.h"
#include "s3/fixture.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

namespace drydock::mover::s3 {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

// Bucket "from" with its folder and its manifest, as they were made from it.
class S3ListCompare : public testing::Test, protected WithFakeS3 {
protected:
    S3ListCompare() {
        for (const char* key : {"a", "a/b", "c", "z//"}) {
            server_.put("from", key, std::string("of ") + key);
        }
        put_rich_object("big");
        bucket_ = {SideKind::bucket, {client_.address(), "from", ""}, ""};
        folder_ = {SideKind::folder, {}, scratch_ / "tree"};
        manifest_ = {SideKind::manifest, {}, scratch_ / "manifest"};
        FolderRequest copy;
        copy.place = bucket_.place;
        copy.folder = folder_.path;
        copy.limits = k_copy_limits;
        EXPECT_TRUE(download(copy, clock_));
        write_manifest_file(true);
    }

    void write_manifest_file(bool has_digests) {
        std::ofstream stream(manifest_.path, std::ios::binary);
        ManifestRequest request = {.place = bucket_.place, .has_digests = has_digests};
        request.limits = k_copy_limits;
        EXPECT_TRUE(write_manifest(request, stream, clock_));
    }

    Result<CompareReport>
    compared(const ComparedSide& source, const ComparedSide& target, bool reads_all = false) {
        return verify_list(
            {.source = source, .target = target, .reads_all = reads_all, .limits = k_copy_limits},
            clock_);
    }

    CompareReport
    report(const ComparedSide& source, const ComparedSide& target, bool reads_all = false) {
        const auto result = compared(source, target, reads_all);
        EXPECT_TRUE(result) << result.error().text();
        return result ? *result : CompareReport();
    }

    std::string refusal(const ComparedSide& source, const ComparedSide& target) {
        const auto result = compared(source, target);
        return result ? "" : result.error().code;
    }

    void write(const std::string& path, const std::string& text) {
        std::ofstream(folder_.path + "/" + path, std::ios::binary) << text;
    }

    void write_lines(const std::string& text) {
        std::ofstream(manifest_.path, std::ios::binary) << text;
    }

    ScratchFolder scratch_;
    ComparedSide bucket_;
    ComparedSide folder_;
    ComparedSide manifest_;
};

TEST_F(S3ListCompare, FindsEqualWhatIsEqual) {
    for (const auto& [source, target] : {std::pair(bucket_, folder_),
                                         std::pair(folder_, bucket_),
                                         std::pair(bucket_, manifest_),
                                         std::pair(manifest_, bucket_),
                                         std::pair(folder_, manifest_),
                                         std::pair(manifest_, folder_)}) {
        for (const bool reads_all : {false, true}) {
            const CompareReport found = report(source, target, reads_all);
            EXPECT_TRUE(found.is_equal());
            EXPECT_EQ(found.objects, 5);
            EXPECT_EQ(found.by_etag + found.by_content, 5);
            EXPECT_EQ(found.extra.count, 0);
        }
    }
}

// The parts of "big" have no usual size, so its ETag cannot be made again from the file.
TEST_F(S3ListCompare, ReadsAnObjectOnlyWhereItsEtagDoesNotDecide) {
    server_.forget_requests();
    const CompareReport found = report(bucket_, folder_);
    EXPECT_EQ(found.by_etag, 4);
    EXPECT_EQ(found.by_content, 1);
    EXPECT_EQ(server_.count("GET"), 2U) << "one list, and one object";
    server_.forget_requests();
    EXPECT_EQ(report(bucket_, manifest_).by_etag, 5);
    EXPECT_EQ(server_.count("GET"), 1U) << "one list";
    EXPECT_EQ(report(bucket_, manifest_, true).by_content, 5);
}

TEST_F(S3ListCompare, NamesEveryDifference) {
    write("c", "of C");
    write("big", std::string(2'500, 'q'));
    write("more", "of nobody");
    std::filesystem::remove(folder_.path + "/a");
    for (const ComparedSide& source : {bucket_, manifest_}) {
        const CompareReport found = report(source, folder_);
        EXPECT_FALSE(found.is_equal());
        EXPECT_THAT(found.differ.keys, UnorderedElementsAre("big", "c"));
        EXPECT_THAT(found.missing.keys, ElementsAre("a"));
        EXPECT_THAT(found.extra.keys, ElementsAre("more"));
        const CompareReport back = report(folder_, source);
        EXPECT_THAT(back.differ.keys, UnorderedElementsAre("big", "c"));
        EXPECT_THAT(back.missing.keys, ElementsAre("more"));
        EXPECT_THAT(back.extra.keys, ElementsAre("a"));
    }
}

// The same size, and a byte that rotted on the disk of the server: its list says what it was.
TEST_F(S3ListCompare, FindsARottenObjectOnlyByReadingIt) {
    server_.with("from", [](fake_s3::Bucket& bucket) { bucket.objects["c"].back().body[0] = '?'; });
    EXPECT_TRUE(report(manifest_, bucket_).is_equal());
    EXPECT_THAT(report(manifest_, bucket_, true).differ.keys, ElementsAre("c"));
    EXPECT_THAT(report(folder_, bucket_, true).differ.keys, ElementsAre("c"));
}

TEST_F(S3ListCompare, SaysWhatNothingDecides) {
    write_manifest_file(false);
    CompareReport found = report(manifest_, folder_);
    EXPECT_EQ(found.by_etag, 4);
    ASSERT_EQ(found.unread, 1);
    EXPECT_EQ(found.failures[0].key, "big");
    EXPECT_EQ(found.failures[0].error.code, "s3.undecided");
    EXPECT_FALSE(found.is_equal());
    server_.put("from", "c", "of C");
    found = report(manifest_, bucket_);
    EXPECT_EQ(found.by_etag, 4);
    EXPECT_EQ(found.unread, 1);
}

TEST_F(S3ListCompare, TakesTheManifestOfAFolder) {
    const ComparedSide own = {SideKind::manifest, {}, manifest_path(folder_.path)};
    EXPECT_EQ(report(own, folder_).by_content, 5);
    write("a", "rotten");
    EXPECT_FALSE(report(own, folder_).is_equal());
}

TEST_F(S3ListCompare, CountsALinkOfTheSourceAsADifference) {
    std::filesystem::create_symlink("/etc/passwd", folder_.path + "/link");
    EXPECT_FALSE(report(folder_, bucket_).is_equal());
    EXPECT_TRUE(report(bucket_, folder_).is_equal());
}

TEST_F(S3ListCompare, RefusesAManifestThatIsNone) {
    const std::string head = R"({"format":"drydock-s3-manifest","version":1})"
                             "\n";
    const std::string line = R"({"key":"k","bytes":1,"etag":"e"})";
    for (const std::string& text :
         {std::string(),
          std::string("{}\n"),
          std::string(R"({"format":"drydock-s3-manifest","version":2})"
                      "\n"),
          std::string(R"({"format":"drydock-s3-manifest","version":1,"versions":true})"
                      "\n"),
          head + line,
          head + line + "\n" + line + "\n",
          head + R"({"key":"k"})" + "\n",
          head + line.substr(0, 9) + "\n"}) {
        write_lines(text);
        EXPECT_EQ(refusal(manifest_, folder_), "s3.manifest") << text;
        EXPECT_EQ(refusal(bucket_, manifest_), "s3.manifest") << text;
    }
    write_lines(head + line + "\n");
    EXPECT_EQ(report(manifest_, folder_).missing.count, 1);
}

TEST_F(S3ListCompare, RefusesSidesThatAreNotThere) {
    const ComparedSide nowhere = {SideKind::folder, {}, scratch_ / "nowhere"};
    EXPECT_EQ(refusal(bucket_, nowhere), "s3.folder");
    EXPECT_EQ(refusal({SideKind::manifest, {}, scratch_ / "nowhere"}, bucket_), "s3.manifest");
    EXPECT_EQ(refusal(folder_, folder_), "s3.setting");
}

}  // namespace
}  // namespace drydock::mover::s3
