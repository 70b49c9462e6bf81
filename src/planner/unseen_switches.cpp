// Compares the last effects on facts of the system, behind a member, with the surveyed values.
#include "planner/unseen_switches.h"

#include "planner/closing_actions.h"

#include <algorithm>
#include <map>
#include <string>

namespace drydock::planner {

namespace {

using model::Effect;

bool is_switch(const Effect& effect) {
    return effect.kind == model::EffectKind::becomes && effect.member.empty();
}

// Returns the last of these actions that sets each fact of the system.
std::map<std::string, std::size_t>
last_switches(const PlanBuilder& draft, const std::vector<std::size_t>& block, std::size_t count) {
    std::map<std::string, std::size_t> last;
    for (std::size_t i = 0; i < count; ++i) {
        for (const Effect& effect : draft.plan.actions[block[i]].effects) {
            if (is_switch(effect)) {
                last[effect.name] = block[i];
            }
        }
    }
    return last;
}

// True if the action gives the fact the value that was observed, or if nobody could tell it.
bool gives_observed(const PlanBuilder& draft, std::size_t action, const std::string& fact) {
    const auto observed = surveyed(draft, model::fact_key("", fact));
    if (!observed) {
        return true;
    }
    const auto& effects = draft.plan.actions[action].effects;
    return std::any_of(effects.begin(), effects.end(), [&](const Effect& effect) {
        return is_switch(effect) && effect.name == fact && effect.value == *observed;
    });
}

// Returns the actions that wait for a step of the block that is not behind its member. None of them
// is done.
std::vector<bool>
still_to_do(const PlanBuilder& draft, const std::vector<std::size_t>& block, std::size_t count) {
    if (count == block.size()) {
        return std::vector<bool>(draft.plan.actions.size(), false);
    }
    auto waits = descendants(draft.plan, {block[count]});
    waits[block[count]] = true;
    return waits;
}

}  // namespace

std::set<std::size_t> unseen_switches(const PlanBuilder& draft,
                                      const std::vector<std::size_t>& block,
                                      std::size_t count) {
    const auto last = last_switches(draft, block, count);
    if (last.empty()) {
        return {};
    }
    std::set<std::size_t> unseen;
    const auto waits = still_to_do(draft, block, count);
    for (const auto& [fact, action] : last) {
        bool is_seen = false;
        for (std::size_t i = action; i < draft.plan.actions.size() && !is_seen; ++i) {
            is_seen = !waits[i] && gives_observed(draft, i, fact);
        }
        if (!is_seen) {
            unseen.insert(action);
        }
    }
    return unseen;
}

}  // namespace drydock::planner
