// Pass: enters each member in the middle of its steps, behind the last step whose expected facts
// fit the observed ones.
//
// Steps that are behind the member are removed from the plan; the postconditions of the last of
// them are observed again. So a plan compiles from any state, half stopped or half swapped, and the
// way back needs no compiler of its own.
//
// The unit is a block: the steps for one member between two of its barriers. The comparison uses
// only the member's running release, its installed release, and the state of its process. Other
// changes of its steps are awaited or repeated.
//
// A member that is down does not tell who stopped it, nor what was done to it since. So what comes
// behind the last of its moves is done only if its effect is seen: a migration by the level of its
// store, a command without an effect never.
#include "planner/conversions_seen.h"
#include "planner/make_action.h"
#include "planner/unseen_switches.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace drydock::planner {

namespace {

using model::Action;
using model::Plan;
using model::Verb;

// The actions on one member between two of its barriers, by index, in order.
struct Block {
    std::string member;
    std::vector<std::size_t> actions;
};

// True for a start on the plan's old release: it brings a member up that has to be asked before it
// goes further.
bool starts_old_release(const Action& action, const Plan& plan) {
    return action.verb == Verb::start
           && std::any_of(action.effects.begin(), action.effects.end(), [&](const auto& effect) {
                  return effect.kind == model::EffectKind::becomes
                         && effect.value == Json(plan.from_version);
              });
}

// True if the action may come between a stop and a start without being a step of the member's
// block.
bool passes_by(const Action& action) {
    return action.request.is_null() || action.verb == Verb::backup;
}

// Finds the blocks. In a phase with `each`, a member's block is everything that the phase does on
// it. In other phases it is the stop, the swap and the start of the member, over all phases. A
// phase with `each`, and any other action on the member, ends such a block.
class Blocks {
public:
    Blocks(const Plan& plan, const model::ProcedureSpec& procedure) {
        for (const model::PhaseSpec& phase : procedure.phases) {
            block_phases_[phase.name] = phase.selection.has_value();
        }
        for (std::size_t i = 0; i < plan.actions.size(); ++i) {
            if (!plan.actions[i].member.empty() && !starts_old_release(plan.actions[i], plan)) {
                add(plan.actions[i], i);
            }
        }
    }

    [[nodiscard]] const std::vector<Block>& all() const { return blocks_; }

private:
    void add(const Action& action, std::size_t index) {
        const bool is_block_phase = block_phases_[action.phase];
        const std::string kind = is_block_phase ? action.phase : "";
        const auto last = last_.find(action.member);
        const bool fits = last != last_.end() && last->second.first == kind;
        if (!is_block_phase && !changes_running_release(action.verb)) {
            if (!passes_by(action)) {
                last_.erase(action.member);
            }
            return;
        }
        if (!fits) {
            last_[action.member] = {kind, blocks_.size()};
            blocks_.push_back({action.member, {}});
        }
        blocks_[last_[action.member].second].actions.push_back(index);
    }

    std::map<std::string, bool> block_phases_;
    std::map<std::string, std::pair<std::string, std::size_t>> last_;  // member -> kind, its block
    std::vector<Block> blocks_;
};

// The values of a member's standard facts by the effects of its steps so far.
using Expected = std::map<std::string, Json>;

// True if all expected values are observed; an unknown fact fits none.
bool fits(const PlanBuilder& draft, const std::string& member, const Expected& expected) {
    return !expected.empty()
           && std::all_of(expected.begin(), expected.end(), [&](const auto& entry) {
                  return surveyed(draft, model::fact_key(member, entry.first)) == entry.second;
              });
}

// Returns the facts that locate a member on its way: its running release, its installed release,
// its process. Other changes of its steps (whether it is ready, takes writes) are awaited or
// ensured.
std::vector<std::string> facts_of_the_way(const PlanBuilder& draft, const std::string& role) {
    const auto& pack = draft.request.pack;
    return {bound_fact(pack, role, model::StandardFact::running),
            bound_fact(pack, role, model::StandardFact::installed),
            fact_of_kind(pack, role, "service")};
}

// True if the fact is one of those.
bool is_of_the_way(const std::vector<std::string>& way, const std::string& fact) {
    return std::find(way.begin(), way.end(), fact) != way.end();
}

// True if the fact has the value that the action gives it, or a value of a later action.
bool is_there(const PlanBuilder& draft, std::size_t action, const model::Effect& effect) {
    for (std::size_t i = action; i < draft.plan.actions.size(); ++i) {
        for (const model::Effect& later_effect : draft.plan.actions[i].effects) {
            const bool is_same = later_effect.kind == model::EffectKind::becomes
                                 && later_effect.member == effect.member
                                 && later_effect.name == effect.name;
            if (is_same && fits(draft, effect.member, {{later_effect.name, later_effect.value}})) {
                return true;
            }
        }
    }
    return false;
}

// True if an effect moves a member on its way.
bool moves_on_its_way(const PlanBuilder& draft, const model::Effect& effect) {
    const model::Member* member =
        effect.member.empty() ? nullptr : find_member(draft.request.cluster, effect.member);
    return effect.kind == model::EffectKind::becomes && member != nullptr
           && is_of_the_way(facts_of_the_way(draft, member->role), effect.name);
}

// True if the action moves members beside its own, as a host's package does.
bool moves_others(const PlanBuilder& draft, const Action& action) {
    return !action.member.empty()
           && std::any_of(
               action.effects.begin(), action.effects.end(), [&](const model::Effect& effect) {
                   return effect.member != action.member && moves_on_its_way(draft, effect);
               });
}

// True if an action that moves several members is not done for each of them yet.
bool is_open_for_any(const PlanBuilder& draft, std::size_t index) {
    const Action& action = draft.plan.actions[index];
    return moves_others(draft, action)
           && std::any_of(
               action.effects.begin(), action.effects.end(), [&](const model::Effect& effect) {
                   return moves_on_its_way(draft, effect) && !is_there(draft, index, effect);
               });
}

// True if this member's facts have the values that the action gives them.
bool is_done(const PlanBuilder& draft, const Action& action, const std::string& member) {
    Expected expected;
    for (const model::Effect& effect : action.effects) {
        if (effect.kind == model::EffectKind::becomes && effect.member == member) {
            expected[effect.name] = effect.value;
        }
    }
    return expected.empty() || fits(draft, member, expected);
}

// True if an action on a member that is down shows whether it was done, or does nothing that could
// be missed.
bool is_told(const PlanBuilder& draft, const Action& action, const std::string& member) {
    const auto tells = [&](const model::Effect& effect) {
        return effect.kind == model::EffectKind::becomes && effect.member == member;
    };
    return action.request.is_null()
           || std::any_of(action.effects.begin(), action.effects.end(), tells)
           || are_converted(draft, action, member) == Seen::yes;
}

// True if a member that no step has moved yet looks like that, too: it has the release that the
// plan comes from. A restart on that release leaves nothing that tells.
bool is_as_at_first(const PlanBuilder& draft, const Expected& expected) {
    return !expected.empty()
           && std::all_of(expected.begin(), expected.end(), [&](const auto& fact) {
                  return fact.second == Json(draft.request.from_version);
              });
}

// Returns how many of the block's steps are behind the member; 0: it begins at the front. A step
// that does not move the member is behind it only if its effects are there. No step is behind from
// `end` on, an action that is still to be done, or from a conversion on that was not made.
std::size_t steps_behind(const PlanBuilder& draft, const Block& block, std::size_t end) {
    const model::Member* member = find_member(draft.request.cluster, block.member);
    const auto way = facts_of_the_way(draft, member->role);
    Expected expected;
    std::size_t count = 0;
    const bool is_down =
        found_running(draft, member->role, member->name) == model::ObservationStatus::absent;
    bool is_open = false;  // a step since the last move is not done
    for (std::size_t i = 0; i < block.actions.size() && block.actions[i] < end; ++i) {
        const Action& action = draft.plan.actions[block.actions[i]];
        if (is_open_for_any(draft, block.actions[i])) {
            break;
        }
        bool moves = false;
        for (const model::Effect& effect : action.effects) {
            if (effect.kind == model::EffectKind::becomes && effect.member == block.member
                && is_of_the_way(way, effect.name)) {
                expected[effect.name] = effect.value;
                moves = true;
            }
        }
        if (is_down && are_converted(draft, action, block.member) == Seen::no) {
            break;
        }
        is_open = !moves
                  && (is_open || !is_done(draft, action, block.member)
                      || (is_down && !is_told(draft, action, block.member)));
        if (!is_open && !is_as_at_first(draft, expected) && fits(draft, block.member, expected)) {
            count = i + 1;
        }
    }
    return count;
}

// True if a step of the block that is not behind the member moves it.
bool is_moved_again(const PlanBuilder& draft, const Block& block, std::size_t count) {
    return std::any_of(
        block.actions.begin() + static_cast<std::ptrdiff_t>(count),
        block.actions.end(),
        [&](std::size_t index) {
            const auto& effects = draft.plan.actions[index].effects;
            return std::any_of(effects.begin(), effects.end(), [&](const model::Effect& effect) {
                return effect.member == block.member && moves_on_its_way(draft, effect);
            });
        });
}

// Returns a wait in place of the last step: a member that is done is not touched, but its
// postconditions are observed again.
Action confirmation(const Action& last) {
    Action confirm = look_again(
        last, "-confirmed", fmt::format("{} is as the steps before leave it", last.member));
    confirm.predecessors = last.predecessors;
    return confirm;
}

// Takes back the promise that a member is ready, if its role is ready together and another member
// of it is to be moved: too few may run meanwhile.
void expect_no_readiness(PlanBuilder& draft,
                         const std::set<std::string>& moved_members,
                         Action& confirm) {
    const std::string& role = find_member(draft.request.cluster, confirm.member)->role;
    const model::RoleSpec& spec = draft.request.pack.roles.at(role);
    const std::string ready = bound_fact(draft.request.pack, role, model::StandardFact::ready);
    const bool is_any_moved =
        std::any_of(moved_members.begin(), moved_members.end(), [&](const std::string& name) {
            const model::Member* member = find_member(draft.request.cluster, name);
            return member != nullptr && member->role == role;
        });
    if ((spec.ready_with > 0 || spec.ready_with_majority) && is_any_moved) {
        std::erase_if(confirm.postconditions, [&](const model::Condition& promise) {
            return promise.role == role && promise.fact == ready;
        });
    }
}

// Tells the reader of the plan where a member is entered.
void note(Plan& plan, const Block& block, std::size_t count, const std::set<std::size_t>& unseen) {
    const auto title = [&](std::size_t step) { return plan.actions[block.actions[step]].title; };
    plan.notes.push_back(fmt::format("{}: {} is already behind {}; {}",
                                     plan.actions[block.actions.front()].phase,
                                     block.member,
                                     title(count - 1),
                                     count == block.actions.size()
                                         ? "it is only confirmed"
                                         : fmt::format("goes on with: {}", title(count))));
    for (const std::size_t action : unseen) {
        plan.notes.push_back(
            fmt::format("{}: {} is done all the same: its effect on the system is not there",
                        plan.actions[action].phase,
                        plan.actions[action].title));
    }
}

// Removes actions: an action that waited for a removed one waits for its predecessors.
void take_out(Plan& plan, const std::vector<bool>& is_removed) {
    std::vector<std::size_t> place(plan.actions.size());
    std::vector<Action> remaining;
    for (std::size_t i = 0; i < plan.actions.size(); ++i) {
        std::vector<std::size_t> predecessors;  // still by the old indices
        for (const std::size_t predecessor : plan.actions[i].predecessors) {
            const auto& replacements = plan.actions[predecessor].predecessors;
            if (is_removed[predecessor]) {
                predecessors.insert(predecessors.end(), replacements.begin(), replacements.end());
            } else {
                predecessors.push_back(predecessor);
            }
        }
        std::sort(predecessors.begin(), predecessors.end());
        predecessors.erase(std::unique(predecessors.begin(), predecessors.end()),
                           predecessors.end());
        plan.actions[i].predecessors = std::move(predecessors);
    }
    for (std::size_t i = 0; i < plan.actions.size(); ++i) {
        place[i] = remaining.size();
        if (!is_removed[i]) {
            for (std::size_t& predecessor : plan.actions[i].predecessors) {
                predecessor = place[predecessor];
            }
            remaining.push_back(std::move(plan.actions[i]));
        }
    }
    plan.actions = std::move(remaining);
}

// Returns for each member the first action that moves it together with others and is still to be
// done.
std::map<std::string, std::size_t> first_open(const PlanBuilder& draft) {
    std::map<std::string, std::size_t> first;
    for (std::size_t i = 0; i < draft.plan.actions.size(); ++i) {
        if (is_open_for_any(draft, i)) {
            for (const model::Effect& effect : draft.plan.actions[i].effects) {
                first.try_emplace(effect.member, i);
            }
        }
    }
    return first;
}

}  // namespace

// Starts on the old release are decided first: a member that is brought up on it begins at the
// front.
void drop_completed_steps(PlanBuilder& draft) {
    Plan& plan = draft.plan;
    std::vector<bool> is_removed(plan.actions.size(), false);
    std::set<std::string> restarted_members;  // these begin at the front of their block
    for (std::size_t i = 0; i < plan.actions.size(); ++i) {
        Action& action = plan.actions[i];
        if (starts_old_release(action, plan)) {
            is_removed[i] = !holds(draft, action.applies_if, action.member);
            restarted_members.insert(is_removed[i] ? "" : action.member);
            action.applies_if.clear();  // answered: other members may be up by then
        }
    }
    const Blocks blocks(plan, *draft.procedure);
    const auto open = first_open(draft);
    // A member that is stopped in an earlier block has no later block behind it.
    std::set<std::string> moved_members = restarted_members;
    std::vector<std::size_t> confirmed;
    for (const Block& block : blocks.all()) {
        const auto end = open.find(block.member);
        const std::size_t count =
            moved_members.contains(block.member)
                ? 0
                : steps_behind(draft, block, end == open.end() ? plan.actions.size() : end->second);
        if (is_moved_again(draft, block, count)) {
            moved_members.insert(block.member);
        }
        if (count == 0) {
            continue;
        }
        const auto unseen = unseen_switches(draft, block.actions, count);
        for (std::size_t i = 0; i < count; ++i) {
            is_removed[block.actions[i]] = !unseen.contains(block.actions[i]);
        }
        note(plan, block, count, unseen);
        const std::size_t last = block.actions[count - 1];
        if (is_removed[last] && !plan.actions[last].postconditions.empty()) {
            is_removed[last] = false;
            plan.actions[last] = confirmation(plan.actions[last]);
            confirmed.push_back(last);
        }
    }
    for (const std::size_t action : confirmed) {
        expect_no_readiness(draft, moved_members, plan.actions[action]);
    }
    take_out(plan, is_removed);
}

}  // namespace drydock::planner
