// A bucket and its clone on one fake server, for tests of this folder.
#pragma once

#include "mover/s3/clone.h"
#include "mover/s3/compare.h"
#include "s3/fixture.h"

#include <fmt/core.h>

#include <string>

namespace drydock::mover::s3 {

// Bucket "from" is cloned to bucket "to" of a fake server, with a journal in a scratch folder.
class S3Clone : public testing::Test, protected WithFakeS3 {
protected:
    S3Clone() {
        request_.source = {client_.address(), "from", ""};
        request_.target = {client_.address(), "to", ""};
        request_.journal = folder_ / "journal";
        request_.limits = k_copy_limits;
        server_.with("from", [](fake_s3::Bucket&) {});
        server_.with("to", [](fake_s3::Bucket&) {});
    }

    CloneReport clone() {
        const auto report = s3::clone(request_, clock_);
        EXPECT_TRUE(report) << report.error().text();
        return report ? *report : CloneReport();
    }

    std::string refusal() {
        const auto report = s3::clone(request_, clock_);
        return report ? "" : report.error().code;
    }

    CompareReport compare(bool reads_all = false) {
        const auto report = verify({.source = request_.source,
                                    .target = request_.target,
                                    .has_versions = request_.has_versions,
                                    .reads_all = reads_all,
                                    .limits = request_.limits},
                                   clock_);
        EXPECT_TRUE(report) << report.error().text();
        return report ? *report : CompareReport();
    }

    void fill(int count) {
        for (int i = 0; i < count; ++i) {
            server_.put("from", fmt::format("k{:05}", i), fmt::format("bytes of {}", i));
        }
    }

    fake_s3::Version target(const std::string& key) {
        fake_s3::Version version;
        server_.with("to", [&](fake_s3::Bucket& bucket) {
            if (!bucket.objects[key].empty()) {
                version = bucket.objects[key].back();
            }
        });
        return version;
    }

    ScratchFolder folder_;
    CloneRequest request_;
};

}  // namespace drydock::mover::s3
