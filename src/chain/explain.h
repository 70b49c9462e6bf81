// The meaning of a comparison: the effect of running the migration tool now, and the repair.
#pragma once

#include "chain/chain.h"

#include <string>
#include <vector>

namespace drydock::chain {

// The revisions on the way back to OLD's heads, with the state of their downgrades by the files.
struct DowngradePath {
    std::vector<std::string> runs;     // downgrades, newest first
    std::vector<std::string> empty;    // downgrades that do nothing
    std::vector<std::string> missing;  // revisions without a downgrade
    std::vector<std::string> refuses;  // downgrades that raise an exception
};

struct Explanation {
    std::vector<std::string> happens;  // sentences
    std::vector<std::string>
        repairs;  // alternatives, the best first; empty: none needed, or none known
    std::vector<std::string> notes;
    DowngradePath way_back;
};

[[nodiscard]] Explanation
explain(const Reading& old_reading, const Reading& new_reading, const Comparison& comparison);

// Returns all of it as JSON; docs/chains.md lists the keys.
[[nodiscard]] Json report(const Reading& old_reading,
                          const Reading& new_reading,
                          const Comparison& comparison,
                          const Explanation& explanation);

// Returns 0 for clean, 2 for refused, 1 for all other verdicts.
[[nodiscard]] int exit_code_of(Verdict verdict);

}  // namespace drydock::chain
