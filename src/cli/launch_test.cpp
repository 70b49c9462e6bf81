// The words with which a copy by many nodes is started.
#include "cli/launch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drydock::cli {
namespace {

using ::testing::ElementsAre;

Invocation invocation_of(const std::string& nodes, const std::string& launcher = "") {
    Invocation invocation;
    invocation.nodes = nodes;
    invocation.launcher = launcher;
    invocation.words = {"copy", "/a", "/b"};
    return invocation;
}

TEST(Launch, ANumberOfNodes) {
    EXPECT_THAT(words_to_launch(invocation_of("3"), "/d", false),
                ElementsAre("mpirun", "-np", "3", "/d", "copy", "/a", "/b"));
}

TEST(Launch, HostsAreCounted) {
    EXPECT_THAT(words_to_launch(invocation_of("n1,n2", "mpirun --mca btl tcp,self"), "/d", false),
                ElementsAre("mpirun",
                            "--mca",
                            "btl",
                            "tcp,self",
                            "-np",
                            "2",
                            "--host",
                            "n1,n2",
                            "/d",
                            "copy",
                            "/a",
                            "/b"));
}

TEST(Launch, AJobOfSlurm) {
    EXPECT_THAT(words_to_launch(invocation_of("n1,n2"), "/d", true),
                ElementsAre("srun",
                            "--kill-on-bad-exit=1",
                            "--ntasks-per-node=1",
                            "--ntasks",
                            "2",
                            "--nodelist",
                            "n1,n2",
                            "/d",
                            "copy",
                            "/a",
                            "/b"));
}

}  // namespace
}  // namespace drydock::cli
