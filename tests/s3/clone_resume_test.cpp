// Clones that go on: after a death, a lost answer, or a pause.
#include "mover/s3/copy_journal.h"
#include "s3/clone_fixture.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>

namespace drydock::mover::s3 {
namespace {

using fake_s3::Fault;
using fake_s3::Request;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// An upload that a dead run left behind costs money until it is removed. The ETag of this object
// proves no parts, so they are not taken.
TEST_F(S3Clone, RemovesUploadsOfADeadRun) {
    server_.put("from", "big", std::string(5'000, 'x'));
    request_.copy_bytes_max = 1'500;
    server_.fault = [](const Request& request) {
        const bool is_probe = request.key != "big" && request.headers.contains("x-amz-copy-source");
        return request.has("uploadId") && !is_probe ? Fault::denied : Fault::none;
    };
    EXPECT_EQ(clone().failed, 1);
    EXPECT_EQ(server_.open_uploads(), 2U) << "the clone's and the probe's";
    server_.fault = nullptr;
    const CloneReport report = clone();
    EXPECT_EQ(report.removed_uploads, 1);
    EXPECT_TRUE(report.is_whole());
}

// As if the run had died behind the first two parts.
TEST_F(S3Clone, GoesOnWithThePartsOfADeadRun) {
    const std::string body = put_rich_object("big");
    server_.fault = [](const Request& request) {
        const bool is_late = request.parameter("partNumber") == "3" || request.method == "DELETE";
        return is_late && request.has("uploadId") ? Fault::denied : Fault::none;
    };
    EXPECT_EQ(clone().failed, 1);
    server_.fault = nullptr;
    server_.parts_listed_max = 1;
    server_.forget_requests();
    const CloneReport report = clone();
    EXPECT_TRUE(report.is_whole());
    EXPECT_EQ(report.recorded, 0);
    EXPECT_EQ(report.removed_uploads, 0);
    EXPECT_EQ(server_.count("PUT", "partNumber"), 1U) << "the third part";
    EXPECT_EQ(target("big").body, body);
    EXPECT_EQ(target("big").headers.at("x-amz-meta-owner"), "me");
    EXPECT_THAT(target("big").parts, ElementsAre(1000, 1000, 500));
}

// Parts that are not of the source, or an upload that somebody removed, cost a new upload.
TEST_F(S3Clone, GoesOnWithNoPartThatIsAnother) {
    const std::string body = put_rich_object("big");
    const Answer created =
        ask(loop_,
            client_,
            {.method = "POST", .bucket = "to", .key = "big", .query = {{"uploads", ""}}});
    const auto begin = created.wire.body.find("<UploadId>") + 10;
    const std::string id =
        created.wire.body.substr(begin, created.wire.body.find("</UploadId>") - begin);
    ASSERT_TRUE(ask(loop_,
                    client_,
                    {.method = "PUT",
                     .bucket = "to",
                     .key = "big",
                     .query = {{"partNumber", "1"}, {"uploadId", id}},
                     .body = std::string(1'000, 'q')})
                    .is_done());
    std::string etag;
    server_.with("from",
                 [&](fake_s3::Bucket& bucket) { etag = bucket.objects["big"].back().etag; });
    for (const std::string& noted : {std::string("gone"), id}) {
        server_.with("to", [](fake_s3::Bucket& bucket) { bucket.objects.clear(); });
        {
            auto journal =
                CopyJournal::open(request_.journal, server_.endpoint() + " s3://from/ to s3://to/");
            ASSERT_TRUE(journal) << journal.error().text();
            ASSERT_TRUE(journal->add_upload({"big", noted, etag + " 2500 1000"}));
            ASSERT_TRUE(journal->commit());
        }
        const CloneReport report = clone();
        EXPECT_TRUE(report.is_whole()) << noted;
        EXPECT_EQ(target("big").body, body) << noted;
    }
    EXPECT_EQ(server_.open_uploads(), 0U);
}

// The request was carried out, and its answer was lost: nobody has the id of that upload.
TEST_F(S3Clone, RemovesAnUploadWhoseAnswerWasLost) {
    put_rich_object("big");
    server_.fault = [n = 0](const Request& request) mutable {
        const bool is_create = request.method == "POST" && request.has("uploads");
        return is_create && request.key == "big" && ++n == 1 ? Fault::reset_after : Fault::none;
    };
    const CloneReport report = clone();
    EXPECT_TRUE(report.is_whole());
    EXPECT_EQ(report.removed_uploads, 1);
    EXPECT_EQ(server_.open_uploads(), 0U);
}

// Killed between the request and its answer: the journal has the key and no id. An upload of
// somebody else for the same key has parts, or is older, and stays.
TEST_F(S3Clone, RemovesOnlyItsOwnUploadsWithoutAnId) {
    const auto begin = [&](const std::string& key) {
        const Answer answer =
            ask(loop_,
                client_,
                {.method = "POST", .bucket = "to", .key = key, .query = {{"uploads", ""}}});
        const auto id = answer.wire.body.find("<UploadId>") + 10;
        return answer.wire.body.substr(id, answer.wire.body.find("</UploadId>") - id);
    };
    const std::string with_part = begin("big");
    ASSERT_TRUE(ask(loop_,
                    client_,
                    {.method = "PUT",
                     .bucket = "to",
                     .key = "big",
                     .query = {{"partNumber", "1"}, {"uploadId", with_part}},
                     .body = "of somebody else"})
                    .is_done());
    begin("big");
    begin("bigger");
    {
        auto journal =
            CopyJournal::open(request_.journal, server_.endpoint() + " s3://from/ to s3://to/");
        ASSERT_TRUE(journal) << journal.error().text();
        ASSERT_TRUE(journal->add_intent({"big", clock_.wall_ms()}));
        ASSERT_TRUE(journal->commit());
    }
    EXPECT_EQ(clone().removed_uploads, 1);
    EXPECT_EQ(server_.open_uploads(), 2U) << "with a part, and of another key";
    EXPECT_EQ(clone().removed_uploads, 0) << "the note is gone";
}

TEST_F(S3Clone, LeavesAnUploadThatIsOlderThanTheNote) {
    server_.clock_offset_s = -3600;
    {
        auto journal =
            CopyJournal::open(request_.journal, server_.endpoint() + " s3://from/ to s3://to/");
        ASSERT_TRUE(journal) << journal.error().text();
        ASSERT_TRUE(journal->add_intent({"other", clock_.wall_ms()}));
        ASSERT_TRUE(journal->commit());
    }
    ASSERT_TRUE(ask(loop_,
                    client_,
                    {.method = "POST", .bucket = "to", .key = "other", .query = {{"uploads", ""}}})
                    .is_done());
    EXPECT_EQ(clone().removed_uploads, 0);
    EXPECT_EQ(server_.open_uploads(), 1U);
}

// A probe that was killed left its scratch object, its versions and its upload.
TEST_F(S3Clone, RemovesWhatAKilledProbeLeft) {
    server_.put("to", ".drydock-probe-1", "bytes");
    {
        auto journal =
            CopyJournal::open(request_.journal, server_.endpoint() + " s3://from/ to s3://to/");
        ASSERT_TRUE(journal) << journal.error().text();
        ASSERT_TRUE(journal->set_note("probe", ".drydock-probe-1"));
        ASSERT_TRUE(journal->commit());
    }
    EXPECT_EQ(clone().extra.count, 0);
    EXPECT_THAT(server_.keys("to"), IsEmpty());
}

TEST_F(S3Clone, GoesOnBehindTheLastFinishedPage) {
    fill(3'000);
    {
        auto journal =
            CopyJournal::open(request_.journal, server_.endpoint() + " s3://from/ to s3://to/");
        ASSERT_TRUE(journal) << journal.error().text();
        ASSERT_TRUE(journal->save_left({{"k02499", std::nullopt}}));
        ASSERT_TRUE(journal->commit());
        EXPECT_EQ(refusal(), "s3.journal_busy") << "one clone at a time";
    }
    const CloneReport report = clone();
    EXPECT_TRUE(report.is_resumed);
    EXPECT_EQ(report.copied, 500);
    const CloneReport again = clone();
    EXPECT_FALSE(again.is_resumed);
    EXPECT_EQ(again.copied, 2'500);
    request_.target.prefix = "elsewhere/";
    EXPECT_EQ(refusal(), "s3.journal");
}

// Begun copies end, no other begins, and the next run does what is left and nothing twice.
TEST_F(S3Clone, PausesAndGoesOn) {
    fill(4'000);
    request_.limits.in_flight_max = 8;
    std::int64_t done = 0;
    request_.progressed = [&](const WalkProgress& progress) { done = progress.done; };
    request_.is_to_stop = [&] { return done >= 300; };
    EXPECT_EQ(refusal(), "s3.paused");
    const auto there = static_cast<std::int64_t>(server_.keys("to").size());
    EXPECT_GE(there, 300);
    EXPECT_LT(there, 1'000);
    request_.is_to_stop = {};
    server_.forget_requests();
    const CloneReport rest = clone();
    EXPECT_TRUE(rest.is_resumed);
    EXPECT_TRUE(rest.is_whole());
    EXPECT_EQ(rest.copied, 4'000 - there);
    EXPECT_EQ(server_.keys("to"), server_.keys("from"));
}

// A pause in each state of the walk: before the first page, behind the last copy.
TEST_F(S3Clone, PausesAtAnyTime) {
    fill(300);
    request_.limits.in_flight_max = 4;
    for (int patience = 0; patience < 60; patience += 9) {
        request_.is_to_stop = [&, n = 0]() mutable { return ++n > patience; };
        const auto report = s3::clone(request_, clock_);
        if (report) {
            break;
        }
        EXPECT_EQ(report.error().code, "s3.paused");
    }
    request_.is_to_stop = {};
    EXPECT_TRUE(clone().is_whole());
    EXPECT_EQ(server_.keys("to"), server_.keys("from"));
    EXPECT_TRUE(compare(true).is_equal());
}

// An object of many parts would hold a pause for hours. Its upload must not stay and cost money.
TEST_F(S3Clone, PausesBetweenTwoParts) {
    server_.put_parts("from", "big", std::string(6'000, 'p'), std::vector<std::size_t>(60, 100));
    std::atomic<int> parts = 0;
    server_.fault = [&](const Request& request) {
        parts += request.has("partNumber") && request.method == "PUT" ? 1 : 0;
        return Fault::none;
    };
    request_.is_to_stop = [&] { return parts >= 3; };
    EXPECT_EQ(refusal(), "s3.paused");
    EXPECT_LT(parts, 60);
    EXPECT_EQ(server_.open_uploads(), 0U);
    EXPECT_THAT(server_.keys("to"), IsEmpty());
    request_.is_to_stop = {};
    EXPECT_TRUE(clone().is_whole());
    EXPECT_EQ(target("big").body, std::string(6'000, 'p'));
}

TEST_F(S3Clone, PausesBetweenTwoVersions) {
    for (const char* bucket : {"from", "to"}) {
        server_.with(bucket, [](fake_s3::Bucket& content) { content.has_versions = true; });
    }
    for (int i = 0; i < 40; ++i) {
        server_.put("from", "k", fmt::format("version {}", i));
    }
    request_.has_versions = true;
    std::atomic<int> copies = 0;
    server_.fault = [&](const Request& request) {
        const bool is_copy = request.headers.contains("x-amz-copy-source") && request.key == "k";
        copies += is_copy ? 1 : 0;
        return Fault::none;
    };
    request_.is_to_stop = [&] { return copies >= 5; };
    EXPECT_EQ(refusal(), "s3.paused");
    const int there = copies;
    EXPECT_LT(there, 40);
    request_.is_to_stop = {};
    EXPECT_EQ(clone().copied, 40 - there);
    EXPECT_EQ(copies, 40) << "no version twice";
    EXPECT_TRUE(compare().is_equal());
}

// Percentage and rest need a total. A clone that goes on keeps that of its first run.
TEST_F(S3Clone, CountsFirstWhenToldTo) {
    fill(3'000);
    request_.limits.in_flight_max = 8;
    request_.counts_first = true;
    std::vector<WalkProgress> told;
    request_.progressed = [&](const WalkProgress& progress) { told.push_back(progress); };
    request_.is_to_stop = [&] { return told.back().done >= 2'000; };
    told.emplace_back();
    EXPECT_EQ(refusal(), "s3.paused");
    EXPECT_EQ(told.back().total, 3'000);
    EXPECT_GT(told.back().bytes, 0);
    const std::int64_t done = told.back().done;
    request_.is_to_stop = {};
    told.clear();
    EXPECT_TRUE(clone().is_whole());
    const auto first_copy = std::find_if(
        told.begin(), told.end(), [](const auto& progress) { return progress.done > 0; });
    ASSERT_NE(first_copy, told.end());
    EXPECT_GE(first_copy->done, done - 1'000)
        << "the pages that are not finished are counted again";
    EXPECT_EQ(told.back().done, 3'000);
    EXPECT_EQ(told.back().total, 3'000);
}

}  // namespace
}  // namespace drydock::mover::s3
