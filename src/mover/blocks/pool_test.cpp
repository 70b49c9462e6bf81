// The way of blobs through the pool: jobs in groups, and syncs while other blobs are written.
#include "mover/blocks/early_sync.h"
#include "mover/blocks/ordered_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <numeric>

namespace drydock::mover::blocks {
namespace {

using Pool = OrderedPool<int, int>;

struct Case {
    const char* name;
    int jobs;
    std::int64_t bytes;  // of each
};

class Groups : public testing::TestWithParam<Case> {};

TEST_P(Groups, KeepTheOrderAndLoseNothing) {
    std::vector<int> taken;
    Pool pool(3,
              k_small_group_bytes,
              one_by_one<int, int>([](const int& job) { return 2 * job; }),
              [&](const int& job, const int& answer) {
                  EXPECT_EQ(answer, 2 * job);
                  taken.push_back(job);
                  return Status{};
              });
    for (int job = 0; job < GetParam().jobs; ++job) {
        ASSERT_TRUE(pool.submit(job, GetParam().bytes));
    }
    ASSERT_TRUE(pool.finish());
    std::vector<int> wanted(static_cast<std::size_t>(GetParam().jobs));
    std::iota(wanted.begin(), wanted.end(), 0);
    EXPECT_EQ(taken, wanted);
}

INSTANTIATE_TEST_SUITE_P(OfAllSizes,
                         Groups,
                         testing::Values(Case{"none", 0, 1},
                                         Case{"one", 1, 1},
                                         Case{"less_than_a_group", 31, 1},
                                         Case{"more_than_a_group", 1000, 1},
                                         Case{"large_jobs", 100, k_small_group_bytes},
                                         Case{"sizes_that_no_row_may_have", 100, -1}),
                         [](const auto& one) { return std::string(one.param.name); });

TEST(OrderedPool, AnErrorOfATakeEndsIt) {
    Pool pool(1,
              k_small_group_bytes,
              one_by_one<int, int>([](const int& job) { return job; }),
              [](const int& job, const int&) {
                  return job == 40 ? Status(fail("test", "no")) : Status{};
              });
    Status done;
    for (int job = 0; done && job < 10'000; ++job) {
        done = pool.submit(job, 1);
    }
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, "test");
}

// Counts syncs; the first one fails.
class FailingOnce final : public DataBackend {
public:
    mutable std::atomic<int> syncs = 0;

    [[nodiscard]] const std::string& name() const override { return name_; }

    [[nodiscard]] Result<std::string> place_of(const std::string&) const override { return name_; }

    [[nodiscard]] Status check() const override { return {}; }

    [[nodiscard]] Status read(const std::string&, std::size_t, Buffer&) const override {
        return {};
    }

    [[nodiscard]] Status write(const std::string&, std::string_view) const override { return {}; }

    [[nodiscard]] Status sync() const override {
        return ++syncs == 1 ? Status(fail("os.sync", "the disk is gone")) : Status{};
    }

    void forget_cached(const std::string&) const override {}

    [[nodiscard]] Result<bool> remove(const std::string&) const override { return true; }

    [[nodiscard]] Result<std::optional<std::int64_t>> bytes_of(const std::string&) const override {
        return std::nullopt;
    }

    [[nodiscard]] std::unique_ptr<BlobNames> names() const override { return nullptr; }

private:
    std::string name_ = "test";
};

// The kernel reports an error of writing to one sync only: here to the sync of the thread.
TEST(EarlySync, ForgetsNoError) {
    const FailingOnce blobs;
    EarlySync early(blobs);
    early.wrote(EarlySync::k_bytes);
    while (blobs.syncs == 0) {
        std::this_thread::yield();
    }
    const Status done = early.finish();
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, "os.sync");
}

TEST(EarlySync, SyncsWhatIsLessThanOneTurn) {
    const FailingOnce blobs;
    EarlySync early(blobs);
    early.wrote(1);
    EXPECT_FALSE(early.finish());
    EXPECT_EQ(blobs.syncs, 1);
}

}  // namespace
}  // namespace drydock::mover::blocks
