// The groups are found in the model, once; see skippable_raises.cpp.
#include "checker/interchangeable_cutoff.h"

#include "checker/successor_rules.h"

namespace drydock::checker {

// Two are needed, and one in reserve for each fault that may still hit one of them. Skips are added
// for each distinct member, one at a time.
bool InterchangeableCutoff::skip_surplus(Expansion& expansion) {
    if (!is_enabled_) {
        return false;
    }
    not_begun_.assign(model_.interchangeable_groups, {});
    for (const run::Command& command : expansion.commands()) {
        const ActionModel& act = model_.actions[command.action];
        if (judges_guard(command) && act.interchangeable_group != k_no_index
            && can_skip(expansion.evaluate(act.applies_if))) {
            not_begun_[act.interchangeable_group].push_back(command.action);
        }
    }
    const int enough = k_in_flight_max + expansion.budget_left();
    bool has_skipped = false;
    for (const auto& crowd : not_begun_) {
        for (Index i = 0; std::ssize(crowd) > enough && i < crowd.size(); ++i) {
            has_skipped = true;
            if (!expansion.is_symmetric_duplicate(model_.actions[crowd[i]].member)) {
                skip(expansion, crowd[i]);
            }
        }
    }
    return has_skipped;
}

void InterchangeableCutoff::count(const run::State& run) {
    if (!is_enabled_) {
        return;
    }
    in_flight_.assign(model_.interchangeable_groups, 0);
    for (Index i = 0; i < model_.actions.size(); ++i) {
        if (model_.actions[i].interchangeable_group != k_no_index
            && run::is_open_ended(run.status(i))) {
            ++in_flight_[model_.actions[i].interchangeable_group];
        }
    }
}

}  // namespace drydock::checker
