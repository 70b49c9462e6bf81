// What a comparison means: what the migration tool does when it is run now, and the repair.
#pragma once

#include "chain/chain.h"

#include <string>
#include <vector>

namespace drydock::chain {

// How far a way back to OLD's heads would be a real one, by the files alone.
struct WayBack {
    std::vector<std::string> runs;     // downgrades, newest first
    std::vector<std::string> empty;    // of these: they only pass
    std::vector<std::string> missing;  // there is none
    std::vector<std::string> refuses;  // they raise
};

struct Explanation {
    std::vector<std::string> happens;  // sentences
    std::vector<std::string>
        repairs;  // one each, the best first; empty: nothing to repair, or none
    std::vector<std::string> notes;
    WayBack way_back;
};

[[nodiscard]] Explanation
explain(const Reading& old_reading, const Reading& new_reading, const Comparison& comparison);

// All of it as JSON; the keys stand in docs/chains.md.
[[nodiscard]] Json report(const Reading& old_reading,
                          const Reading& new_reading,
                          const Comparison& comparison,
                          const Explanation& explanation);

// 0 clean, 1 not, 2 could not be read.
[[nodiscard]] int exit_code_of(Verdict verdict);

}  // namespace drydock::chain
