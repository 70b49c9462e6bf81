// StoreCopy: a copy of a real store for a test to damage. Removed with the object.
//
// Only tests use it: what cannot be done ends the process with the message of the error.
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

    // Of tests/fixtures/backy2/RELEASE, with SQLite metadata.
    explicit StoreCopy(const std::string& release);
    StoreCopy(const StoreCopy&) = delete;
    StoreCopy& operator=(const StoreCopy&) = delete;
    ~StoreCopy();

    [[nodiscard]] const std::string& folder() const { return folder_; }

    [[nodiscard]] const Json& manifest() const { return manifest_; }

    [[nodiscard]] StoreConfig config() const;
    [[nodiscard]] Store open(SqlAccess access = SqlAccess::read) const;
    // The uid of the version that the manifest calls so.
    [[nodiscard]] std::string uid(const std::string& version) const;
    [[nodiscard]] std::string corrupt_uid() const;
    // The first block of version b1, which shares none.
    [[nodiscard]] BlockRow first_of_b1() const;
    [[nodiscard]] std::string path_of(const BlockRow& row) const;
    void change(const std::string& sql) const;
    // Answers one text a row, columns separated by "|".
    [[nodiscard]] std::vector<std::string> rows(const std::string& sql) const;
    // Takes the metadata that a failed upgrade left. False if there are none.
    [[nodiscard]] bool take_half_done() const;
    // Of the image that a native restore makes; the code of the error if it cannot.
    [[nodiscard]] std::string restored_sha256(const std::string& version_uid,
                                              const std::string& key_hex = k_key) const;

private:
    std::string folder_;
    Json manifest_;
};

}  // namespace drydock::mover::blocks
