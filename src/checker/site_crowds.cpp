// Crowds: actions side by side that may as well be skipped, and do nothing but raise a format that
// one of them raises alone.
//
// "Move leadership away, if it leads", on every member at once, is such a crowd: nobody models who
// leads, so any number of them may be under way. Why few at a time tell the whole story:
// docs/design/0004.
#include "checker/site_parts.h"

#include <algorithm>
#include <map>

namespace drydock::checker {

namespace {

// Nothing of it is left, and nobody waits for more than its end, whether it was begun or skipped.
bool may_be_skipped(const Site& site, std::size_t action) {
    const Act& act = site.acts[action];
    const bool open = std::any_of(act.when.begin(), act.when.end(), [](const Question& question) {
        return !question.modelled;
    });
    return open && site.program.acts(action) && !site.program.promises(action)
           && !site.program.optional(action) && !site.program.is_gate(action)
           && act.ran == k_nowhere && !act.matters_if_skipped;
}

bool raises_only(const Act& act) {
    return act.writes.empty() && act.lowers.empty() && act.copies.empty() && act.destroyed.empty()
           && !act.destroys && !act.restores && !act.starts && !act.takes_down
           && !act.moves_serving;
}

}  // namespace

void add_crowds(Site& site) {
    const bool lowered = std::any_of(
        site.acts.begin(), site.acts.end(), [](const Act& act) { return !act.lowers.empty(); });
    std::map<std::vector<int>, int> crowds;  // by what they raise
    for (std::size_t i = 0; i < site.acts.size() && !lowered; ++i) {
        if (raises_only(site.acts[i]) && may_be_skipped(site, i)) {
            const auto next = static_cast<int>(crowds.size());
            site.acts[i].crowd = crowds.emplace(site.acts[i].raises, next).first->second;
        }
    }
    site.crowds = crowds.size();
}

}  // namespace drydock::checker
