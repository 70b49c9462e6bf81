// A fake S3 server with two buckets of that many equal keys, for bench/run-s3: it prints its
// endpoint and serves until its input ends.
#include "fake_s3/fake_s3.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
    const long count = argc > 1 ? std::atol(argv[1]) : 1'000'000;
    fake_s3::FakeS3 server;
    server.keeps_requests = false;
    const std::string etag = fake_s3::md5_hex("x");
    for (const char* name : {"from", "to"}) {
        server.with(name, [&](fake_s3::Bucket& bucket) {
            for (long i = 0; i < count; ++i) {
                fake_s3::Version version;
                version.id = "null";
                version.body = "x";
                version.etag = etag;
                bucket.objects[fmt::format("folder{:03}/object{:07}", i % 1000, i)].push_back(
                    version);
            }
        });
    }
    fmt::print("{}\n", server.endpoint());
    (void)std::fflush(stdout);
    while (std::getchar() != EOF) {
    }
    return 0;
}
