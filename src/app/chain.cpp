// Compares the migration chains of two packages, for `drydock chain`.
//
// With two environments the first belongs to the old package and the last to the new one. With one
// it belongs to both.
#include "app/chain.h"

namespace drydock::app {

ChainAnswer compare_chains(const ChainRequest& request) {
    const auto& chosen = request.environments;
    ChainAnswer answer;
    answer.before = chain::read_chain(request.before, chosen.empty() ? "" : chosen.front());
    answer.after = chain::read_chain(request.after, chosen.empty() ? "" : chosen.back());
    answer.comparison = chain::compare(answer.before, answer.after, request.database);
    answer.explanation = chain::explain(answer.before, answer.after, answer.comparison);
    answer.exit_code = chain::exit_code_of(answer.comparison.verdict);
    return answer;
}

}  // namespace drydock::app
