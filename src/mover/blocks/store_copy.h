// StoreCopy: a copy of a real store that a test may damage. The destructor removes it.
//
// Only tests use it: an error ends the process with its message.
#pragma once

#include "base/json.h"
#include "mover/blocks/store.h"

#include <cstdint>
#include <string>

namespace drydock::mover::blocks {

class StoreCopy {
public:
    static constexpr const char* k_key =
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    // Copies tests/fixtures/backy2/RELEASE, with SQLite metadata.
    explicit StoreCopy(const std::string& release);
    StoreCopy(const StoreCopy&) = delete;
    StoreCopy& operator=(const StoreCopy&) = delete;
    ~StoreCopy();

    [[nodiscard]] const std::string& folder() const { return folder_; }

    [[nodiscard]] const Json& manifest() const { return manifest_; }

    [[nodiscard]] StoreConfig config() const;
    [[nodiscard]] Store open(SqlAccess access = SqlAccess::read) const;
    // Returns the uid of the version with that name in the manifest.
    [[nodiscard]] std::string uid(const std::string& version) const;
    [[nodiscard]] std::string corrupt_uid() const;
    // Returns the first block of version b1, which shares no blob.
    [[nodiscard]] BlockRow first_of_b1() const;
    [[nodiscard]] std::string path_of(const BlockRow& row) const;
    void change(const std::string& sql) const;
    // Returns one text a row, columns separated by "|".
    [[nodiscard]] std::vector<std::string> rows(const std::string& sql) const;
    // Takes the metadata of a failed upgrade. Returns false if the fixture has none.
    [[nodiscard]] bool take_half_done() const;
    // Returns the digest of the image that a native restore makes, or the code of its error.
    [[nodiscard]] std::string restored_sha256(const std::string& version_uid,
                                              const std::string& key_hex = k_key) const;

private:
    std::string folder_;
    Json manifest_;
};

}  // namespace drydock::mover::blocks
