// Compares the migration chains of two packages, for `drydock chain`.
//
// With two environments the first belongs to the old package and the last to the new one. With one
// it belongs to both.
#include "app/chain.h"

namespace drydock::app {

ChainAnswer compare_chains(const ChainRequest& request) {
    const auto& chosen = request.environments;
    ChainAnswer answer;
    answer.old_reading =
        chain::read_chain(request.old_package, chosen.empty() ? "" : chosen.front());
    answer.new_reading =
        chain::read_chain(request.new_package, chosen.empty() ? "" : chosen.back());
    answer.comparison = chain::compare(answer.old_reading, answer.new_reading, request.database);
    answer.explanation = chain::explain(answer.old_reading, answer.new_reading, answer.comparison);
    answer.exit_code = chain::exit_code_of(answer.comparison.verdict);
    return answer;
}

}  // namespace drydock::app
