// backy2's configuration is read as Python's configparser reads it.
#include "mover/blocks/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

TEST(Config, RefusesWhatItDoesNotRead) {
    const auto message_of = [](const std::string& text) {
        const auto config = parse_config(text);
        return config ? std::string() : config.error().message;
    };
    EXPECT_THAT(message_of(config_with("mysql://h/db")), HasSubstr("of the kind mysql"));
    EXPECT_THAT(message_of(config_with("sqlite:////%(home)s/m")),
                HasSubstr("[MetaBackend] engine"));
    EXPECT_THAT(message_of(config_with("sqlite:////m", "encryption_version: x\n")),
                HasSubstr("encryption_version is no number"));
    EXPECT_THAT(message_of("engine: x\n"), HasSubstr("line 1 stands before"));
    EXPECT_THAT(message_of("[DEFAULTS]\nnonsense\n"), HasSubstr("line 2 is no setting"));
    EXPECT_THAT(message_of("[MetaBackend]\nengine: sqlite:////m\n[DataBackend]\n"
                           "type: backy2.data_backends.s3\n"),
                HasSubstr("type is backy2.data_backends.s3"));
    EXPECT_THAT(message_of("[DEFAULTS]\n"), HasSubstr("no setting [MetaBackend] engine"));
    EXPECT_THAT(message_of(config_with("sqlite:////m", "block_size: 1\n")),
                HasSubstr("line 4 has [DEFAULTS] block_size again"));
    EXPECT_EQ(parse_config(config_with("sqlite:////m", "encryption_key: 00\n")).error().code,
              "blocks.key");
}

// A wrong URL can hold a password.
TEST(Config, TellsNoPassword) {
    const auto config = parse_config(config_with("oracle:hunter2hunter2@host"));
    ASSERT_FALSE(config);
    EXPECT_THAT(config.error().text(), testing::Not(HasSubstr("hunter2hunter2")));
}

}  // namespace
}  // namespace drydock::mover::blocks
