// A folder or a manifest compared with a bucket, or with each other, without a change to any:
// verify_list(). Two buckets are compare.h's.
//
// The bytes of a file are always read. Objects of a bucket are read only where ETags do not decide.
#pragma once

#include "mover/s3/compare.h"

#include <cstdint>
#include <string>

namespace drydock::mover::s3 {

enum class SideKind : std::uint8_t { bucket, folder, manifest };

struct ComparedSide {
    SideKind kind = SideKind::bucket;
    BucketPlace place;  // of a bucket
    std::string path;   // of a folder or a manifest
};

struct ListCompareRequest {
    ComparedSide source;
    ComparedSide target;  // of another kind than the source
    bool reads_all = false;
    ClientLimits limits = {};
    Progressed progressed = {};
};

// Compares. An object that nothing decides is "s3.undecided" in the failures. Errors: "s3.setting"
// for two sides of one kind; those of the lists (object_list.h) and of the client.
[[nodiscard]] Result<CompareReport> verify_list(const ListCompareRequest& request,
                                                os::Clock& clock);

}  // namespace drydock::mover::s3
