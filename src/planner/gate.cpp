// Places the gate right before the closing actions, or before their blocks.
//
// A gate right before a start would hold a stopped member down for as long as a person thinks. Then
// the gate stands before the member's block: until the approval the member serves the old release.
// Where the block has everybody up again, the gate stands right before the closing action.
// A gate of the pack is used if it stands there, before the block, or right before the closing
// actions with only preparations in between. A pack's gate at another place stays in the plan, with
// a note.
#include "planner/gate.h"

#include "planner/closing_actions.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

namespace drydock::planner {

namespace {

using model::Action;
using model::Plan;
using model::StandardFact;

struct Words {
    std::string because;
    std::string source;
};

// The standing of the members of a block: what its steps so far have left down.
class DownMembers {
public:
    explicit DownMembers(const PlanBuilder& draft) : draft_(draft) {}

    // A pack without a fact for running members has the verbs only.
    void pass(const Action& action) {
        if (action.verb == model::Verb::stop) {
            down_.insert(action.member);
        } else if (action.verb == model::Verb::start || action.verb == model::Verb::restart) {
            down_.erase(action.member);
        }
        for (const model::Effect& effect : action.effects) {
            if (effect.kind == model::EffectKind::becomes && !effect.member.empty()) {
                pass(effect);
            }
        }
    }

    [[nodiscard]] bool is_any() const { return !down_.empty(); }

private:
    // A member that runs and is not ready serves nobody.
    void pass(const model::Effect& effect) {
        const auto& pack = draft_.request.pack;
        const std::string& role = find_member(draft_.request.cluster, effect.member)->role;
        const bool is_running = effect.name == bound_fact(pack, role, StandardFact::running);
        const bool is_ready = effect.name == bound_fact(pack, role, StandardFact::ready);
        const std::string key = model::fact_key(effect.member, effect.name);
        if ((is_running && effect.value.is_null()) || (is_ready && effect.value != Json(true))) {
            down_.insert(key);
        } else if (is_running || is_ready) {
            down_.erase(key);
        }
    }

    const PlanBuilder& draft_;
    std::set<std::string> down_;
};

// The block of a closing action: the steps of its phase on its member before it.
struct ClosingBlock {
    std::size_t front = 0;
    bool has_stop = false;  // somebody was down in it
    bool is_down = false;   // somebody is, right before the closing action
};

ClosingBlock block_of(const PlanBuilder& draft, std::size_t index) {
    const Plan& plan = draft.plan;
    const Action& action = plan.actions[index];
    ClosingBlock block = {index};
    DownMembers down(draft);
    for (std::size_t i = 0; i < index && !action.member.empty(); ++i) {
        const Action& earlier = plan.actions[i];
        if (earlier.phase == action.phase && earlier.member == action.member) {
            block.front = std::min(block.front, i);
            down.pass(earlier);
            block.has_stop = block.has_stop || down.is_any();
        }
    }
    block.is_down = down.is_any();
    return block;
}

// Returns the places of the gate: right before each closing action, or before its block if that
// action meets somebody who is down. A member must not be held down at the gate.
std::vector<std::size_t> fronts_of(const std::vector<ClosingBlock>& blocks,
                                   const std::vector<std::size_t>& closing,
                                   bool ClosingBlock::* is_before_block) {
    std::set<std::size_t> fronts;
    for (std::size_t i = 0; i < closing.size(); ++i) {
        fronts.insert(blocks[i].*is_before_block ? blocks[i].front : closing[i]);
    }
    return {fronts.begin(), fronts.end()};
}

// True if the action may come between the gate and the actions it guards. It then prepares them in
// the same phase, and neither stops nor starts a member.
bool may_stand_between(const Action& action, const Action& gate) {
    return action.request.is_null()
           || (action.phase == gate.phase && !changes_running_release(action.verb));
}

// True if the pack's own gate stands right before all `targets`: each waits for it, and only their
// preparation is done in between.
bool stands_before(const Plan& plan, std::size_t gate, const std::vector<std::size_t>& targets) {
    std::vector<bool> is_descendant(plan.actions.size(), false);
    is_descendant[gate] = true;
    for (std::size_t i = gate + 1; i < plan.actions.size(); ++i) {
        const auto& predecessors = plan.actions[i].predecessors;
        is_descendant[i] =
            std::any_of(predecessors.begin(), predecessors.end(), [&](std::size_t predecessor) {
                return is_descendant[predecessor];
            });
    }
    const auto is_ancestor = ancestors(plan, targets);
    for (std::size_t i = gate + 1; i < plan.actions.size(); ++i) {
        if (is_descendant[i] && is_ancestor[i]
            && !may_stand_between(plan.actions[i], plan.actions[gate])) {
            return false;
        }
    }
    return std::all_of(
        targets.begin(), targets.end(), [&](std::size_t target) { return is_descendant[target]; });
}

// Returns the pack's own gate if it stands before the members' blocks, or right before the closing
// actions. A gate at another place stays, with a note.
std::optional<std::size_t> own_gate(PlanBuilder& draft,
                                    const std::vector<std::size_t>& fronts,
                                    const std::vector<std::size_t>& closing) {
    const Plan& plan = draft.plan;
    std::vector<std::size_t> gates;
    for (std::size_t i = 0; i < plan.actions.size(); ++i) {
        if (plan.actions[i].is_gate()) {
            gates.push_back(i);
        }
    }
    for (const std::size_t gate : gates) {
        if (stands_before(plan, gate, fronts) || stands_before(plan, gate, closing)) {
            return gate;
        }
    }
    for (const std::size_t gate : gates) {
        draft.plan.notes.push_back(fmt::format(
            "gate \"{}\" ({}) does not stand right before the point of no return: one more does",
            plan.actions[gate].gate,
            plan.actions[gate].source));
    }
    return std::nullopt;
}

// Makes room for an action at `position`: later predecessors move up by one.
void shift_indices(Plan& plan, std::size_t position) {
    for (Action& action : plan.actions) {
        for (std::size_t& predecessor : action.predecessors) {
            predecessor += predecessor >= position ? 1U : 0U;
        }
    }
}

// Gives the gate names of its own: a pack may have gates by the same names.
void name_apart(const Plan& plan, Action& gate) {
    const auto is_name_in_use = [&](const Action& action) {
        return action.id == gate.id || (action.is_gate() && action.gate == gate.gate);
    };
    while (std::any_of(plan.actions.begin(), plan.actions.end(), is_name_in_use)) {
        gate.id += "-closing";
        gate.gate += "-closing";
    }
}

Action make_gate(const PlanBuilder& draft, const Words& words, const Action& front) {
    Action gate;
    gate.id = front.phase + "/gate";
    gate.phase = front.phase;
    gate.verb = model::Verb::gate;
    gate.gate = "point-of-no-return";
    gate.title = fmt::format("point of no return: {}", words.because);
    gate.reason = gate.title;
    gate.rationale = "before this, `drydock downgrade` takes the cluster back with nothing lost";
    gate.source = words.source;
    gate.repeatable = model::Repeatable::yes;
    gate.guard_timeout_ms = 30'000;
    name_apart(draft.plan, gate);
    return gate;
}

// Inserts the gate before `fronts`: these members stay as they are until it is approved. The gate
// inherits only predecessors that stand before its position.
std::size_t
insert_gate(PlanBuilder& draft, const Words& words, const std::vector<std::size_t>& fronts) {
    Plan& plan = draft.plan;
    const std::size_t position = fronts.front();
    std::set<std::size_t> gate_predecessors;
    for (const std::size_t front : fronts) {
        for (const std::size_t predecessor : plan.actions[front].predecessors) {
            if (predecessor < position) {
                gate_predecessors.insert(predecessor);
            }
        }
    }
    Action gate = make_gate(draft, words, plan.actions[position]);
    gate.predecessors.assign(gate_predecessors.begin(), gate_predecessors.end());
    shift_indices(plan, position);
    plan.actions.insert(plan.actions.begin() + static_cast<std::ptrdiff_t>(position),
                        std::move(gate));
    for (const std::size_t front : fronts) {
        auto& front_predecessors = plan.actions[front + 1].predecessors;
        std::erase_if(front_predecessors, [&](std::size_t predecessor) {
            return gate_predecessors.contains(predecessor);
        });
        front_predecessors.insert(front_predecessors.begin(), position);
    }
    return position;
}

}  // namespace

std::string place_gate(PlanBuilder& draft,
                       const std::vector<std::size_t>& closing,
                       const std::string& because,
                       const std::string& source) {
    Plan& plan = draft.plan;
    std::vector<ClosingBlock> blocks;
    blocks.reserve(closing.size());
    for (const std::size_t index : closing) {
        blocks.push_back(block_of(draft, index));
    }
    const auto pack_gate =
        own_gate(draft, fronts_of(blocks, closing, &ClosingBlock::has_stop), closing);
    const auto fronts = fronts_of(blocks, closing, &ClosingBlock::is_down);
    Action& gate =
        plan.actions[pack_gate ? *pack_gate : insert_gate(draft, {because, source}, fronts)];
    gate.is_point_of_no_return = true;
    gate.soak_ms = draft.request.cluster.policy.soak_ms;
    return gate.gate;
}

}  // namespace drydock::planner
