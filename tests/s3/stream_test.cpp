#include "mover/s3/byte_budget.h"
#include "mover/s3/clone.h"
#include "mover/s3/compare.h"
#include "s3/fixture.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>

namespace drydock::mover::s3 {
namespace {

using fake_s3::Fault;
using fake_s3::Request;
using testing::ElementsAre;

// Bucket "from" of one server is cloned to bucket "to" of another one.
class S3Stream : public testing::Test, protected WithFakeS3 {
protected:
    S3Stream() {
        ServerAddress other = client_.address();
        other.endpoint = other_server_.endpoint();
        request_.source = {client_.address(), "from", ""};
        request_.target = {other, "to", ""};
        request_.journal = folder_ / "journal";
        request_.limits = k_copy_limits;
        server_.with("from", [](fake_s3::Bucket&) {});
        other_server_.with("to", [](fake_s3::Bucket&) {});
    }

    CloneReport clone() {
        const auto report = s3::clone(request_, clock_);
        EXPECT_TRUE(report) << report.error().text();
        return report ? *report : CloneReport();
    }

    // Reads every byte of both sides.
    std::int64_t equal_objects() {
        const auto report = verify({.source = request_.source,
                                    .target = request_.target,
                                    .has_versions = request_.has_versions,
                                    .reads_all = true,
                                    .limits = request_.limits},
                                   clock_);
        EXPECT_TRUE(report) << report.error().text();
        return report && report->is_equal() ? report->by_content : -1;
    }

    // Its parts differ.
    void put_rich_object(const std::string& key) {
        WithFakeS3::put_rich_object(key, std::string(1000, '1') + std::string(1500, '2'));
    }

    fake_s3::Version target(const std::string& key) {
        fake_s3::Version version;
        other_server_.with("to", [&](fake_s3::Bucket& bucket) {
            if (!bucket.objects[key].empty()) {
                version = bucket.objects[key].back();
            }
        });
        return version;
    }

    fake_s3::FakeS3 other_server_;
    ScratchFolder folder_;
    CloneRequest request_;
};

TEST_F(S3Stream, CopiesBetweenServersAndThenNothing) {
    for (int i = 0; i < 300; ++i) {
        server_.put("from", fmt::format("k{:05}", i), fmt::format("bytes of {}", i));
    }
    put_rich_object("big");
    server_.put("from", "empty", "");
    request_.keeps_acl = true;
    request_.memory_bytes_max = 3'000;
    const CloneReport report = clone();
    EXPECT_TRUE(report.is_whole())
        << (report.failures.empty() ? "" : report.failures[0].error.text());
    EXPECT_TRUE(report.passed_bytes);
    EXPECT_EQ(report.copied, 302);
    EXPECT_EQ(report.recorded, 0);
    EXPECT_EQ(equal_objects(), 302);
    EXPECT_THAT(target("big").parts, ElementsAre(1000, 1000, 500));
    EXPECT_EQ(target("big").headers.at("x-amz-meta-owner"), "me");
    EXPECT_EQ(target("big").tags.at("team"), "a b&c");
    EXPECT_THAT(target("big").acl, testing::HasSubstr("public"));
    server_.forget_requests();
    other_server_.forget_requests();
    EXPECT_EQ(clone().equal, 302);
    EXPECT_EQ(server_.count("HEAD") + other_server_.count("HEAD"), 0U);
    EXPECT_EQ(other_server_.count("PUT"), 0U);
}

// An object that was put whole and does not fit into memory gets parts, and so another ETag.
TEST_F(S3Stream, RecordsWhatIsTooLargeForOnePiece) {
    server_.put("from", "large", std::string(5'000, 'x'));
    request_.piece_bytes_max = 1'500;
    const CloneReport report = clone();
    EXPECT_EQ(report.recorded, 1);
    EXPECT_THAT(target("large").parts, ElementsAre(1500, 1500, 1500, 500));
    EXPECT_EQ(clone().equal, 1) << "the journal has the pair";
    EXPECT_EQ(equal_objects(), 1);
}

// The probe has told that the target keeps no tags, and that its ETags of uploads are no digests.
TEST_F(S3Stream, CopiesToGooglesInterfaceAsItIsKnown) {
    other_server_.abilities = fake_s3::as_googles_interface();
    put_rich_object("big");
    server_.put("from", "small", "bytes");
    server_.with("from", [](fake_s3::Bucket& bucket) {
        bucket.objects["small"].back().tags = {{"team", "a"}};
    });
    const CloneReport report = clone();
    EXPECT_TRUE(report.is_whole())
        << (report.failures.empty() ? "" : report.failures[0].error.text());
    EXPECT_EQ(report.recorded, 1);
    EXPECT_EQ(target("big").headers.at("x-amz-meta-owner"), "me");
    EXPECT_TRUE(target("big").tags.empty());
    EXPECT_THAT(shortcomings(report.abilities, true),
                testing::Contains(testing::HasSubstr("tags are lost")));
    EXPECT_EQ(equal_objects(), 2);
    EXPECT_EQ(clone().equal, 2);
}

TEST_F(S3Stream, CopiesVersionsInOrder) {
    server_.with("from", [](fake_s3::Bucket& bucket) { bucket.has_versions = true; });
    other_server_.with("to", [](fake_s3::Bucket& bucket) { bucket.has_versions = true; });
    server_.put("from", "k", "one");
    server_.with("from", [](fake_s3::Bucket& bucket) {
        bucket.objects["k"].push_back({.id = "m1", .is_marker = true});
    });
    server_.put("from", "k", "two");
    request_.has_versions = true;
    EXPECT_EQ(clone().copied, 2);
    EXPECT_EQ(clone().equal, 1);
    EXPECT_EQ(equal_objects(), 1);
}

TEST_F(S3Stream, SurvivesFaultsOfBothServers) {
    for (int i = 0; i < 60; ++i) {
        server_.put("from", fmt::format("k{:05}", i), fmt::format("bytes of {}", i));
    }
    put_rich_object("big");
    for (const Fault fault : {Fault::slow_down,
                              Fault::internal_error,
                              Fault::reset_before,
                              Fault::reset_after,
                              Fault::cut_answer}) {
        other_server_.with("to", [](fake_s3::Bucket& bucket) { bucket.objects.clear(); });
        std::filesystem::remove(request_.journal);
        const auto each_third = [fault, n = 0](const Request& request) mutable {
            const bool is_object = !request.key.empty() && request.method != "HEAD";
            return is_object && ++n % 3 == 0 ? fault : Fault::none;
        };
        server_.fault = each_third;
        other_server_.fault = each_third;
        CloneReport report = clone();
        server_.fault = nullptr;
        other_server_.fault = nullptr;
        // A request is sent a few times. What failed then is named, and the next run copies it.
        EXPECT_EQ(report.failed, static_cast<std::int64_t>(report.failures.size()));
        report = report.is_whole() ? report : clone();
        EXPECT_TRUE(report.is_whole())
            << static_cast<int>(fault) << " "
            << (report.failures.empty() ? "" : report.failures[0].error.text());
        EXPECT_EQ(equal_objects(), 61) << static_cast<int>(fault);
        EXPECT_EQ(other_server_.open_uploads(), 0U) << static_cast<int>(fault);
    }
}

TEST_F(S3Stream, NamesAKeyWhoseCopyIsWrong) {
    server_.put("from", "good", "bytes");
    server_.put("from", "bad", "bytes");
    server_.put("from", "rotten", "bytes");
    server_.with("from", [](fake_s3::Bucket& bucket) {
        bucket.objects["rotten"].back().body[0] = '?';  // and the ETag stays
    });
    other_server_.fault = [](const Request& request) {
        return request.key == "bad" ? Fault::wrong_etag : Fault::none;
    };
    const CloneReport report = clone();
    EXPECT_EQ(report.failed, 2);
    for (const KeyFailure& failure : report.failures) {
        EXPECT_EQ(failure.error.code, "s3.etag") << failure.key;
    }
    EXPECT_EQ(report.copied, 1);
}

TEST(S3ByteBudget, GivesSharesInOrder) {
    ByteBudget budget(10);
    std::vector<int> begun;
    budget.take(6, [&] { begun.push_back(1); });
    budget.take(6, [&] { begun.push_back(2); });
    budget.take(1, [&] { begun.push_back(3); });
    EXPECT_THAT(begun, ElementsAre(1)) << "a later one does not overtake";
    budget.give_back(6);
    EXPECT_THAT(begun, ElementsAre(1, 2, 3));
    budget.take(50, [&] { begun.push_back(4); });
    budget.give_back(6);
    EXPECT_EQ(begun.size(), 3U);
    budget.give_back(1);
    EXPECT_EQ(begun.back(), 4) << "too large for all, so it goes alone";
}

}  // namespace
}  // namespace drydock::mover::s3
