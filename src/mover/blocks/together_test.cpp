// Blocks that are hashed side by side are judged like blocks that are read alone.
#include "base/hash.h"
#include "mover/blocks/blob.h"
#include "mover/blocks/cipher.h"
#include "mover/blocks/sha512_lanes.h"
#include "mover/blocks/store_copy.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace drydock::mover::blocks {
namespace {

// Around the sizes where a text needs one piece more.
TEST(Sha512Lanes, AreThoseOfOpenSsl) {
    for (const std::size_t size :
         {0U, 1U, 111U, 112U, 127U, 128U, 129U, 239U, 240U, 255U, 65536U}) {
        std::array<std::string, k_lanes> texts;
        std::array<std::string_view, k_lanes> views;
        for (std::size_t lane = 0; lane < k_lanes; ++lane) {
            for (std::size_t i = 0; i < size; ++i) {
                texts.at(lane) += static_cast<char>((i * (2 * lane + 7) + i / 251) % 256);
            }
            views.at(lane) = texts.at(lane);
        }
        const auto digests = sha512_lanes(views);
        for (std::size_t lane = 0; lane < k_lanes; ++lane) {
            EXPECT_EQ(to_hex(digests.at(lane)), digest_hex("sha512", texts.at(lane)))
                << size << " bytes in lane " << lane;
        }
    }
}

class Together : public testing::TestWithParam<const char*> {
public:
    StoreCopy copy{GetParam()};
    Store store = copy.open();
    std::vector<BlockRow> rows;

    void SetUp() override {
        ASSERT_TRUE(store.metadata->each_blob_row([&](const BlockRow& row) {
            rows.push_back(row);
            return Status{};
        }));
        ASSERT_GT(rows.size(), 2 * k_lanes);
    }

    // Every row is judged as use_block() does, and right ones are handed on in their order.
    void expect_same() const {
        std::vector<const BlockRow*> pointers;
        pointers.reserve(rows.size());
        for (const BlockRow& row : rows) {
            pointers.push_back(&row);
        }
        std::vector<std::string> seen(rows.size());
        std::size_t last = 0;
        const auto done = use_blocks(store.reader, pointers, [&](std::size_t i, auto plain) {
            EXPECT_LE(last, i);
            last = i;
            seen[i] = plain;
            return Status{};
        });
        ASSERT_EQ(done.size(), rows.size());
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const auto alone = read_block(store.reader, rows[i]);
            EXPECT_EQ(done[i].has_value(), alone.has_value());
            EXPECT_EQ(seen[i], alone.value_or(""));
            EXPECT_EQ(done[i] ? "" : done[i].error().text(), alone ? "" : alone.error().text());
        }
    }
};

TEST_P(Together, RealStores) {
    expect_same();
}

TEST_P(Together, EachKindOfDamageIsFoundAtItsRow) {
    std::filesystem::remove(copy.path_of(rows[1]));
    std::filesystem::resize_file(copy.path_of(rows[3]), 7);
    std::fstream(copy.path_of(rows[4]), std::ios::in | std::ios::out | std::ios::binary)
        << "not what was there";
    rows[6].checksum = std::nullopt;
    rows[7].checksum = std::string(128, '0');
    rows[9].size = -1;
    rows[10].size = INT64_MAX;
    rows[12].uid = "../../etc/passwd";
    expect_same();
}

TEST_P(Together, NoneIsRight) {
    for (const BlockRow& row : rows) {
        std::filesystem::remove(copy.path_of(row));
    }
    expect_same();
}

INSTANTIATE_TEST_SUITE_P(Releases, Together, testing::Values("2.9.17", "2.13.8"));

}  // namespace
}  // namespace drydock::mover::blocks
