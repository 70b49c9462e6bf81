#include "mover/s3/part_sizes.h"

#include <gtest/gtest.h>

namespace drydock::mover::s3 {
namespace {

constexpr std::int64_t k_mib = 1LL << 20U;

TEST(PartSizes, CountThePartsOfAnEtag) {
    EXPECT_EQ(parts_of_etag("d41d8cd98f00b204e9800998ecf8427e-38"), 38);
    for (const char* whole :
         {"d41d8cd98f00b204e9800998ecf8427e", "x-", "x-1a", "x-0", "x-10001", "x--3", ""}) {
        EXPECT_EQ(parts_of_etag(whole), 0) << whole;
    }
}

TEST(PartSizes, KnowAnMd5) {
    EXPECT_TRUE(is_md5("d41d8cd98f00b204e9800998ecf8427e"));
    for (const char* other : {"d41d8cd98f00b204e9800998ecf8427e-38",
                              "d41d8cd98f00b204e9800998ecf8427",
                              "CK00000001nQEAE=CK00000001nQEAE=",
                              ""}) {
        EXPECT_FALSE(is_md5(other)) << other;
    }
}

TEST(PartSizes, BelieveTheServerAndElseTheUsualTools) {
    EXPECT_EQ(part_size_of(2500, 3, 1000), 1000);
    EXPECT_EQ(part_size_of(2500, 3, 700), std::nullopt) << "the server contradicts itself";
    EXPECT_EQ(part_size_of(100 * k_mib, 13, 0), 8 * k_mib);
    EXPECT_EQ(part_size_of(100 * k_mib, 7, 0), 16 * k_mib);
    EXPECT_EQ(part_size_of(700, 1, 0), 700);
    EXPECT_EQ(part_size_of(2500, 3, 0), std::nullopt);
}

TEST(PartSizes, StayBelowTenThousandParts) {
    const std::int64_t bytes = 48LL << 40U;  // 48 TiB, which S3 allows
    const std::int64_t size = plain_part_size(bytes);
    EXPECT_LE((bytes + size - 1) / size, k_parts_max);
    EXPECT_LE(size, k_copy_bytes_max);
}

// The MD5 of the 16 bytes of an empty part's MD5.
TEST(PartSizes, MakeTheEtagOfParts) {
    const std::string empty = "d41d8cd98f00b204e9800998ecf8427e";
    EXPECT_EQ(etag_of_parts({empty}), "59adb24ef3cdbe0297f05b395827453f-1");
    EXPECT_EQ(etag_of_parts({empty, "no digest"}), "");
}

}  // namespace
}  // namespace drydock::mover::s3
