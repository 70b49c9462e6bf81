#include "planner/golden.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace drydock::planner {

void expect_golden_text(const std::string& file, const std::string& got) {
    const std::string path = DRYDOCK_SOURCE_DIR "/tests/golden/" + file;
    if (std::getenv("DRYDOCK_ACCEPT") != nullptr) {
        std::ofstream(path) << got;
    }
    std::ifstream recorded(path);
    std::ostringstream expected;
    expected << recorded.rdbuf();
    EXPECT_EQ(got, expected.str()) << path << "; DRYDOCK_ACCEPT=1 records it anew";
}

void expect_golden(const std::string& name, const Compiled& compiled) {
    expect_golden_text("planner/" + name + ".txt",
                       compiled.plan ? outline(*compiled.plan) : text(compiled));
}

}  // namespace drydock::planner
