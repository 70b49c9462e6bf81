// Finds the outages of a plan by one walk along its steps, then the places for a gate before them.
#include "planner/outage.h"

#include "planner/closing_actions.h"

#include <algorithm>
#include <map>
#include <set>

namespace drydock::planner {

namespace {

using model::Action;
using model::Effect;
using model::Plan;
using model::StandardFact;

enum class Move : std::uint8_t { none, up, down };

// A member that runs and is not ready serves nobody.
Move move_of(const PlanBuilder& draft, const Effect& effect) {
    if (effect.kind != model::EffectKind::becomes || effect.member.empty()) {
        return Move::none;
    }
    const auto& pack = draft.request.pack;
    const std::string& role = find_member(draft.request.cluster, effect.member)->role;
    const bool is_running = effect.name == bound_fact(pack, role, StandardFact::running);
    const bool is_ready = effect.name == bound_fact(pack, role, StandardFact::ready);
    if ((is_running && effect.value.is_null()) || (is_ready && effect.value != Json(true))) {
        return Move::down;
    }
    return is_running || is_ready ? Move::up : Move::none;
}

// A step that takes somebody down, and the next one that brings that one up again. Without such a
// step it is the end of the plan.
struct Outage {
    std::size_t down = 0;
    std::size_t up = 0;
    std::string key;  // the member, or its fact
};

// Walks along steps and notes who is down. A pack without a fact for running members has the verbs
// only.
class DownMembers {
public:
    explicit DownMembers(const PlanBuilder& draft) : draft_(draft) {}

    void pass(std::size_t index) {
        const Action& action = draft_.plan.actions[index];
        if (action.verb == model::Verb::stop) {
            down_.emplace(action.member, index);
        } else if (action.verb == model::Verb::start || action.verb == model::Verb::restart) {
            bring_up(action.member, index);
        }
        for (const Effect& effect : action.effects) {
            const Move move = move_of(draft_, effect);
            const std::string key = model::fact_key(effect.member, effect.name);
            if (move == Move::down) {
                down_.emplace(key, index);
            } else if (move == Move::up) {
                bring_up(key, index);
            }
        }
    }

    // Notes somebody who was down before the plan: as if a step of it had begun that.
    void find_down(const std::string& key, std::size_t first_step) {
        down_.emplace(key, first_step);
    }

    [[nodiscard]] bool is_any() const { return !down_.empty(); }

    // Returns the outages so far, those that go on included.
    [[nodiscard]] std::vector<Outage> outages() const {
        std::vector<Outage> all = over_;
        for (const auto& [key, index] : down_) {
            all.push_back({index, draft_.plan.actions.size(), key});
        }
        return all;
    }

private:
    void bring_up(const std::string& key, std::size_t index) {
        if (const auto entry = down_.find(key); entry != down_.end()) {
            over_.push_back({entry->second, index, key});
            down_.erase(entry);
        }
    }

    const PlanBuilder& draft_;
    std::map<std::string, std::size_t> down_;  // by member or fact: the step with which it went
    std::vector<Outage> over_;
};

// Returns the members that the survey found down, by the fact that says so, each with the first
// step that switches or moves it. From there on it may come up as another release.
std::map<std::string, std::size_t> found_down(const PlanBuilder& draft) {
    std::map<std::string, std::size_t> first_steps;
    for (std::size_t i = 0; i < draft.plan.actions.size(); ++i) {
        for (const Effect& effect : draft.plan.actions[i].effects) {
            const auto* member = find_member(draft.request.cluster, effect.member);
            if (member == nullptr || effect.kind != model::EffectKind::becomes) {
                continue;
            }
            const auto& pack = draft.request.pack;
            const auto running = bound_fact(pack, member->role, StandardFact::running);
            const std::string key = model::fact_key(effect.member, running);
            const bool is_down = found_running(draft, member->role, member->name)
                                 == model::ObservationStatus::absent;
            const bool counts =
                effect.name == running
                || effect.name == bound_fact(pack, member->role, StandardFact::installed);
            if (is_down && counts) {
                first_steps.emplace(key, i);
            }
        }
    }
    return first_steps;
}

std::vector<Outage> outages_of(const PlanBuilder& draft) {
    DownMembers down(draft);
    for (const auto& [key, first_step] : found_down(draft)) {
        down.find_down(key, first_step);
    }
    for (std::size_t i = 0; i < draft.plan.actions.size(); ++i) {
        down.pass(i);
    }
    return down.outages();
}

// Returns the members that the action makes run or be ready.
std::set<std::string> brought_up(const PlanBuilder& draft, const Action& action) {
    std::set<std::string> members;
    if (action.verb == model::Verb::start || action.verb == model::Verb::restart) {
        members.insert(action.member);
    }
    for (const Effect& effect : action.effects) {
        if (move_of(draft, effect) == Move::up) {
            members.insert(effect.member);
        }
    }
    return members;
}

// Returns the roles whose members the closing actions bring up. A start by itself does what the
// closing action does, and so does the start of a member that died by the person who repairs.
std::set<std::string> roles_that_close(const PlanBuilder& draft,
                                       const std::vector<std::size_t>& closing) {
    std::set<std::string> roles;
    for (const std::size_t index : closing) {
        for (const std::string& name : brought_up(draft, draft.plan.actions[index])) {
            const auto* member = find_member(draft.request.cluster, name);
            if (member != nullptr) {
                roles.insert(member->role);
            }
        }
    }
    return roles;
}

// Returns the time between each install and the start that brings it up: whoever dies meanwhile
// may come up on what is installed.
std::vector<Outage> waits_to_start(const PlanBuilder& draft,
                                   const std::vector<std::size_t>& closing) {
    const auto& actions = draft.plan.actions;
    const auto roles = roles_that_close(draft, closing);
    std::map<std::string, std::size_t> installed;  // by member: the install that nobody started yet
    std::vector<Outage> waits;
    for (std::size_t i = 0; i < actions.size(); ++i) {
        for (const std::string& name : brought_up(draft, actions[i])) {
            if (const auto install = installed.find(name); install != installed.end()) {
                waits.push_back({install->second, i, name});
                installed.erase(install);
            }
        }
        for (const Effect& effect : actions[i].effects) {
            const auto* member = find_member(draft.request.cluster, effect.member);
            const bool is_install = member != nullptr && effect.kind == model::EffectKind::becomes
                                    && effect.name
                                           == bound_fact(draft.request.pack,
                                                         member->role,
                                                         model::StandardFact::installed);
            if (is_install && roles.contains(member->role)) {
                installed.emplace(member->name, i);
            }
        }
    }
    return waits;
}

// Returns the step that begins the block of another one: the first of its phase on its member that
// comes before it.
std::size_t block_of(const Plan& plan, std::size_t index) {
    const Action& action = plan.actions[index];
    const auto is_ancestor = ancestors(plan, {index});
    for (std::size_t i = 0; i < index && !action.member.empty(); ++i) {
        const Action& earlier = plan.actions[i];
        if (is_ancestor[i] && earlier.phase == action.phase && earlier.member == action.member) {
            return i;
        }
    }
    return index;
}

// True if somebody would be down while a person is waited for: the step down need not wait for the
// gate, and the step up must. Whoever is away for good keeps nobody waiting, but for the member of
// a closing action.
bool is_held_down(const PlanBuilder& draft,
                  const Outage& outage,
                  const std::vector<bool>& is_behind,
                  const std::vector<std::size_t>& closing) {
    if (is_behind[outage.down]) {
        return false;
    }
    if (outage.up < draft.plan.actions.size()) {
        return is_behind[outage.up];
    }
    return std::any_of(closing.begin(), closing.end(), [&](std::size_t index) {
        const std::string& member = draft.plan.actions[index].member;
        return index > outage.down && !member.empty()
               && (outage.key == member || outage.key.starts_with(member + "/"));
    });
}

// True if somebody was down in the block that ends with the step `index`.
bool has_outage(const PlanBuilder& draft, std::size_t front, std::size_t index) {
    const Plan& plan = draft.plan;
    DownMembers down(draft);
    for (std::size_t i = front; i < index; ++i) {
        const bool is_block = plan.actions[i].phase == plan.actions[index].phase
                              && plan.actions[i].member == plan.actions[index].member;
        if (is_block) {
            down.pass(i);
        }
        if (down.is_any()) {
            return true;
        }
    }
    return false;
}

}  // namespace

// Each round puts one more outage behind the gate, so it ends.
std::vector<std::size_t> fronts_of_outage(const PlanBuilder& draft,
                                          const std::vector<std::size_t>& closing) {
    auto outages = outages_of(draft);
    const auto waits = waits_to_start(draft, closing);
    outages.insert(outages.end(), waits.begin(), waits.end());
    std::set<std::size_t> fronts = {closing.begin(), closing.end()};
    for (bool has_moved = true; has_moved;) {
        has_moved = false;
        const auto is_behind = descendants(draft.plan, {fronts.begin(), fronts.end()});
        for (const Outage& outage : outages) {
            if (is_held_down(draft, outage, is_behind, closing)) {
                has_moved = fronts.insert(block_of(draft.plan, outage.down)).second || has_moved;
            }
        }
    }
    return first_of(draft.plan, {fronts.begin(), fronts.end()});
}

std::vector<std::size_t> fronts_of_blocks(const PlanBuilder& draft,
                                          const std::vector<std::size_t>& closing) {
    std::set<std::size_t> fronts;
    for (const std::size_t index : closing) {
        const std::size_t front = block_of(draft.plan, index);
        fronts.insert(has_outage(draft, front, index) ? front : index);
    }
    return {fronts.begin(), fronts.end()};
}

std::vector<std::string> down_at(const PlanBuilder& draft, std::size_t gate) {
    const auto is_before = ancestors(draft.plan, {gate});
    const auto is_behind = descendants(draft.plan, {gate});
    std::set<std::string> members;
    for (const Outage& outage : outages_of(draft)) {
        if (is_before[outage.down] && outage.up < is_behind.size() && is_behind[outage.up]) {
            members.insert(outage.key.substr(0, outage.key.find('/')));
        }
    }
    return {members.begin(), members.end()};
}

bool brings_up(const PlanBuilder& draft, const Action& action) {
    return !brought_up(draft, action).empty();
}

}  // namespace drydock::planner
