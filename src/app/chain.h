// The use case of `drydock chain`: two packages read and compared. No cluster is asked.
#pragma once

#include "chain/chain.h"
#include "chain/explain.h"

#include <string>
#include <vector>

namespace drydock::app {

struct ChainRequest {
    std::string old_package;  // package: a file or a folder
    std::string new_package;
    std::vector<std::string> environments;  // one for both, or one each; none: the only ones
    std::vector<std::string> database;      // revisions of the database; none: OLD's heads
};

struct ChainAnswer {
    chain::Reading old_reading;
    chain::Reading new_reading;
    chain::Comparison comparison;
    chain::Explanation explanation;
    int exit_code = 0;  // 0 clean, 1 not, 2 could not be read
};

[[nodiscard]] ChainAnswer compare_chains(const ChainRequest& request);

}  // namespace drydock::app
