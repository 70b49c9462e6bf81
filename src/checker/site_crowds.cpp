// Groups of interchangeable actions: concurrent actions that may be skipped, and do nothing but
// raise a format that one of them raises alone.
//
// "Move leadership away, if it leads", on every member at once, is such a group. No fact models the
// leader, so any number of the actions may be in flight. docs/design/0004, "Crowds", argues that
// two at a time show all that the group can do.
#include "checker/site_parts.h"

#include <algorithm>
#include <map>

namespace drydock::checker {

namespace {

// True if a skip cannot be told from an end: no promise, no trace in the row, no gate, no failure
// that the plan tolerates.
bool may_be_skipped(const Site& site, std::size_t action) {
    const Act& act = site.acts[action];
    const bool open = std::any_of(act.when.begin(), act.when.end(), [](const Question& question) {
        return !question.modelled;
    });
    return open && site.program.acts(action) && !site.program.promises(action)
           && !site.program.optional(action) && !site.program.is_gate(action)
           && act.ran == k_nowhere && !act.matters_if_skipped;
}

// True if the action has no effect but raising formats.
bool raises_only(const Act& act) {
    return act.writes.empty() && act.lowers.empty() && act.copies.empty() && act.destroyed.empty()
           && !act.destroys && !act.restores && !act.starts && !act.takes_down
           && !act.moves_serving;
}

}  // namespace

// A format that is lowered again could be raised twice, and then one raise would not do for all.
void add_crowds(Site& site) {
    const bool lowered = std::any_of(
        site.acts.begin(), site.acts.end(), [](const Act& act) { return !act.lowers.empty(); });
    std::map<std::vector<int>, int> crowds;  // by the stores that they raise
    for (std::size_t i = 0; i < site.acts.size() && !lowered; ++i) {
        if (raises_only(site.acts[i]) && may_be_skipped(site, i)) {
            const auto next = static_cast<int>(crowds.size());
            site.acts[i].crowd = crowds.emplace(site.acts[i].raises, next).first->second;
        }
    }
    site.crowds = crowds.size();
}

}  // namespace drydock::checker
