// backy2's configuration is read as Python's configparser reads it.
#include "mover/blocks/config.h"
#include "os/files.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

namespace drydock::mover::blocks {
namespace {

using testing::HasSubstr;

std::string config_with(const std::string& engine, const std::string& defaults = "") {
    return "# a comment\n[DEFAULTS]\nblock_size: 16384\n" + defaults
           + "[MetaBackend]\ntype: backy2.meta_backends.sql\nengine = " + engine
           + "\n[DataBackend]\ntype: backy2.data_backends.file\npath: /srv/data\n";
}

TEST(Config, TellsWhereTheStoreLies) {
    const auto config = parse_config(config_with("sqlite:////srv/meta.sqlite"));
    ASSERT_TRUE(config) << config.error().text();
    EXPECT_EQ(config->engine, Engine::sqlite);
    EXPECT_EQ(config->metadata, "/srv/meta.sqlite");
    EXPECT_EQ(config->data, "/srv/data");
    EXPECT_EQ(config->block_bytes, 16384);
    EXPECT_EQ(config->hash_function, "sha512");
    EXPECT_TRUE(config->key.empty());
    EXPECT_EQ(parse_config(config_with("sqlite:///meta.sqlite"))->metadata, "meta.sqlite");
    for (const char* slashes : {"/", "//"}) {
        std::string text = config_with("sqlite:////srv/meta.sqlite");
        text.insert(text.size() - 1, slashes);
        EXPECT_EQ(parse_config(text)->data, "/srv/data");
    }
}

TEST(Config, TakesHashFunctionKeyAndLockFolder) {
    const auto config = parse_config(config_with("sqlite:////m",
                                                 "HASH_Function: sha256\nlock_dir: /run/lock\n"
                                                 "encryption_version: 1\nencryption_key: "
                                                     + std::string(64, 'a') + "\n"));
    ASSERT_TRUE(config) << config.error().text();
    EXPECT_EQ(config->hash_function, "sha256");
    EXPECT_EQ(config->lock_dir, "/run/lock");
    EXPECT_EQ(config->enc_version, 1);
    EXPECT_EQ(config->key, std::string(32, '\xaa'));
}

TEST(Config, DropsTheDriverOfAPostgresUrlAndUndoublesPercentSigns) {
    const auto config =
        parse_config(config_with("postgresql+psycopg2://backy:p%%40ss@127.0.0.1:5432/backy2"));
    ASSERT_TRUE(config) << config.error().text();
    EXPECT_EQ(config->engine, Engine::postgresql);
    EXPECT_EQ(config->metadata, "postgresql://backy:p%40ss@127.0.0.1:5432/backy2");
}

std::string s3_config(const std::string& type, const std::string& settings) {
    return "[MetaBackend]\nengine: sqlite:////m\n[DataBackend]\ntype: backy2.data_backends." + type
           + "\naws_access_key_id: me\naws_secret_access_key: x%%y\nbucket_name: b\n" + settings;
}

TEST(Config, TakesABucketAsEachReleaseNamesIt) {
    const auto newer = parse_config(s3_config("s3", "endpoint_url: http://h:9000/\n"));
    ASSERT_TRUE(newer) << newer.error().text();
    EXPECT_TRUE(newer->data.empty());
    EXPECT_EQ(newer->s3.endpoint, "http://h:9000");
    EXPECT_EQ(newer->s3.bucket, "b");
    EXPECT_EQ(newer->s3.access_key, "me");
    EXPECT_EQ(newer->s3.secret_key, "x%y");
    const auto endpoint_of = [](const std::string& type, const std::string& settings) {
        return parse_config(s3_config(type, settings))->s3.endpoint;
    };
    EXPECT_EQ(endpoint_of("s3", "host: h\nport: 10000\nis_secure: false\n"), "http://h:10000");
    EXPECT_EQ(endpoint_of("minio", "host: h:9000\nsecure: true\n"), "https://h:9000");
    EXPECT_EQ(endpoint_of("s3", "region_name: eu-west-1\n"), "https://s3.eu-west-1.amazonaws.com");
    EXPECT_TRUE(
        parse_config(s3_config("s3", "addressing_style: virtual\n"))->s3.has_bucket_in_host);
}

TEST(Config, SendsOnlyToServersOfHttp) {
    for (const char* url : {"file:///etc", "gopher://h", "ftp://h", "dict://h", "httpx://h"}) {
        const auto config = parse_config(s3_config("s3", fmt::format("endpoint_url: {}\n", url)));
        ASSERT_FALSE(config) << url;
        EXPECT_THAT(config.error().message, HasSubstr("neither http"));
    }
    EXPECT_TRUE(parse_config(s3_config("s3", "endpoint_url: HTTPS://h\n")));
}

// The content of a key file goes to the server: a foreign configuration must not name /etc/shadow.
TEST(Config, ReadsKeysBesideItselfOnly) {
    std::string folder = testing::TempDir() + "drydock-config.XXXXXX";
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    std::filesystem::create_directory(folder + "/here");
    const auto with_key = [&](const std::string& path) {
        const std::string own = "aws_access_key_id: me\n";
        std::string text = s3_config("s3", "endpoint_url: http://h\n");
        text.replace(text.find(own), own.size(), "aws_access_key_id_file: " + path + "\n");
        return parse_config(text, folder + "/here");
    };
    std::filesystem::create_directory(folder + "/here/keys");
    for (const char* name : {"/here/keys/id", "/id", "/here2"}) {
        ASSERT_TRUE(os::write_file_durable(folder + name, "the key\n"));
    }
    std::filesystem::create_symlink(folder + "/id", folder + "/here/link");
    for (const char* name : {"/id", "/here/../id", "/here2", "/here/link"}) {
        const auto refused = with_key(folder + name);
        ASSERT_FALSE(refused) << name;
        EXPECT_THAT(refused.error().message, HasSubstr("elsewhere"));
        EXPECT_THAT(refused.error().remedy, HasSubstr(folder));
    }
    EXPECT_EQ(with_key(folder + "/here/keys/id")->s3.access_key, "the key");
    std::filesystem::remove_all(folder);
}

TEST(Config, RefusesWhatItDoesNotRead) {
    const auto message_of = [](const std::string& text) {
        const auto config = parse_config(text);
        return config ? std::string() : config.error().message;
    };
    EXPECT_THAT(message_of(config_with("oracle://h/db")), HasSubstr("of the kind oracle"));
    for (const char* url : {"mysql://h/db", "mysql+pymysql://u:secret@h/db", "mariadb://h/db"}) {
        const auto config = parse_config(config_with(url));
        ASSERT_FALSE(config);
        EXPECT_THAT(config.error().message, HasSubstr("MySQL")) << url;
        EXPECT_THAT(config.error().remedy, HasSubstr("drydock store import")) << url;
        EXPECT_THAT(config.error().text(), testing::Not(HasSubstr("secret")));
    }
    EXPECT_THAT(message_of(config_with("sqlite:////%(home)s/m")),
                HasSubstr("[MetaBackend] engine"));
    EXPECT_THAT(message_of(config_with("sqlite:////m", "encryption_version: x\n")),
                HasSubstr("encryption_version is no number"));
    EXPECT_THAT(message_of("engine: x\n"), HasSubstr("line 1 stands before"));
    EXPECT_THAT(message_of("[DEFAULTS]\nnonsense\n"), HasSubstr("line 2 is no setting"));
    EXPECT_THAT(message_of("[MetaBackend]\nengine: sqlite:////m\n[DataBackend]\n"
                           "type: backy2.data_backends.null\n"),
                HasSubstr("type is backy2.data_backends.null"));
    EXPECT_THAT(message_of("[MetaBackend]\nengine: sqlite:////m\n[DataBackend]\n"
                           "type: backy2.data_backends.file\npath:\n"),
                HasSubstr("[DataBackend] path is empty"));
    EXPECT_THAT(message_of("[DEFAULTS]\n"), HasSubstr("no setting [MetaBackend] engine"));
    EXPECT_THAT(message_of(config_with("sqlite:////m", "block_size: 1\n")),
                HasSubstr("line 4 has [DEFAULTS] block_size again"));
    EXPECT_EQ(parse_config(config_with("sqlite:////m", "encryption_key: 00\n")).error().code,
              "blocks.key");
}

// A wrong URL can hold a password.
// It would be taken for a host, shown, and asked of name servers.
TEST(Config, RefusesAPasswordThatHoldsASeparator) {
    for (const char* engine : {"postgresql://backy:p@ssW0rd@127.0.0.1:1/backy",
                               "postgresql://backy:Se/cr3t@127.0.0.1/backy",
                               "host=127.0.0.1 password=s3cretpw"}) {
        const auto config = parse_config(config_with(engine));
        ASSERT_FALSE(config) << engine;
        EXPECT_THAT(config.error().text(), testing::Not(testing::ContainsRegex("ssW0|cr3t|s3cr")));
    }
    EXPECT_TRUE(parse_config(config_with("postgresql://backy:p%%40ss@127.0.0.1/backy?x=a@b")));
    EXPECT_TRUE(parse_config(config_with("postgresql:///backy")));
}

TEST(Config, TellsNoPassword) {
    const auto config = parse_config(config_with("oracle:hunter2hunter2@host"));
    ASSERT_FALSE(config);
    EXPECT_THAT(config.error().text(), testing::Not(HasSubstr("hunter2hunter2")));
}

}  // namespace
}  // namespace drydock::mover::blocks
