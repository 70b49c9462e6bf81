// Every pack of packs/ loads without a word.
#include "pack/load.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace drydock::pack {

TEST(Packs, LoadWithoutDiagnostics) {
    const std::filesystem::path packs = DRYDOCK_SOURCE_DIR "/packs";
    if (!std::filesystem::exists(packs)) {
        GTEST_SKIP() << "there are no packs";
    }
    for (const auto& entry : std::filesystem::directory_iterator(packs)) {
        const auto loaded = load_pack(entry.path().string());
        EXPECT_TRUE(loaded.value) << loaded.diagnostics.text();
        EXPECT_TRUE(loaded.diagnostics.all().empty()) << loaded.diagnostics.text();
        EXPECT_TRUE(!loaded.value || loaded.value->name == entry.path().filename().string());
    }
}

}  // namespace drydock::pack
