#include "mover/s3/curl_library.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drydock::mover::s3 {
namespace {

// No server listens at this address: a request that is not refused fails in another way.
HttpRequest plain_request() {
    HttpRequest request;
    request.url = "http://127.0.0.1:1/bucket/blob";
    request.signing = "aws:amz:eu-west-1:s3";
    request.user = "key:secret";
    request.headers = {"x-amz-content-sha256: 00"};
    return request;
}

std::string code_of(const HttpRequest& request) {
    Connections connections;
    const auto answer = connections.send(request);
    return answer ? std::string() : answer.error().code;
}

TEST(Connections, SendNothingThatWouldBeAHeaderOfItsOwn) {
    EXPECT_NE(code_of(plain_request()), "s3.setting");
    for (const std::string injected : {"\r\nX-Forged: 1", "\n", "\r", "\x7f", "\t"}) {
        for (std::string HttpRequest::* part :
             {&HttpRequest::method, &HttpRequest::url, &HttpRequest::signing, &HttpRequest::user}) {
            HttpRequest request = plain_request();
            request.*part += injected;
            EXPECT_EQ(code_of(request), "s3.setting");
        }
        HttpRequest request = plain_request();
        request.headers.front() += injected;
        EXPECT_EQ(code_of(request), "s3.setting");
    }
}

TEST(Connections, SpeakHttpOnly) {
    HttpRequest request = plain_request();
    request.method = "GET";
    request.answer_bytes_max = 1 << 20U;
    for (const char* url :
         {"file:///etc/passwd", "gopher://127.0.0.1:1/x", "dict://127.0.0.1:1/x"}) {
        request.url = url;
        Connections connections;
        const auto answer = connections.send(request);
        ASSERT_TRUE(answer) << answer.error().text();
        EXPECT_TRUE(answer->body.empty());
        EXPECT_THAT(answer->problem, testing::HasSubstr("curl 1)")) << "an unsupported protocol";
    }
}

}  // namespace
}  // namespace drydock::mover::s3
