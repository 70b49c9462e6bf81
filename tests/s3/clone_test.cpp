#include "base/json.h"
#include "mover/s3/clone.h"
#include "mover/s3/compare.h"
#include "mover/s3/copy_journal.h"
#include "s3/fixture.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <sstream>

namespace drydock::mover::s3 {
namespace {

using fake_s3::Fault;
using fake_s3::Request;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Bucket "from" is cloned to bucket "to" of a fake server, with a journal in a scratch folder.
class S3Clone : public testing::Test, protected WithFakeS3 {
protected:
    S3Clone() {
        std::string name = testing::TempDir() + "/clone-XXXXXX";
        folder_ = mkdtemp(name.data());
        request_.source = {client_.address(), "from", ""};
        request_.target = {client_.address(), "to", ""};
        request_.journal = folder_ + "/journal";
        request_.limits = {.attempts_max = 4,
                           .throttled_attempts_max = 20,
                           .first_pause_ms = 1,
                           .pause_max_ms = 2};
        server_.with("from", [](fake_s3::Bucket&) {});
        server_.with("to", [](fake_s3::Bucket&) {});
    }

    ~S3Clone() override { std::filesystem::remove_all(folder_); }

    CloneReport clone() {
        const auto report = s3::clone(request_, clock_);
        EXPECT_TRUE(report) << report.error().text();
        return report ? *report : CloneReport();
    }

    std::string refusal() {
        const auto report = s3::clone(request_, clock_);
        return report ? "" : report.error().code;
    }

    CompareReport compare(bool reads_all = false) {
        const auto report = verify({.source = request_.source,
                                    .target = request_.target,
                                    .has_versions = request_.has_versions,
                                    .reads_all = reads_all,
                                    .limits = request_.limits},
                                   clock_);
        EXPECT_TRUE(report) << report.error().text();
        return report ? *report : CompareReport();
    }

    void fill(int count) {
        for (int i = 0; i < count; ++i) {
            server_.put("from", fmt::format("k{:05}", i), fmt::format("bytes of {}", i));
        }
    }

    // An object uploaded in three parts, with all that a part does not carry.
    std::string put_rich_object(const std::string& key) {
        const std::string body(2500, 'p');
        server_.put_parts("from", key, body, {1000, 1000, 500});
        server_.with("from", [&](fake_s3::Bucket& bucket) {
            fake_s3::Version& version = bucket.objects[key].back();
            version.headers = {{"content-type", "text/x"},
                               {"cache-control", "no-store"},
                               {"x-amz-meta-owner", "me"},
                               {"x-amz-meta-owner-b", "you"}};
            version.tags = {{"team", "a b&c"}};
            version.acl = "<AccessControlPolicy>public</AccessControlPolicy>";
        });
        return body;
    }

    fake_s3::Version target(const std::string& key) {
        fake_s3::Version version;
        server_.with("to", [&](fake_s3::Bucket& bucket) {
            if (!bucket.objects[key].empty()) {
                version = bucket.objects[key].back();
            }
        });
        return version;
    }

    std::string folder_;
    CloneRequest request_;
};

TEST_F(S3Clone, CopiesAllAndThenNothing) {
    fill(2'345);
    const CloneReport first = clone();
    EXPECT_EQ(first.copied, 2'345);
    EXPECT_TRUE(first.is_whole());
    EXPECT_EQ(server_.keys("to"), server_.keys("from"));
    EXPECT_EQ(server_.body_of("to", "k00007"), "bytes of 7");
    server_.forget_requests();
    const CloneReport again = clone();
    EXPECT_EQ(again.equal, 2'345);
    EXPECT_EQ(again.copied, 0);
    EXPECT_EQ(again.calls.lists, 6);
    EXPECT_EQ(server_.count("HEAD"), 0U);
    EXPECT_EQ(server_.count("PUT"), 0U) << "the server was probed by the first run";
}

TEST_F(S3Clone, CopiesOddKeys) {
    for (const std::string& key : {std::string("a"),
                                   std::string("a/b"),
                                   std::string("a/"),
                                   std::string("/"),
                                   std::string("//x"),
                                   std::string(".."),
                                   std::string("a b+c%20?d#e&f=g"),
                                   std::string("\n"),
                                   std::string("\x01"),
                                   std::string("\r"),
                                   std::string("\u4e2d\U0001F600"),
                                   std::string(1024, 'l')}) {
        server_.put("from", key, "of " + key);
    }
    EXPECT_EQ(clone().copied, 12);
    EXPECT_EQ(server_.keys("to"), server_.keys("from"));
    EXPECT_EQ(server_.body_of("to", "a/b"), "of a/b");
    EXPECT_EQ(compare(true).by_content, 12);
}

TEST_F(S3Clone, KeepsEtagAndMetadataOfAMultipartObject) {
    const std::string body = put_rich_object("big");
    request_.keeps_acl = true;
    const CloneReport report = clone();
    EXPECT_EQ(report.copied, 1);
    EXPECT_EQ(report.recorded, 0);
    const fake_s3::Version copy = target("big");
    EXPECT_EQ(copy.body, body);
    EXPECT_THAT(copy.parts, ElementsAre(1000, 1000, 500));
    EXPECT_EQ(copy.headers.at("x-amz-meta-owner-b"), "you");
    EXPECT_EQ(copy.headers.at("cache-control"), "no-store");
    EXPECT_EQ(copy.tags.at("team"), "a b&c");
    EXPECT_THAT(copy.acl, HasSubstr("public"));
    EXPECT_EQ(server_.open_uploads(), 0U);
    EXPECT_EQ(clone().equal, 1);
}

// radosgw takes no tags when an upload is created: they are put afterwards.
TEST_F(S3Clone, PutsTagsThatTheUploadDidNotTake) {
    put_rich_object("big");
    server_.with("from", [](fake_s3::Bucket& bucket) {
        bucket.objects["big"].back().tags = {{"team", "a b"}};
    });
    server_.abilities.takes_tags_of_uploads = false;
    EXPECT_TRUE(clone().is_whole());
    EXPECT_EQ(target("big").tags.at("team"), "a b");
}

// Such a server gives the copy another ETag. The journal knows the pair, so nothing is copied
// again.
TEST_F(S3Clone, RecordsAnEtagThatCannotBeMadeAgain) {
    put_rich_object("big");
    server_.abilities.tells_part_sizes = false;
    const CloneReport first = clone();
    EXPECT_EQ(first.recorded, 1);
    EXPECT_EQ(target("big").headers.at("x-amz-meta-owner"), "me");
    server_.forget_requests();
    EXPECT_EQ(clone().equal, 1);
    EXPECT_EQ(compare().by_content, 1);
    std::filesystem::remove(request_.journal);
    EXPECT_THAT(clone().differ.keys, ElementsAre("big")) << "an unknown object is not replaced";
}

TEST_F(S3Clone, CopiesAboveTheLimitInParts) {
    server_.put("from", "large", std::string(5'000, 'x'));
    server_.with("from", [](fake_s3::Bucket& bucket) {
        bucket.objects["large"].back().headers["x-amz-meta-a"] = "1";
    });
    request_.copy_bytes_max = 1'500;
    const CloneReport report = clone();
    EXPECT_EQ(report.copied, 1) << (report.failures.empty() ? "" : report.failures[0].error.text());
    EXPECT_THAT(target("large").parts, ElementsAre(1500, 1500, 1500, 500));
    EXPECT_EQ(target("large").headers.at("x-amz-meta-a"), "1");
    EXPECT_EQ(clone().equal, 1);
}

TEST_F(S3Clone, ReplacesOnlyWhenToldTo) {
    server_.put("from", "k", "new");
    server_.put("to", "k", "old");
    server_.put("to", "other", "of the target");
    const CloneReport report = clone();
    EXPECT_THAT(report.differ.keys, ElementsAre("k"));
    EXPECT_FALSE(report.is_whole());
    EXPECT_THAT(report.extra.keys, ElementsAre("other"));
    EXPECT_EQ(server_.body_of("to", "k"), "old");
    request_.replaces = true;
    EXPECT_TRUE(clone().is_whole());
    EXPECT_EQ(server_.body_of("to", "k"), "new");
    EXPECT_EQ(server_.body_of("to", "other"), "of the target") << "nothing is deleted";
}

TEST_F(S3Clone, WritesNothingInADryRun) {
    fill(10);
    server_.forget_requests();
    request_.dry_run = true;
    const CloneReport report = clone();
    EXPECT_EQ(report.copied, 10);
    EXPECT_EQ(server_.count("PUT") + server_.count("POST") + server_.count("DELETE"), 0U);
    EXPECT_FALSE(std::filesystem::exists(request_.journal));
    EXPECT_THAT(server_.keys("to"), IsEmpty());
}

// Storms, resets after a commit, errors inside of 200, answers that are cut off.
TEST_F(S3Clone, SurvivesFaultsOfTheServer) {
    fill(300);
    put_rich_object("big");
    for (const Fault fault : {Fault::slow_down,
                              Fault::internal_error,
                              Fault::reset_before,
                              Fault::reset_after,
                              Fault::cut_answer,
                              Fault::error_in_ok}) {
        server_.with("to", [](fake_s3::Bucket& bucket) { bucket.objects.clear(); });
        std::filesystem::remove(request_.journal);
        server_.fault = [fault, n = 0](const Request& request) mutable {
            const bool is_copy =
                request.headers.contains("x-amz-copy-source") || request.method == "POST";
            return is_copy && ++n % 3 == 0 ? fault : Fault::none;
        };
        const CloneReport report = clone();
        server_.fault = nullptr;
        EXPECT_TRUE(report.is_whole())
            << static_cast<int>(fault) << " "
            << (report.failures.empty() ? "" : report.failures[0].error.text());
        EXPECT_EQ(compare(true).by_content, 301) << static_cast<int>(fault);
        EXPECT_THAT(target("big").parts, ElementsAre(1000, 1000, 500));
    }
}

// The server says that all is well, and keeps other bytes. The ETag tells.
TEST_F(S3Clone, NamesAKeyWhoseCopyIsWrong) {
    fill(3);
    put_rich_object("big");
    server_.fault = [](const Request& request) {
        const bool is_target = request.key == "k00001" && request.bucket == "to";
        return is_target || (request.key == "big" && request.method == "POST") ? Fault::wrong_etag
                                                                               : Fault::none;
    };
    const CloneReport report = clone();
    EXPECT_EQ(report.failed, 2);
    EXPECT_FALSE(report.is_whole());
    for (const KeyFailure& failure : report.failures) {
        EXPECT_EQ(failure.error.code, "s3.etag") << failure.key;
    }
    EXPECT_EQ(report.copied, 2);
}

TEST_F(S3Clone, NamesAKeyThatIsDenied) {
    fill(3);
    server_.fault = [](const Request& request) {
        return request.key == "k00001" ? Fault::denied : Fault::none;
    };
    const CloneReport report = clone();
    ASSERT_EQ(report.failed, 1);
    EXPECT_EQ(report.failures[0].key, "k00001");
    EXPECT_EQ(report.failures[0].error.code, "s3.denied");
    server_.fault = nullptr;
    EXPECT_EQ(clone().copied, 1) << "the next run does what is left";
}

// Written to between listing and copy: the condition on the ETag holds, and the new bytes are
// taken.
TEST_F(S3Clone, CopiesWhatAnObjectHasBecome) {
    server_.put("from", "k", "old");
    bool is_first = true;
    server_.fault = [&](const Request& request) {
        if (request.headers.contains("x-amz-copy-source") && request.key == "k" && is_first) {
            is_first = false;
            return Fault::internal_error;
        }
        return Fault::none;
    };
    request_.progressed = [&](const WalkProgress& progress) {
        const std::int64_t known = progress.known;
        if (known == 1) {
            server_.put("from", "k", "newer");
        }
    };
    EXPECT_TRUE(clone().is_whole());
    EXPECT_EQ(server_.body_of("to", "k"), "newer");
}

TEST_F(S3Clone, ClonesVersionsInOrderWithMarkers) {
    for (const char* bucket : {"from", "to"}) {
        server_.with(bucket, [](fake_s3::Bucket& content) { content.has_versions = true; });
    }
    server_.put("from", "k", "one");
    server_.put("from", "k", "two");
    server_.with("from", [](fake_s3::Bucket& bucket) {
        bucket.objects["k"].push_back({.id = "m1", .is_marker = true});
    });
    server_.put("from", "k", "three");
    request_.has_versions = true;
    const auto bodies = [&] {
        std::vector<std::string> result;
        server_.with("to", [&](fake_s3::Bucket& bucket) {
            for (const fake_s3::Version& version : bucket.objects["k"]) {
                result.push_back(version.is_marker ? "(marker)" : version.body);
            }
        });
        return result;
    };
    const CloneReport report = clone();
    EXPECT_EQ(report.copied, 3);
    EXPECT_EQ(report.markers, 1);
    EXPECT_THAT(server_.keys("to"), ElementsAre("k")) << "the probe leaves nothing behind";
    EXPECT_EQ(report.extra.count, 0);
    EXPECT_THAT(bodies(), ElementsAre("one", "two", "(marker)", "three"));
    EXPECT_EQ(clone().equal, 1);
    server_.put("from", "k", "four");
    EXPECT_EQ(clone().copied, 1);
    EXPECT_THAT(bodies(), ElementsAre("one", "two", "(marker)", "three", "four"));
    EXPECT_TRUE(compare().is_equal());
    server_.put("to", "k", "of somebody else");
    EXPECT_THAT(clone().differ.keys, ElementsAre("k"));
}

// A lost answer must not lead to a version too many: the next run looks first.
TEST_F(S3Clone, AddsNoVersionTwice) {
    for (const char* bucket : {"from", "to"}) {
        server_.with(bucket, [](fake_s3::Bucket& content) { content.has_versions = true; });
    }
    for (int i = 0; i < 5; ++i) {
        server_.put("from", "k", fmt::format("version {}", i));
    }
    request_.has_versions = true;
    server_.fault = [n = 0](const Request& request) mutable {
        return request.key == "k" && request.bucket == "to" && ++n == 2 ? Fault::reset_after
                                                                        : Fault::none;
    };
    EXPECT_EQ(clone().failed, 1);
    const CloneReport again = clone();
    EXPECT_EQ(again.copied, 3);
    EXPECT_TRUE(again.is_whole());
    EXPECT_TRUE(compare().is_equal());
}

TEST_F(S3Clone, RefusesBeforeItWrites) {
    server_.put("from", "k", "x");
    request_.has_versions = true;
    EXPECT_EQ(refusal(), "s3.versions_off");
    request_.has_versions = false;
    request_.journal += "2";
    request_.target.bucket = "nobody";
    EXPECT_EQ(refusal(), "s3.missing");
    request_.target = request_.source;
    request_.target.prefix = "below/";
    EXPECT_EQ(refusal(), "s3.same");
}

TEST_F(S3Clone, CopiesSettingsOnlyWhenToldTo) {
    server_.with("from", [](fake_s3::Bucket& bucket) {
        bucket.settings["cors"] = "<CORSConfiguration/>";
        bucket.settings["policy"] = R"({"Resource":["arn:aws:s3:::from/*","arn:aws:s3:::from2"]})";
        bucket.has_versions = true;
    });
    CloneReport report = clone();
    ASSERT_EQ(report.settings.size(), 3U);
    EXPECT_TRUE(report.source_has_versions);
    for (const SettingDifference& setting : report.settings) {
        EXPECT_EQ(setting.state, SettingState::missing) << setting.name;
    }
    request_.copies_settings = true;
    clone();
    server_.with("to", [](fake_s3::Bucket& bucket) {
        EXPECT_TRUE(bucket.has_versions);
        EXPECT_EQ(bucket.settings["policy"],
                  R"({"Resource":["arn:aws:s3:::to/*","arn:aws:s3:::from2"]})");
    });
    for (const SettingDifference& setting : clone().settings) {
        EXPECT_EQ(setting.state, SettingState::equal) << setting.name;
    }
}

// An upload that a dead run left behind costs money until it is removed.
TEST_F(S3Clone, RemovesUploadsOfADeadRun) {
    put_rich_object("big");
    server_.fault = [](const Request& request) {
        const bool is_late = request.has("uploadId");
        return is_late ? Fault::denied : Fault::none;
    };
    EXPECT_EQ(clone().failed, 1);
    EXPECT_EQ(server_.open_uploads(), 2U) << "the clone's and the probe's";
    server_.fault = nullptr;
    const CloneReport report = clone();
    EXPECT_EQ(report.removed_uploads, 1);
    EXPECT_TRUE(report.is_whole());
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

TEST_F(S3Clone, VerifyNamesEveryDifference) {
    fill(5);
    clone();
    server_.with("to", [](fake_s3::Bucket& bucket) {
        bucket.objects.erase("k00000");
        bucket.objects["k00001"].back().body[0] = '?';  // same ETag: a rotten disk
        bucket.objects["extra"] = {{.id = "null", .body = "x", .etag = "e"}};
    });
    server_.put("to", "k00002", "short");
    server_.put("to", "k00003", "other 123!");
    const CompareReport quick = compare();
    EXPECT_THAT(quick.missing.keys, ElementsAre("k00000"));
    EXPECT_THAT(quick.differ.keys, testing::UnorderedElementsAre("k00002", "k00003"));
    EXPECT_THAT(quick.extra.keys, ElementsAre("extra"));
    EXPECT_EQ(quick.by_etag, 2);
    const CompareReport deep = compare(true);
    EXPECT_THAT(deep.differ.keys, testing::UnorderedElementsAre("k00001", "k00002", "k00003"));
    EXPECT_FALSE(deep.is_equal());
}

TEST_F(S3Clone, ManifestHasEveryKeyInOrderWithItsDigest) {
    fill(1'500);
    std::ostringstream text;
    const auto report = write_manifest(
        {.place = request_.source, .has_digests = true, .limits = request_.limits}, text, clock_);
    ASSERT_TRUE(report) << report.error().text();
    EXPECT_EQ(report->lines, 1'500);
    std::istringstream lines(text.str());
    std::string line;
    std::getline(lines, line);
    EXPECT_EQ(Json::parse(line).value()["format"].as_string(), "drydock-s3-manifest");
    int number = 0;
    while (std::getline(lines, line)) {
        const Json json = Json::parse(line).value();
        EXPECT_EQ(json["key"].as_string(), fmt::format("k{:05}", number));
        EXPECT_EQ(json["sha256"].as_string(),
                  fake_s3::sha256_hex(fmt::format("bytes of {}", number)));
        ++number;
    }
    EXPECT_EQ(number, 1'500);
}

}  // namespace
}  // namespace drydock::mover::s3
