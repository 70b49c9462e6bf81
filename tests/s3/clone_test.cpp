#include "base/json.h"
#include "s3/clone_fixture.h"

#include <gmock/gmock.h>

#include <sstream>

namespace drydock::mover::s3 {
namespace {

using fake_s3::Fault;
using fake_s3::Request;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

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

// Where the ETag tells nothing, the size still does.
TEST_F(S3Clone, NamesACopyOfAnotherSizeWhoseEtagTellsNothing) {
    put_rich_object("big");
    server_.abilities.tells_part_sizes = false;
    server_.fault = [](const Request& request) {
        return request.key == "big" && request.bucket == "to" ? Fault::cut_object : Fault::none;
    };
    const CloneReport report = clone();
    ASSERT_EQ(report.failed, 1);
    EXPECT_EQ(report.failures[0].error.code, "s3.etag");
    server_.fault = nullptr;
    EXPECT_EQ(clone().recorded, 1) << "the broken copy is known as its own";
    EXPECT_TRUE(compare(true).is_equal());
}

// versitygw answers 200 to a copy to "a//b" and writes to "a/b".
TEST_F(S3Clone, LeavesKeysThatTheServerWouldRename) {
    for (const char* key : {"a/b", "a//b", "x/../a/b", "dir/", "a/.b"}) {
        server_.put("from", key, std::string("of ") + key);
    }
    EXPECT_TRUE(clone().is_whole()) << "a server that keeps them";
    server_.with("to", [](fake_s3::Bucket& bucket) { bucket.objects.clear(); });
    server_.abilities.keeps_keys = false;
    std::filesystem::remove(request_.journal);
    const CloneReport report = clone();
    EXPECT_EQ(report.copied, 3);
    ASSERT_EQ(report.failed, 2);
    EXPECT_EQ(report.failures[0].error.code, "s3.key");
    EXPECT_THAT(server_.keys("to"), ElementsAre("a/.b", "a/b", "dir/"));
    EXPECT_EQ(server_.body_of("to", "a/b"), "of a/b");
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
