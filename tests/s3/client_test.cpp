#include "fake_s3/fake_s3.h"
#include "mover/s3/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drydock::mover::s3 {
namespace {

using fake_s3::FakeS3;
using fake_s3::Fault;
using fake_s3::Request;

// A client with a server of its own; retries come at once.
class S3Client : public testing::Test {
protected:
    S3Client() { server_.put("b", "k", "bytes"); }

    Answer ask_for(Call call) {
        Client client(loop_,
                      {server_.endpoint(), "us-east-1", {FakeS3::access_key, secret_, ""}},
                      {.attempts_max = 4,
                       .throttled_attempts_max = 8,
                       .first_pause_ms = 1,
                       .pause_max_ms = 2},
                      clock_);
        Answer answer = ask(loop_, client, std::move(call));
        counters_ = client.counters();
        return answer;
    }

    Answer get() { return ask_for({.bucket = "b", .key = "k"}); }

    // The first `times` requests fail so.
    void fail_first(Fault fault, int times) {
        server_.fault = [fault, left = times](const Request&) mutable {
            return left-- > 0 ? fault : Fault::none;
        };
    }

    FakeS3 server_;
    HttpLoop loop_;
    os::RealClock clock_;
    CallCounters counters_;
    std::string secret_ = FakeS3::secret_key;
};

TEST_F(S3Client, IsUnderstoodByAServerThatVerifiesSignatures) {
    const Answer answer = get();
    EXPECT_EQ(answer.kind, AnswerKind::done) << answer.error.text();
    EXPECT_EQ(answer.wire.body, "bytes");
    EXPECT_EQ(answer.header("etag"), '"' + fake_s3::md5_hex("bytes") + '"');
}

// 23 keys that trip clients: each must reach its own object, and no other.
TEST_F(S3Client, ReachesOddKeys) {
    const std::string odd[] = {"a/b",
                               "a//b",
                               "/a",
                               "a/",
                               ".",
                               "..",
                               "a/../b",
                               "a/./b",
                               "a b",
                               "a+b",
                               "a%2Fb",
                               "a&b=c",
                               "a?b",
                               "a#b",
                               "a=b;c",
                               "a'\"<>b",
                               "\\a",
                               "\n",
                               "a\x01z",
                               "\r",
                               "\u00e9\u4e2d\U0001F600",
                               "*~!()",
                               std::string(1024, 'k')};
    for (const std::string& key : odd) {
        ASSERT_TRUE(
            ask_for({.method = "PUT", .bucket = "b", .key = key, .body = "of " + key}).is_done())
            << key;
    }
    EXPECT_EQ(server_.keys("b").size(), std::size(odd) + 1);
    for (const std::string& key : odd) {
        EXPECT_EQ(ask_for({.bucket = "b", .key = key}).wire.body, "of " + key);
    }
}

TEST_F(S3Client, RepeatsWhatMayPass) {
    for (const Fault fault : {Fault::slow_down,
                              Fault::internal_error,
                              Fault::reset_before,
                              Fault::reset_after,
                              Fault::cut_answer}) {
        fail_first(fault, 3);
        EXPECT_TRUE(get().is_done()) << static_cast<int>(fault);
        // libcurl itself sends once more where an old connection turns out to be dead.
        EXPECT_GE(counters_.retries, 2);
        EXPECT_LE(counters_.retries, 3);
    }
}

TEST_F(S3Client, GivesUpAtItsLimit) {
    fail_first(Fault::internal_error, 100);
    const Answer failed = get();
    EXPECT_EQ(failed.kind, AnswerKind::refused);
    EXPECT_EQ(counters_.requests, 4);
    fail_first(Fault::slow_down, 100);
    EXPECT_EQ(get().kind, AnswerKind::unreachable);
    EXPECT_EQ(counters_.requests, 8);
}

TEST_F(S3Client, DoesNotRepeatARefusal) {
    fail_first(Fault::denied, 100);
    const Answer answer = get();
    EXPECT_EQ(answer.kind, AnswerKind::denied);
    EXPECT_EQ(answer.error_code, "AccessDenied");
    EXPECT_EQ(counters_.requests, 1);
    secret_ = "not-the-secret";
    server_.fault = nullptr;
    const Answer refused = get();
    EXPECT_EQ(refused.error_code, "SignatureDoesNotMatch");
    EXPECT_THAT(refused.error.text(), testing::Not(testing::HasSubstr(secret_)));
}

// A commit whose answer is lost may have happened. The caller must look, so it is told.
TEST_F(S3Client, ReportsALostCommitAsUnknown) {
    std::size_t puts = 0;
    for (const Fault fault : {Fault::reset_after,
                              Fault::reset_before,
                              Fault::internal_error,
                              Fault::error_in_ok,
                              Fault::cut_answer}) {
        fail_first(fault, 1);
        const Answer answer = ask_for({.method = "PUT",
                                       .bucket = "b",
                                       .key = "k2",
                                       .headers = {{"x-amz-copy-source", "/b/k"}},
                                       .is_repeatable = false,
                                       .has_xml_answer = true});
        EXPECT_EQ(server_.count("PUT"), ++puts) << "sent again";
        EXPECT_NE(answer.kind, AnswerKind::done) << static_cast<int>(fault);
        if (fault != Fault::error_in_ok) {
            EXPECT_EQ(answer.kind, AnswerKind::unknown_outcome) << static_cast<int>(fault);
        }
    }
}

TEST_F(S3Client, FindsTheErrorInAnAnswerOf200) {
    fail_first(Fault::error_in_ok, 2);
    const Answer answer = ask_for({.method = "PUT",
                                   .bucket = "b",
                                   .key = "k2",
                                   .headers = {{"x-amz-copy-source", "/b/k"}},
                                   .has_xml_answer = true});
    EXPECT_TRUE(answer.is_done()) << answer.error.text();
    EXPECT_EQ(counters_.requests, 3);
    EXPECT_EQ(server_.body_of("b", "k2"), "bytes");
}

// Credentials must never reach the server that a redirect names.
TEST_F(S3Client, FollowsNoRedirect) {
    FakeS3 other;
    server_.redirect_to = other.endpoint() + "/b/k";
    fail_first(Fault::redirect, 100);
    const Answer answer = get();
    EXPECT_EQ(answer.error.code, "s3.redirect");
    EXPECT_TRUE(other.requests().empty());
}

TEST_F(S3Client, CorrectsAClockThatIsWrong) {
    server_.clock_offset_s = 3 * 3600;
    EXPECT_TRUE(get().is_done());
    EXPECT_EQ(counters_.requests, 2);
}

TEST_F(S3Client, TellsMissingFromPreconditionAndFromUnreachable) {
    EXPECT_EQ(ask_for({.bucket = "b", .key = "nothing"}).kind, AnswerKind::missing);
    EXPECT_EQ(ask_for({.bucket = "b", .key = "k", .headers = {{"if-match", "\"x\""}}}).kind,
              AnswerKind::precondition_failed);
    Client nobody(loop_,
                  {"http://127.0.0.1:1", "r", {"a", "b", ""}},
                  {.first_pause_ms = 1, .pause_max_ms = 1},
                  clock_);
    const Answer answer = ask(loop_, nobody, {.bucket = "b", .key = "k"});
    EXPECT_EQ(answer.kind, AnswerKind::unreachable);
    EXPECT_EQ(answer.error.code, "s3.unreachable");
}

// A value with a new line would be a header of its own.
TEST_F(S3Client, SendsNoForgedHeader) {
    const Answer answer =
        ask_for({.bucket = "b", .key = "k", .headers = {{"x-amz-meta-a", "1\r\nx-forged: 1"}}});
    EXPECT_EQ(answer.error.code, "s3.setting");
    EXPECT_TRUE(server_.requests().empty());
}

TEST_F(S3Client, KeepsManyInFlightAndLosesNone) {
    server_.fault = [n = 0](const Request&) mutable {
        return ++n % 7 == 0 ? Fault::slow_down : n % 11 == 0 ? Fault::reset_before : Fault::none;
    };
    Client client(loop_,
                  {server_.endpoint(), "us-east-1", {FakeS3::access_key, secret_, ""}},
                  {.first_pause_ms = 1, .pause_max_ms = 2},
                  clock_);
    int done = 0;
    for (int i = 0; i < 500; ++i) {
        client.call({.method = "PUT", .bucket = "b", .key = std::to_string(i), .body = "x"},
                    [&](const Answer& answer) { done += answer.is_done() ? 1 : 0; });
    }
    drive(loop_, {&client}, [&] { return client.is_idle(); });
    EXPECT_EQ(done, 500);
    EXPECT_EQ(server_.keys("b").size(), 501U);
}

}  // namespace
}  // namespace drydock::mover::s3
