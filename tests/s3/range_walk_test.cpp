#include "mover/s3/range_walk.h"
#include "s3/fixture.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <set>

namespace drydock::mover::s3 {
namespace {

using fake_s3::Fault;
using fake_s3::Request;
using testing::ElementsAre;

class S3Walk : public testing::Test, protected WithFakeS3 {
protected:
    void fill(const std::string& bucket, int count, const std::string& prefix = "obj-") {
        server_.with(bucket, [&](fake_s3::Bucket& content) {
            for (int i = 0; i < count; ++i) {
                content.objects[fmt::format("{}{:06}", prefix, i)] = {
                    {.id = "null", .body = "x", .etag = "e"}};
            }
        });
    }

    // Walks and returns each key with its sides: "<k", ">k", "=k".
    std::vector<std::string>
    walk(const Listing& source, std::optional<Listing> target = {}, std::size_t ranges_max = 8) {
        std::vector<std::string> seen;
        RangeWalk walk(source,
                       std::move(target),
                       ranges_max,
                       [&](const KeyGroup* from, const KeyGroup* to, const Ticket&) {
                           seen.push_back((from == nullptr ? ">"
                                           : to == nullptr ? "<"
                                                           : "=")
                                          + (from == nullptr ? to : from)->key);
                       });
        walk.start({KeyRange()});
        drive(loop_, {&client_}, [&] {
            walk.advance();
            return walk.is_done();
        });
        error_ = walk.error();
        left_ = walk.left();
        return seen;
    }

    std::optional<Error> error_;
    std::vector<KeyRange> left_;
};

TEST_F(S3Walk, JoinsTwoBuckets) {
    for (const char* key : {"a", "a/b", "b", "d"}) {
        server_.put("from", key, "x");
    }
    for (const char* key : {"a/b", "c", "d", "d/"}) {
        server_.put("to", key, "x");
    }
    EXPECT_THAT(walk(listing("from"), listing("to")),
                ElementsAre("<a", "=a/b", "<b", ">c", "=d", ">d/"));
    EXPECT_FALSE(error_);
    EXPECT_TRUE(left_.empty());
}

TEST_F(S3Walk, MapsOnePrefixToAnother) {
    server_.put("from", "old/1", "x");
    server_.put("from", "older", "x");
    server_.put("to", "new/deep/1", "x");
    EXPECT_THAT(walk(listing("from", "old/"), listing("to", "new/deep/")), ElementsAre("=1"));
}

TEST_F(S3Walk, SeesEveryKeyOnceInManyRanges) {
    fill("from", 30'000);
    fill("from", 5'000, "zebra/long/common/prefix/of/all/");
    server_.with("from", [](fake_s3::Bucket& content) {
        content.objects["\u00fc"] = {{.id = "null", .body = "x", .etag = "e"}};
    });
    const auto seen = walk(listing("from"));
    EXPECT_FALSE(error_);
    EXPECT_EQ(seen.size(), 35'001U);
    EXPECT_EQ(std::set(seen.begin(), seen.end()).size(), seen.size());
    EXPECT_FALSE(std::is_sorted(seen.begin(), seen.end())) << "no range was cut";
    // 36 pages hold the keys. The cuts may cost some more, but not a multiple.
    EXPECT_LE(server_.count("GET"), 36U + 60U);
}

TEST_F(S3Walk, KeepsTheOrderInOneRange) {
    fill("from", 5'000);
    const auto seen = walk(listing("from"), {}, 1);
    EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
    EXPECT_EQ(seen.size(), 5'000U);
    EXPECT_EQ(server_.count("GET"), 6U) << "each page but the first repeats one key";
}

TEST_F(S3Walk, DecodesOddKeysAndKeepsTheirOrder) {
    const std::string odd[] = {"\x01", "\n", "\r", " ", "+", "a&b<c>", "a+b", "%41", "é"};
    for (const std::string& key : odd) {
        server_.put("from", key, "x");
    }
    std::vector<std::string> expected;
    for (const std::string& key : server_.keys("from")) {
        expected.push_back("<" + key);
    }
    EXPECT_EQ(walk(listing("from")), expected);
}

// A page that is lost or comes twice would be a hole in the clone, or work done twice.
TEST_F(S3Walk, SurvivesWrongPagesThatPass) {
    fill("from", 5'000);
    for (const Fault fault : {Fault::duplicate_page,
                              Fault::missing_page,
                              Fault::empty_page,
                              Fault::slow_down,
                              Fault::cut_answer,
                              Fault::error_in_ok}) {
        server_.fault = [fault, n = 0](const Request& request) mutable {
            return request.parameter("start-after").empty() || ++n % 3 != 0 ? Fault::none : fault;
        };
        EXPECT_EQ(walk(listing("from"), {}, 1).size(), 5'000U) << static_cast<int>(fault);
        EXPECT_FALSE(error_) << error_->text();
    }
}

TEST_F(S3Walk, EndsAtWrongPagesThatStay) {
    fill("from", 5'000);
    for (const Fault fault : {Fault::duplicate_page, Fault::missing_page, Fault::empty_page}) {
        server_.fault = [fault](const Request& request) {
            return request.parameter("start-after").empty() || request.method == "HEAD"
                       ? Fault::none
                       : fault;
        };
        EXPECT_EQ(walk(listing("from"), {}, 1).size(), 1'000U) << static_cast<int>(fault);
        ASSERT_TRUE(error_);
        EXPECT_EQ(error_->code, "s3.list_order");
        EXPECT_THAT(left_, ElementsAre(KeyRange{"obj-000999", std::nullopt}));
    }
}

// A key that is deleted between two pages is no fault of the server.
TEST_F(S3Walk, GoesOnWhereTheLastKeyOfAPageWasDeleted) {
    fill("from", 3'000);
    int visited = 0;
    RangeWalk walk(
        listing("from"), {}, 1, [&](const KeyGroup* from, const KeyGroup*, const Ticket&) {
            if (from->key == "obj-000999") {
                server_.with("from",
                             [](fake_s3::Bucket& content) { content.objects.erase("obj-000999"); });
            }
            ++visited;
        });
    walk.start({KeyRange()});
    drive(loop_, {&client_}, [&] {
        walk.advance();
        return walk.is_done();
    });
    EXPECT_FALSE(walk.error());
    EXPECT_EQ(visited, 3'000);
}

TEST_F(S3Walk, ListsVersionsWithTheirMarkers) {
    server_.with("from", [](fake_s3::Bucket& content) { content.has_versions = true; });
    for (int i = 0; i < 2'500; ++i) {
        server_.put("from", "many", "x");
    }
    server_.put("from", "one", "y");
    server_.with("from", [](fake_s3::Bucket& content) {
        content.objects["one"].push_back({.id = "m", .is_marker = true});
    });
    std::vector<std::pair<std::string, std::size_t>> seen;
    RangeWalk walk(listing("from", "", true),
                   {},
                   1,
                   [&](const KeyGroup* from, const KeyGroup*, const Ticket&) {
                       seen.emplace_back(from->key, from->versions.size());
                       if (from->key == "one") {
                           EXPECT_TRUE(from->versions.front().is_marker) << "newest first";
                       }
                   });
    walk.start({KeyRange()});
    drive(loop_, {&client_}, [&] {
        walk.advance();
        return walk.is_done();
    });
    EXPECT_FALSE(walk.error()) << walk.error()->text();
    EXPECT_THAT(seen,
                ElementsAre(std::pair<std::string, std::size_t>("many", 2'500),
                            std::pair<std::string, std::size_t>("one", 2)));
}

// Work that is not finished must be in what is left, whatever finished behind it.
TEST_F(S3Walk, LeavesPagesWithTickets) {
    fill("from", 2'500);
    std::vector<Ticket> held;
    RangeWalk walk(
        listing("from"), {}, 1, [&](const KeyGroup* from, const KeyGroup*, const Ticket& ticket) {
            if (from->key == "obj-001500") {
                held.push_back(ticket);
            }
        });
    walk.start({KeyRange()});
    int turns_at_rest = 0;
    drive(loop_, {&client_}, [&] {
        walk.advance();
        turns_at_rest += client_.is_idle() ? 1 : 0;
        return walk.is_done() || turns_at_rest > 20;
    });
    EXPECT_FALSE(walk.is_done());
    EXPECT_THAT(walk.left(), ElementsAre(KeyRange{"obj-000999", std::nullopt}));
    held.clear();
    walk.advance();
    EXPECT_TRUE(walk.is_done());
}

TEST_F(S3Walk, ResumesInTheRangesThatAreLeft) {
    fill("from", 4'000);
    std::size_t seen = 0;
    RangeWalk walk(
        listing("from"), {}, 8, [&](const KeyGroup*, const KeyGroup*, const Ticket&) { ++seen; });
    walk.start({{"obj-000009", "obj-000019"}, {"obj-003989", std::nullopt}});
    drive(loop_, {&client_}, [&] {
        walk.advance();
        return walk.is_done();
    });
    EXPECT_EQ(seen, 20U);
}

}  // namespace
}  // namespace drydock::mover::s3
