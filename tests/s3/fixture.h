// A fake server with a client, for tests of this folder.
#pragma once

#include "fake_s3/fake_s3.h"
#include "mover/s3/list_cursor.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace drydock::mover::s3 {

// A folder that goes with its owner.
class ScratchFolder {
public:
    ScratchFolder() {
        std::string name = testing::TempDir() + "/drydock-s3.XXXXXX";
        path_ = mkdtemp(name.data());
    }

    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;

    ~ScratchFolder() { std::filesystem::remove_all(path_); }

    [[nodiscard]] std::string operator/(const std::string& name) const {
        return path_ + "/" + name;
    }

private:
    std::string path_;
};

// Of whole copies: retries come at once.
inline const ClientLimits k_copy_limits = {
    .attempts_max = 4, .throttled_attempts_max = 20, .first_pause_ms = 1, .pause_max_ms = 2};

// Retries come at once; the limits are low.
class WithFakeS3 {
protected:
    WithFakeS3()
        : client_(loop_,
                  {server_.endpoint(),
                   "us-east-1",
                   {fake_s3::FakeS3::access_key, fake_s3::FakeS3::secret_key, ""}},
                  {.attempts_max = 4,
                   .throttled_attempts_max = 8,
                   .first_pause_ms = 1,
                   .pause_max_ms = 2},
                  clock_) {}

    [[nodiscard]] Listing
    listing(const std::string& bucket, const std::string& prefix = "", bool has_versions = false) {
        return {&client_, bucket, prefix, has_versions};
    }

    // Puts an object in three parts, with all that a part does not carry. Returns its bytes.
    std::string put_rich_object(const std::string& key,
                                const std::string& body = std::string(2'500, 'p')) {
        server_.put_parts("from", key, body, {1000, 1000, 500});
        server_.with("from", [&](fake_s3::Bucket& bucket) {
            fake_s3::Version& version = bucket.objects[key].back();
            version.headers = {{"content-type", "text/x"},
                               {"cache-control", "no-store"},
                               {"x-amz-meta-owner", "me"},
                               {"x-amz-meta-owner-b", "you"}};
            version.tags = {{"team", "a b&c"}};
            version.acl = "<AccessControlPolicy>public</AccessControlPolicy>";
        });
        return body;
    }

    fake_s3::FakeS3 server_;
    HttpLoop loop_;
    os::RealClock clock_;
    Client client_;
};

}  // namespace drydock::mover::s3
