// The limits of archives and texts, and the errors of damaged archives.
#pragma once

#include "base/result.h"

#include <cstddef>
#include <string>

namespace drydock::chain {

inline constexpr std::size_t k_files_max = 500'000;
inline constexpr std::size_t k_text_max = 8ULL << 20;     // bytes of a file; revisions have KB
inline constexpr std::size_t k_texts_max = 512ULL << 20;  // bytes of all texts of a reading

[[nodiscard]] inline tl::unexpected<Error> damaged_archive(const std::string& reason) {
    return fail("chain.archive",
                "the archive cannot be read: " + reason,
                "fetch it again, and compare its digest with the index's");
}

[[nodiscard]] inline tl::unexpected<Error> twice_in_archive(const std::string& path) {
    return fail(
        "chain.twice", "the archive holds " + path + " twice", "which one is meant cannot be told");
}

}  // namespace drydock::chain
