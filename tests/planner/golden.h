// Comparing a compiled plan with its recorded outline in tests/golden/planner.
#pragma once

#include "planner/site.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace drydock::planner {

// DRYDOCK_ACCEPT=1 records it anew.
inline void expect_golden(const std::string& name, const Compiled& compiled) {
    const std::string got = compiled.plan ? outline(*compiled.plan) : text(compiled);
    const std::string path = DRYDOCK_SOURCE_DIR "/tests/golden/planner/" + name + ".txt";
    if (std::getenv("DRYDOCK_ACCEPT") != nullptr) {
        std::ofstream(path) << got;
    }
    std::ifstream file(path);
    std::ostringstream expected;
    expected << file.rdbuf();
    EXPECT_EQ(got, expected.str()) << path << "; DRYDOCK_ACCEPT=1 records it anew";
}

}  // namespace drydock::planner
