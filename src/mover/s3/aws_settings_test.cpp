#include "mover/s3/aws_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

namespace drydock::mover::s3 {
namespace {

// A home folder with Amazon's files, and an environment of its own.
class AwsSettings : public testing::Test {
protected:
    AwsSettings() {
        std::string name = testing::TempDir() + "/aws-XXXXXX";
        home_ = mkdtemp(name.data());
        std::filesystem::create_directory(home_ + "/.aws");
        variables_["HOME"] = home_;
    }

    ~AwsSettings() override { std::filesystem::remove_all(home_); }

    void write(const std::string& name, const std::string& text) const {
        std::ofstream(home_ + "/.aws/" + name) << text;
    }

    Result<ServerAddress> read(const TypedSettings& typed = {},
                               const std::string& bucket = "b") const {
        return server_address(
            typed, bucket, [this](const char* name) -> std::optional<std::string> {
                const auto place = variables_.find(name);
                return place == variables_.end() ? std::nullopt
                                                 : std::optional<std::string>(place->second);
            });
    }

    std::string home_;
    std::map<std::string, std::string> variables_;
};

TEST_F(AwsSettings, ComeFromVariablesFirst) {
    write("credentials", "[default]\naws_access_key_id = F\naws_secret_access_key = f\n");
    variables_["AWS_ACCESS_KEY_ID"] = "V";
    variables_["AWS_SECRET_ACCESS_KEY"] = "v";
    variables_["AWS_REGION"] = "eu-central-1";
    const auto address = read();
    ASSERT_TRUE(address);
    EXPECT_EQ(address->credentials.access_key, "V");
    EXPECT_EQ(address->credentials.secret_key, "v");
    EXPECT_EQ(address->endpoint, "https://s3.eu-central-1.amazonaws.com");
    EXPECT_TRUE(address->has_bucket_in_host);
    EXPECT_FALSE(read({}, "with.dots")->has_bucket_in_host);
}

// A cluster file's key belongs to its server, whatever the environment has.
TEST_F(AwsSettings, TakeTheKeyOfAClusterFileBeforeAllElse) {
    variables_["AWS_ACCESS_KEY_ID"] = "V";
    variables_["AWS_SECRET_ACCESS_KEY"] = "v";
    variables_["AWS_SESSION_TOKEN"] = "t";
    const auto address = read({.endpoint = "https://own.example", .key = {"C", "c", ""}});
    ASSERT_TRUE(address);
    EXPECT_EQ(address->credentials.access_key, "C");
    EXPECT_EQ(address->credentials.secret_key, "c");
    EXPECT_EQ(address->credentials.session_token, "");
}

// Half a key of a variable must not be joined with the other half of a file.
TEST_F(AwsSettings, NeverMixKeyAndSecretOfTwoPlaces) {
    write("credentials", "[default]\naws_access_key_id = F\naws_secret_access_key = f\n");
    variables_["AWS_ACCESS_KEY_ID"] = "V";
    EXPECT_EQ(read()->credentials.access_key, "F");
}

TEST_F(AwsSettings, ComeFromBothFilesOfAProfile) {
    write("credentials", "# keys\n[other]\naws_access_key_id=K\naws_secret_access_key=s=/+\n");
    write("config",
          "[profile other]\nregion = eu-west-3\nca_bundle = /ca.pem\n"
          "endpoint_url = http://127.0.0.1:9000/\ns3 =\n  addressing_style = path\n");
    variables_["AWS_ACCESS_KEY_ID"] = "V";
    variables_["AWS_SECRET_ACCESS_KEY"] = "v";
    TypedSettings typed;
    typed.profile = "other";
    const auto address = read(typed);
    ASSERT_TRUE(address) << address.error().text();
    EXPECT_EQ(address->credentials.access_key, "K");
    EXPECT_EQ(address->credentials.secret_key, "s=/+");
    EXPECT_EQ(address->region, "eu-west-3");
    EXPECT_EQ(address->endpoint, "http://127.0.0.1:9000");
    EXPECT_EQ(address->ca_file, "/ca.pem");
    EXPECT_FALSE(address->has_bucket_in_host);
}

TEST_F(AwsSettings, SayWhatIsMissing) {
    EXPECT_EQ(read().error().code, "s3.credentials");
    TypedSettings typed;
    typed.profile = "nobody";
    EXPECT_EQ(read(typed).error().code, "s3.profile");
    write("config", "[default]\ncredential_process = /bin/key\n");
    EXPECT_THAT(read().error().message, testing::HasSubstr("credential_process"));
    write("config", "region = x\n");
    EXPECT_THAT(read().error().message, testing::HasSubstr("config:1:"));
}

TEST_F(AwsSettings, RefuseAnEndpointWithMoreThanAHost) {
    write("credentials", "[default]\naws_access_key_id = F\naws_secret_access_key = f\n");
    for (const char* endpoint :
         {"ftp://h", "https://", "http://h/path", "http://u:p@h", "h:9000", "http://h?x"}) {
        TypedSettings typed;
        typed.endpoint = endpoint;
        const auto address = read(typed);
        ASSERT_FALSE(address) << endpoint;
        EXPECT_EQ(address.error().code, "s3.setting");
    }
}

}  // namespace
}  // namespace drydock::mover::s3
