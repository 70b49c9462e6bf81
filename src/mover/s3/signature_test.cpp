#include "base/hash.h"
#include "mover/s3/signature.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drydock::mover::s3 {
namespace {

// Requests of Amazon's published test suite: host, key, region and time are the same in all.
struct SuiteCase {
    const char* name;
    SigningInput input;
    const char* signature;
};

std::string signature_of(const SigningInput& input, const SigningScope& scope, bool is_suite) {
    const Credentials suite = {"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""};
    const Credentials s3 = {"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""};
    const std::string header = authorization(input, is_suite ? suite : s3, scope);
    return header.substr(header.find("Signature=") + 10);
}

SigningInput suite_request(const char* method, const char* path, NameValues query) {
    return {method,
            path,
            std::move(query),
            {{"Host", "example.amazonaws.com"}, {"X-Amz-Date", "20150830T123600Z"}},
            sha256_hex("")};
}

SuiteCase with_headers(SuiteCase suite_case, const NameValues& headers) {
    for (const auto& header : headers) {
        suite_case.input.headers.push_back(header);
    }
    return suite_case;
}

std::vector<SuiteCase> suite() {
    const auto get = [](NameValues query) { return suite_request("GET", "/", std::move(query)); };
    const char* plain = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
    return {
        {"get-vanilla", get({}), plain},
        {"get-vanilla-query-order-key-case",
         get({{"Param2", "value2"}, {"Param1", "value1"}}),
         "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
        {"get-vanilla-utf8-query",
         get({{"\u1234", "bar"}}),
         "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
        {"get-vanilla-empty-query-key",
         get({{"Param1", "value1"}}),
         "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
        {"get-utf8",
         suite_request("GET", "/%E1%88%B4", {}),
         "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
        {"post-vanilla",
         suite_request("POST", "/", {}),
         "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
        with_headers(
            {"get-header-key-duplicate",
             get({}),
             "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
            {{"My-Header1", "value2"}, {"My-Header1", "value2"}, {"My-Header1", "value1"}}),
        with_headers({"get-header-value-trim",
                      get({}),
                      "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
                     {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}}),
    };
}

constexpr std::int64_t k_suite_time_s = 1440938160;  // 2015-08-30 12:36:00
constexpr std::int64_t k_s3_time_s = 1369353600;     // 2013-05-24 00:00:00

TEST(Signature, IsThatOfAmazonsTestSuite) {
    for (const SuiteCase& suite_case : suite()) {
        EXPECT_EQ(signature_of(suite_case.input, {"us-east-1", "service", k_suite_time_s}, true),
                  suite_case.signature)
            << suite_case.name << "\n"
            << canonical_request(suite_case.input);
    }
}

// The four examples in Amazon's description of the signature for S3.
TEST(Signature, IsThatOfAmazonsExamplesForS3) {
    const SigningScope scope = {"us-east-1", "s3", k_s3_time_s};
    const NameValues common = {{"Host", "examplebucket.s3.amazonaws.com"},
                               {"x-amz-content-sha256", sha256_hex("")},
                               {"x-amz-date", "20130524T000000Z"}};
    SigningInput get = {"GET", "/test.txt", {}, common, sha256_hex("")};
    get.headers.emplace_back("Range", "bytes=0-9");
    EXPECT_EQ(signature_of(get, scope, false),
              "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
    const SigningInput lifecycle = {"GET", "/", {{"lifecycle", ""}}, common, sha256_hex("")};
    EXPECT_EQ(signature_of(lifecycle, scope, false),
              "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
    const SigningInput list = {
        "GET", "/", {{"prefix", "J"}, {"max-keys", "2"}}, common, sha256_hex("")};
    EXPECT_EQ(signature_of(list, scope, false),
              "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
    const std::string digest = sha256_hex("Welcome to Amazon S3.");
    const SigningInput put = {"PUT",
                              "/test%24file.text",
                              {},
                              {{"Host", "examplebucket.s3.amazonaws.com"},
                               {"Date", "Fri, 24 May 2013 00:00:00 GMT"},
                               {"x-amz-content-sha256", digest},
                               {"x-amz-date", "20130524T000000Z"},
                               {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
                              digest};
    EXPECT_EQ(signature_of(put, scope, false),
              "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

// A name that is the start of another one must sort before it, whatever byte follows.
TEST(Signature, SortsByNamesAlone) {
    EXPECT_EQ(canonical_query({{"a-b", "1"}, {"a", "2"}, {"a", "1"}, {"versions", ""}}),
              "a=1&a=2&a-b=1&versions=");
    const SigningInput input = {
        "GET", "/", {}, {{"x-amz-meta-a-b", "2"}, {"x-amz-meta-a", "1"}, {"host", "h"}}, "X"};
    EXPECT_THAT(canonical_request(input),
                testing::HasSubstr("host:h\nx-amz-meta-a:1\nx-amz-meta-a-b:2\n"));
}

TEST(Percent, ComesBackWholeForEveryByte) {
    std::string bytes;
    for (int i = 0; i < 256; ++i) {
        bytes += static_cast<char>(i);
    }
    EXPECT_EQ(percent_decoded(percent_encoded(bytes)).value(), bytes);
    EXPECT_EQ(percent_decoded("a+b%2B").value(), "a b+");
    for (const char* broken : {"%", "%4", "a%4g", "%%41"}) {
        EXPECT_EQ(percent_decoded(broken).error().code, "s3.answer") << broken;
    }
}

}  // namespace
}  // namespace drydock::mover::s3
