// Places the gate right before the closing actions, or before the outage that they stand in.
//
// A gate right before a start would hold a stopped member down for as long as a person thinks. Then
// the gate stands before the step that took the member down, in whatever phase that is: until the
// approval everybody serves the old release. outage.h finds that place. Where everybody is up
// again, the gate stands right before the closing action.
//
// A gate of the pack is used if it stands there, or further back in the same outage; or right
// before the closing actions with only preparations in between. What a person approves is that the
// way back closes from here on. A start between the gate and the closing action makes that stale:
// the cluster serves again, and can be looked at, before it closes. A pack's gate at another place
// stays in the plan, with a note.
#include "planner/gate.h"

#include "planner/closing_actions.h"
#include "planner/outage.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

namespace drydock::planner {

namespace {

using model::Action;
using model::Plan;

struct Words {
    std::string because;
    std::string source;
};

// True if the action may come between the gate and the actions it guards. It then prepares them in
// the same phase, and neither stops nor starts a member.
bool may_stand_between(const Action& action, const Action& gate) {
    return action.request.is_null()
           || (action.phase == gate.phase && !changes_running_release(action.verb));
}

// True if each of `targets` waits for the gate, and all steps that come in between pass the test.
template <class Test>
bool stands_before(const Plan& plan,
                   std::size_t gate,
                   const std::vector<std::size_t>& targets,
                   const Test& may_come_between) {
    const auto waits = descendants(plan, {gate});
    const auto is_ancestor = ancestors(plan, targets);
    for (std::size_t i = gate + 1; i < plan.actions.size(); ++i) {
        if (waits[i] && is_ancestor[i] && !may_come_between(i)) {
            return false;
        }
    }
    return std::all_of(
        targets.begin(), targets.end(), [&](std::size_t target) { return waits[target]; });
}

// True if the pack's own gate stands right before all `targets`: only their preparation is done in
// between.
bool stands_right_before(const Plan& plan,
                         std::size_t gate,
                         const std::vector<std::size_t>& targets) {
    return stands_before(plan, gate, targets, [&](std::size_t index) {
        return may_stand_between(plan.actions[index], plan.actions[gate]);
    });
}

// True if the pack's own gate stands in the outage that the closing actions end, or right before
// it: nobody serves again in between.
bool stands_in_outage(const PlanBuilder& draft,
                      std::size_t gate,
                      const std::vector<std::size_t>& fronts,
                      const std::vector<std::size_t>& closing) {
    const Plan& plan = draft.plan;
    const auto is_before_outage = ancestors(plan, fronts);
    return stands_before(plan, gate, closing, [&](std::size_t index) {
        return is_before_outage[index] ? may_stand_between(plan.actions[index], plan.actions[gate])
                                       : !brings_up(draft, plan.actions[index]);
    });
}

// Returns the step that keeps clients out while `index` is waited for: the last one before it that
// tells of writes refuses them, and a step behind it lets clients in again.
std::optional<std::size_t> refusal_at(const PlanBuilder& draft, std::size_t index) {
    const Plan& plan = draft.plan;
    const std::string writes = bound_fact(draft.request.pack, "", model::StandardFact::writes);
    const auto is_before = ancestors(plan, {index});
    const auto is_behind = descendants(plan, {index});
    std::optional<std::size_t> refusal;
    for (std::size_t i = 0; i < plan.actions.size() && !writes.empty(); ++i) {
        for (const model::Effect& effect : plan.actions[i].effects) {
            const bool tells = effect.member.empty() && effect.name == writes;
            const bool lets_in = effect.value == Json(true) || effect.value == Json("accepted");
            if (tells && is_before[i]) {
                refusal = lets_in ? std::nullopt : std::optional(i);
            } else if (tells && is_behind[i] && lets_in) {
                return refusal;
            }
        }
    }
    return std::nullopt;
}

// Returns that step if nobody serves anew between it and the closing actions: then a gate before it
// is as good.
std::optional<std::size_t> refusal_before(const PlanBuilder& draft,
                                          std::size_t front,
                                          const std::vector<std::size_t>& closing) {
    const auto refusal = refusal_at(draft, front);
    const bool is_near =
        refusal && stands_before(draft.plan, *refusal, closing, [&](std::size_t i) {
            return !brings_up(draft, draft.plan.actions[i]);
        });
    return is_near ? refusal : std::nullopt;
}

// Returns the pack's own gate that counts. A gate at another place stays, with a note. `refusal`:
// the step before which a gate counts, too.
std::optional<std::size_t> own_gate(PlanBuilder& draft,
                                    const std::vector<std::size_t>& fronts,
                                    const std::optional<std::size_t>& refusal,
                                    const std::vector<std::size_t>& closing) {
    const Plan& plan = draft.plan;
    const auto blocks = fronts_of_blocks(draft, closing);
    std::vector<std::size_t> gates;
    for (std::size_t i = 0; i < plan.actions.size(); ++i) {
        if (plan.actions[i].is_gate()) {
            gates.push_back(i);
        }
    }
    const auto counts = [&](std::size_t gate) {
        return stands_right_before(plan, gate, fronts) || stands_right_before(plan, gate, blocks)
               || stands_right_before(plan, gate, closing)
               || stands_in_outage(draft, gate, fronts, closing);
    };
    if (const auto gate = std::find_if(gates.begin(), gates.end(), counts); gate != gates.end()) {
        return *gate;
    }
    const auto counts_before_refusal = [&](std::size_t gate) {
        return refusal && stands_in_outage(draft, gate, {*refusal}, closing);
    };
    if (const auto gate = std::find_if(gates.begin(), gates.end(), counts_before_refusal);
        gate != gates.end()) {
        return *gate;
    }
    for (const std::size_t gate : gates) {
        draft.plan.notes.push_back(fmt::format(
            "gate \"{}\" ({}) does not stand right before the point of no return: one more does",
            plan.actions[gate].gate,
            plan.actions[gate].source));
    }
    return std::nullopt;
}

// The planner's own gates keep nobody down.
void note_who_is_down(PlanBuilder& draft, std::size_t gate) {
    const Action& action = draft.plan.actions[gate];
    const std::string place = action.source.empty() ? "" : fmt::format(" ({})", action.source);
    if (const auto down = down_at(draft, gate); !down.empty()) {
        draft.plan.notes.push_back(fmt::format(
            "gate \"{}\"{} has a person waiting while {} down: put it "
            "before the step that takes {} down",
            action.gate,
            place,
            down.size() == 1 ? down.front() + " is" : fmt::format("{} members are", down.size()),
            down.size() == 1 ? "it" : "the first of them"));
    }
}

// `is_near`: nobody serves anew between the refusal and what closes the way back.
void note_refused_writes(PlanBuilder& draft, std::size_t gate, bool is_near) {
    if (refusal_at(draft, gate)) {
        draft.plan.notes.push_back(fmt::format(
            "gate \"{}\" has a person waiting while writes are refused{}",
            draft.plan.actions[gate].gate,
            is_near ? ": put a gate of the pack right before the step that refuses them" : ""));
    }
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
    const auto fronts = fronts_of_outage(draft, closing);
    const auto refusal = refusal_before(draft, fronts.front(), closing);
    const auto pack_gate = own_gate(draft, fronts, refusal, closing);
    const std::size_t position =
        pack_gate ? *pack_gate : insert_gate(draft, {because, source}, fronts);
    note_refused_writes(draft, position, refusal.has_value());
    Action& gate = plan.actions[position];
    gate.is_point_of_no_return = true;
    gate.soak_ms = draft.request.cluster.policy.soak_ms;
    return gate.gate;
}

void note_who_waits(PlanBuilder& draft) {
    for (std::size_t i = 0; i < draft.plan.actions.size(); ++i) {
        if (draft.plan.actions[i].is_gate()) {
            note_who_is_down(draft, i);
        }
    }
}

}  // namespace drydock::planner
