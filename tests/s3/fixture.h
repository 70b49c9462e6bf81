// A fake server with a client, for tests of this folder.
#pragma once

#include "fake_s3/fake_s3.h"
#include "mover/s3/list_cursor.h"

#include <string>

namespace drydock::mover::s3 {

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

    fake_s3::FakeS3 server_;
    HttpLoop loop_;
    os::RealClock clock_;
    Client client_;
};

}  // namespace drydock::mover::s3
