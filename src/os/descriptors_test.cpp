#include "os/descriptors.h"
#include "os/process.h"

#include <sys/resource.h>

namespace drydock::os {
namespace {

std::string limit_of_a_child() {
    RunOptions options;
    options.spawn.argv = {"sh", "-c", "ulimit -n"};
    return run_to_end(options)->output;
}

// A service that is started from here must not inherit more than it would have otherwise.
TEST(Descriptors, are_reserved_for_this_process_alone) {
    rlimit before = {};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const rlimit few = {128, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
    EXPECT_TRUE(reserve_descriptors(20));
    rlimit now = {};
    ::getrlimit(RLIMIT_NOFILE, &now);
    EXPECT_EQ(now.rlim_cur, 128U) << "there were enough";
    EXPECT_TRUE(reserve_descriptors(500));
    ::getrlimit(RLIMIT_NOFILE, &now);
    EXPECT_GT(now.rlim_cur, 500U);
    EXPECT_EQ(limit_of_a_child(), "128\n");
    const auto refused = reserve_descriptors(before.rlim_max);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "os.descriptors");
    EXPECT_THAT(refused.error().remedy, testing::HasSubstr("ulimit -n"));
    ::setrlimit(RLIMIT_NOFILE, &before);
}

}  // namespace
}  // namespace drydock::os
