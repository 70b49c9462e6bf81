// Clones within a server that cannot copy parts, as Google's S3-compatible interface: what one
// request does not copy passes through this process.
#include "mover/s3/copy_journal.h"
#include "s3/clone_fixture.h"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

namespace drydock::mover::s3 {
namespace {

using fake_s3::PartCopies;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Bytes that differ from part to part.
std::string parts_of(int count, std::size_t size) {
    std::string body;
    for (int i = 0; i < count; ++i) {
        body += std::string(size, static_cast<char>('a' + i % 26));
    }
    return body;
}

class S3PartCopies : public S3Clone {
protected:
    // Small objects, one in parts with all that a part does not carry, an empty one, one above the
    // limit of one copy, and odd keys.
    void fill_all() {
        fill(20);
        put_rich_object("big", parts_of(5, 500));
        server_.put("from", "empty", "");
        server_.put("from", "large", parts_of(10, 500));
        server_.put_parts("from", "odd//../ %2F+\u4e2d", parts_of(3, 700), {700, 700, 700});
        server_.put_parts("from", "one part", "only one", {8});
        request_.copy_bytes_max = 3'000;
        request_.piece_bytes_max = 2'000;
        server_.forget_requests();
    }

    // Of the source, by ranges.
    std::int64_t bytes_read() {
        std::int64_t bytes = 0;
        for (const fake_s3::Request& request : server_.requests()) {
            const std::string range = request.header("range");
            if (request.method == "GET" && request.bucket == "from" && !range.empty()) {
                const auto dash = range.find('-');
                bytes +=
                    std::stoll(range.substr(dash + 1)) + 1 - std::stoll(range.substr(6, dash - 6));
            }
        }
        return bytes;
    }

    enum class Of : std::uint8_t { probe, objects };

    // Returns the number of UploadPartCopy requests.
    std::size_t part_copies(Of of) {
        const std::vector<fake_s3::Request> requests = server_.requests();
        return static_cast<std::size_t>(
            std::count_if(requests.begin(), requests.end(), [of](const fake_s3::Request& request) {
                const bool is_probe = request.key.starts_with(".drydock-probe");
                return request.has("partNumber") && request.headers.contains("x-amz-copy-source")
                       && is_probe == (of == Of::probe);
            }));
    }

    void expect_the_same_objects() {
        EXPECT_EQ(server_.keys("to"), server_.keys("from"));
        for (const std::string& key : server_.keys("from")) {
            EXPECT_EQ(server_.body_of("to", key), server_.body_of("from", key)) << key;
        }
        EXPECT_TRUE(compare(true).is_equal());
        EXPECT_EQ(server_.open_uploads(), 0U);
    }

    // Runs the clone in a process of its own, which is killed once so many bytes were copied.
    void clone_and_die(std::int64_t bytes) {
        const pid_t child = fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            request_.progressed = [bytes](const WalkProgress& progress) {
                if (progress.bytes >= bytes) {
                    _exit(9);
                }
            };
            (void)s3::clone(request_, clock_);
            _exit(0);
        }
        int status = 0;
        ASSERT_EQ(waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFEXITED(status));
        ASSERT_EQ(WEXITSTATUS(status), 9) << "the clone ended by itself";
    }
};

TEST_F(S3PartCopies, PassThroughWhereTheServerHasNone) {
    fill_all();
    for (const PartCopies answer :
         {PartCopies::not_implemented, PartCopies::invalid, PartCopies::ignored}) {
        server_.with("to", [](fake_s3::Bucket& bucket) { bucket.objects.clear(); });
        std::filesystem::remove(request_.journal);
        server_.forget_requests();
        server_.abilities.part_copies = answer;
        const CloneReport report = clone();
        EXPECT_TRUE(report.is_whole())
            << (report.failures.empty() ? "" : report.failures[0].error.text());
        EXPECT_FALSE(report.abilities.copies_parts);
        EXPECT_TRUE(report.abilities.digests_parts);
        EXPECT_FALSE(report.passed_bytes);
        EXPECT_EQ(report.copied, 25);
        EXPECT_EQ(report.relayed_bytes, 2'500 + 5'000 + 2'100 + 8);
        EXPECT_GE(part_copies(Of::probe), 1U);
        EXPECT_EQ(part_copies(Of::objects), 0U) << "the probe has told that none would succeed";
        EXPECT_EQ(report.recorded, 1) << "the large one, which had no parts";
        EXPECT_THAT(target("big").parts, ElementsAre(1000, 1000, 500));
        EXPECT_EQ(target("big").headers.at("x-amz-meta-owner"), "me");
        EXPECT_EQ(target("big").tags.at("team"), "a b&c");
        EXPECT_THAT(target("large").parts, ElementsAre(2000, 2000, 1000));
        expect_the_same_objects();
        server_.forget_requests();
        const CloneReport again = clone();
        EXPECT_EQ(again.equal, 25);
        EXPECT_EQ(again.relayed_bytes, 0);
        EXPECT_EQ(server_.count("HEAD") + server_.count("PUT"), 0U);
    }
}

// Only what the server cannot copy is read: each byte of it once, and none of the other objects.
TEST_F(S3PartCopies, ReadOnlyWhatTheServerCannotCopy) {
    fill_all();
    server_.abilities.part_copies = PartCopies::not_implemented;
    clone();
    EXPECT_EQ(bytes_read(), 2'500 + 5'000 + 2'100 + 8);
    for (const fake_s3::Request& request : server_.requests()) {
        const bool is_read = request.method == "GET" && request.bucket == "from";
        EXPECT_FALSE(is_read && request.key.starts_with("k0")) << request.key;
    }
}

TEST_F(S3PartCopies, AreUsedWhereTheServerHasThem) {
    fill_all();
    const CloneReport report = clone();
    EXPECT_TRUE(report.abilities.copies_parts);
    EXPECT_EQ(report.relayed_bytes, 0);
    EXPECT_EQ(bytes_read(), 0);
    EXPECT_EQ(part_copies(Of::objects), 3U + 3U + 2U + 1U);
    expect_the_same_objects();
}

TEST_F(S3PartCopies, AreAskedForAgainByAnOldJournal) {
    server_.abilities.part_copies = PartCopies::not_implemented;
    put_rich_object("big");
    {
        auto journal =
            CopyJournal::open(request_.journal, server_.endpoint() + " s3://from/ to s3://to/");
        ASSERT_TRUE(journal) << journal.error().text();
        ASSERT_TRUE(journal->set_note(
            "abilities",
            fmt::format(R"({{"probed_ms":{},"sums":true,"if_none_match":true,)"
                        R"("copy_condition":true,"tags":true,"part_sizes":true,"keys":true}})",
                        clock_.wall_ms())));
        ASSERT_TRUE(journal->commit());
    }
    EXPECT_TRUE(clone().is_whole());
    EXPECT_EQ(part_copies(Of::probe), 1U);
    EXPECT_TRUE(clone().is_whole());
    EXPECT_EQ(part_copies(Of::probe), 1U) << "the journal keeps the answer";
}

TEST_F(S3PartCopies, VersionsPassThroughInOrder) {
    for (const char* bucket : {"from", "to"}) {
        server_.with(bucket, [](fake_s3::Bucket& content) { content.has_versions = true; });
    }
    server_.put("from", "k", "one");
    server_.put_parts("from", "k", parts_of(2, 600), {600, 600});
    server_.put("from", "k", "three");
    server_.abilities.part_copies = PartCopies::not_implemented;
    request_.has_versions = true;
    const CloneReport report = clone();
    EXPECT_EQ(report.copied, 3);
    EXPECT_EQ(report.relayed_bytes, 1'200);
    EXPECT_EQ(clone().equal, 1);
    EXPECT_TRUE(compare(true).is_equal());
}

// The upload of the dead run is known by the journal, and the cursor tells what is left.
TEST_F(S3PartCopies, GoOnAfterADeath) {
    fill(1'500);
    server_.put_parts("from", "z", parts_of(60, 100), std::vector<std::size_t>(60, 100));
    server_.abilities.part_copies = PartCopies::not_implemented;
    request_.memory_bytes_max = 100;
    std::int64_t small_bytes = 0;
    for (const std::string& key : server_.keys("from")) {
        small_bytes +=
            key == "z" ? 0 : static_cast<std::int64_t>(server_.body_of("from", key).size());
    }
    ASSERT_NO_FATAL_FAILURE(clone_and_die(small_bytes + 500));
    EXPECT_EQ(server_.open_uploads(), 1U);
    EXPECT_EQ(target("z").body, "");
    const CloneReport report = clone();
    EXPECT_TRUE(report.is_whole());
    EXPECT_TRUE(report.is_resumed);
    EXPECT_EQ(report.removed_uploads, 1);
    EXPECT_EQ(report.copied, 1) << "what was there is not copied again";
    EXPECT_EQ(report.relayed_bytes, 6'000);
    expect_the_same_objects();
    EXPECT_EQ(clone().equal, 1'501);
}

// ETags that are no digests, no tags, no checksums, no sizes of parts.
TEST_F(S3PartCopies, GooglesInterfaceAsItIsKnown) {
    server_.abilities = fake_s3::as_googles_interface();
    fill_all();
    const std::string etag = [&] {
        std::string found;
        server_.with("from",
                     [&](fake_s3::Bucket& bucket) { found = bucket.objects["big"].back().etag; });
        return found;
    }();
    ASSERT_THAT(etag, testing::Not(HasSubstr("-")));
    const CloneReport report = clone();
    EXPECT_TRUE(report.is_whole())
        << (report.failures.empty() ? "" : report.failures[0].error.text());
    EXPECT_FALSE(report.abilities.copies_parts);
    EXPECT_FALSE(report.abilities.digests_parts);
    EXPECT_FALSE(report.abilities.keeps_tags);
    EXPECT_EQ(report.copied, 25);
    EXPECT_EQ(report.relayed_bytes, 5'000) << "one request copies the others, whatever their parts";
    EXPECT_EQ(report.recorded, 4);
    EXPECT_EQ(target("big").headers.at("x-amz-meta-owner"), "me");
    expect_the_same_objects();
    EXPECT_EQ(compare().by_content, 4);
    server_.forget_requests();
    EXPECT_EQ(clone().equal, 25);
    EXPECT_EQ(server_.count("HEAD") + server_.count("PUT"), 0U);
    server_.with("to", [](fake_s3::Bucket& bucket) { bucket.objects["big"].back().body[0] = '?'; });
    EXPECT_THAT(compare().differ.keys, ElementsAre("big")) << "verify reads what ETags do not tell";
}

TEST_F(S3PartCopies, GooglesInterfaceGoesOnAfterADeath) {
    server_.abilities = fake_s3::as_googles_interface();
    fill(50);
    server_.put("from", "z", parts_of(60, 100));
    request_.copy_bytes_max = 3'000;
    request_.piece_bytes_max = 100;
    request_.memory_bytes_max = 100;
    ASSERT_NO_FATAL_FAILURE(clone_and_die(2'000));
    EXPECT_EQ(server_.open_uploads(), 1U);
    const CloneReport report = clone();
    EXPECT_TRUE(report.is_whole());
    EXPECT_EQ(report.removed_uploads, 1);
    expect_the_same_objects();
    EXPECT_EQ(clone().equal, 51);
}

// An ETag that is no digest cannot be held against the bytes that were read.
TEST_F(S3PartCopies, GooglesInterfaceCanPassAllBytes) {
    server_.abilities = fake_s3::as_googles_interface();
    fill_all();
    request_.passes_bytes = true;
    const CloneReport report = clone();
    EXPECT_TRUE(report.is_whole())
        << (report.failures.empty() ? "" : report.failures[0].error.text());
    EXPECT_TRUE(report.passed_bytes);
    EXPECT_EQ(report.relayed_bytes, 0) << "as it was asked for";
    expect_the_same_objects();
    EXPECT_EQ(clone().equal, 25);
}

// A part that came to another content is refused by its own ETag, since that of the object tells
// nothing.
TEST_F(S3PartCopies, GooglesInterfaceMustKeepEachPart) {
    server_.abilities = fake_s3::as_googles_interface();
    server_.put("from", "large", parts_of(10, 500));
    request_.copy_bytes_max = 3'000;
    request_.piece_bytes_max = 2'000;
    server_.fault = [](const fake_s3::Request& request) {
        return request.key == "large" && request.parameter("partNumber") == "2"
                   ? fake_s3::Fault::wrong_etag
                   : fake_s3::Fault::none;
    };
    const CloneReport report = clone();
    ASSERT_EQ(report.failed, 1);
    EXPECT_EQ(report.failures[0].error.code, "s3.etag");
    EXPECT_THAT(server_.keys("to"), IsEmpty());
}

TEST(S3Shortcomings, TellThatBytesPassThrough) {
    Abilities abilities;
    EXPECT_THAT(shortcomings(abilities, false), IsEmpty()) << "nothing was probed";
    abilities.is_probed = true;
    EXPECT_THAT(shortcomings(abilities, false),
                testing::Contains(HasSubstr("pass through drydock")));
    EXPECT_THAT(shortcomings(abilities, true),
                testing::Not(testing::Contains(HasSubstr("pass through drydock"))));
    abilities.copies_parts = true;
    EXPECT_THAT(shortcomings(abilities, false),
                testing::Not(testing::Contains(HasSubstr("pass through drydock"))));
}

}  // namespace
}  // namespace drydock::mover::s3
