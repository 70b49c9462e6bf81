// Only tests link this.
#include "base/check.h"
#include "base/hash.h"
#include "base/text.h"
#include "mover/blocks/restore.h"
#include "mover/blocks/store_copy.h"
#include "os/files.h"

#include <stdlib.h>

#include <filesystem>

namespace drydock::mover::blocks {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_file_bytes_max = 64U << 20U;

}  // namespace

StoreCopy::StoreCopy(const std::string& release) {
    const fs::path source =
        fs::path(DRYDOCK_SOURCE_DIR) / "tests/fixtures/backy2" / release / "sqlite";
    std::string name = (fs::temp_directory_path() / "drydock-blocks-XXXXXX").string();
    CHECK(mkdtemp(name.data()) != nullptr);
    folder_ = name;
    fs::copy(source, folder_, fs::copy_options::recursive);
    manifest_ = Json::parse(*os::read_file(folder_ + "/manifest.json", k_file_bytes_max)).value();
}

StoreCopy::~StoreCopy() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

StoreConfig StoreCopy::config() const {
    StoreConfig config;
    config.metadata = folder_ + "/meta.sqlite";
    config.data = folder_ + "/data";
    config.key = read_key(k_key).value();
    config.block_bytes = 16384;
    return config;
}

Store StoreCopy::open(SqlAccess access) const {
    return open_store(config(), "", access).value();
}

std::string StoreCopy::uid(const std::string& version) const {
    return manifest_["versions"][version]["uid"].as_string();
}

std::string StoreCopy::corrupt_uid() const {
    return manifest_["corrupt_blob"].as_string();
}

BlockRow StoreCopy::first_of_b1() const {
    BlockRow first;
    const Store store = open();
    CHECK(store.metadata
              ->each_row_of(uid("b1"),
                            [&](const BlockRow& row) {
                                first = first.uid.empty() ? row : first;
                                return Status{};
                            })
              .has_value());
    return first;
}

std::string StoreCopy::path_of(const BlockRow& row) const {
    return file_backend(folder_ + "/data")->place_of(row.uid).value();
}

void StoreCopy::change(const std::string& sql) const {
    const auto done =
        connect_sqlite(folder_ + "/meta.sqlite", SqlAccess::write).value()->execute(sql);
    CHECK(done.has_value());
}

std::vector<std::string> StoreCopy::rows(const std::string& sql) const {
    std::vector<std::string> texts;
    const auto rows =
        connect_sqlite(folder_ + "/meta.sqlite", SqlAccess::read).value()->query(sql, {}).value();
    for (const SqlRow& row : rows) {
        std::vector<std::string> fields;
        for (const auto& field : row) {
            fields.push_back(field.value_or("NULL"));
        }
        texts.push_back(join(fields, "|"));
    }
    return texts;
}

bool StoreCopy::take_half_done() const {
    const std::string left = folder_ + "/meta-after-failed-upgrade.sqlite";
    if (!fs::exists(left)) {
        return false;
    }
    fs::rename(left, folder_ + "/meta.sqlite");
    return true;
}

std::string StoreCopy::restored_sha256(const std::string& version_uid,
                                       const std::string& key_hex) const {
    Store store = open();
    store.reader.key = read_key(key_hex).value();
    const std::string path = folder_ + "/restored.img";
    const auto restored =
        restore(*store.metadata, store.reader, {version_uid, path, -1, 2, true}, [](auto, auto) {});
    if (!restored) {
        return restored.error().code;
    }
    return sha256_hex(os::read_file(path, k_file_bytes_max).value());
}

}  // namespace drydock::mover::blocks
