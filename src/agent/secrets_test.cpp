// No form of a secret comes through, wherever the text is cut.
#include "agent/secrets.h"
#include "base/text.h"

#include <gtest/gtest.h>

namespace drydock::agent {
namespace {

constexpr const char* k_pem =
    "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END KEY-----";

Redactor redactor_of(const std::string& secret) {
    return Redactor(Json(Json::Object{{"s", secret}}));
}

TEST(Redactor, HidesEveryLineOfASecret) {
    const Redactor redactor = redactor_of(k_pem);
    EXPECT_EQ(redactor.redact(std::string_view(k_pem)), "***");
    EXPECT_EQ(redactor.redact(std::string_view("  MIIEvQIBADANBgkq\n  hkiG9w0BAQEFAASC\n")),
              "  ***\n  ***\n");
}

TEST(Redactor, HidesEncodedForms) {
    const std::string secret = "p@ss/w0rd+longer?";
    const Redactor redactor = redactor_of(secret);
    EXPECT_EQ(redactor.redact(std::string_view("p%40ss%2Fw0rd%2Blonger%3F")), "***");
    EXPECT_EQ(redactor.redact(std::string_view("p%40ss%2fw0rd%2blonger%3f")), "***");
    for (const std::string before : {"", "u", "us", "user:", "a user:"}) {
        const std::string told =
            redactor.redact(std::string_view(base64_encode(before + secret + " and more")));
        EXPECT_NE(told.find("***"), std::string::npos) << told;
        EXPECT_EQ(told.find(base64_encode(secret).substr(4, 12)), std::string::npos) << told;
    }
    EXPECT_EQ(redactor.redact(std::string_view("704073732f773072642b6c6f6e6765723f")), "***");
}

// A stream that comes byte by byte gives the same text as a whole one.
TEST(Redactor, HidesWhatIsCutInPieces) {
    Redactor redactor = redactor_of("hunter2-and-more");
    std::string told;
    for (const char c : std::string("a hunter2-and-more b hunter2-and-mor")) {
        told += redactor.feed({&c, 1});
    }
    told += redactor.finish();
    EXPECT_EQ(told, "a *** b hunter2-and-mor");
}

TEST(Redactor, HidesNothingWithoutSecrets) {
    EXPECT_FALSE(Redactor(Json()).hides_something());
    EXPECT_EQ(Redactor(Json()).redact(std::string_view("text")), "text");
    EXPECT_EQ(redactor_of("short\nab\nlonger-line").redact(std::string_view("ab abc")), "ab abc");
}

}  // namespace
}  // namespace drydock::agent
