// Folds a plan's actions into blocks: one for each member and phase, with gates between them.
//
// Blocks that can run side by side form a group. Two passes compute it: the first folds the
// actions, the second walks the groups and counts how many members serve at the worst moment.
// People count plans in these units; the program itself never uses them.
#include "cli/plan_summary.h"

#include "base/text.h"
#include "cli/say.h"
#include "model/starts_and_stops.h"

#include <algorithm>
#include <numeric>
#include <set>

namespace drydock::cli {

namespace {

using model::Action;
using model::Plan;
using model::Verb;

// True if the action belongs to the block. A gate ends a block, since a person may wait there.
bool continues(const Block& block, const Action& action) {
    return block.phase == action.phase && block.member == action.member && !action.is_gate()
           && block.gate() == nullptr;
}

// True if the block's action can run beside the previous block: same phase, another member, and the
// same dependencies.
bool runs_in_parallel(const Block& previous, const Action& front) {
    return previous.phase == front.phase && !previous.member.empty() && !front.member.empty()
           && previous.member != front.member
           && previous.actions.front()->predecessors == front.predecessors && !front.is_gate();
}

void add_action(Outline& outline, const Plan& plan, const Action& action) {
    auto& blocks = outline.blocks;
    if (blocks.empty() || !continues(blocks.back(), action)) {
        const bool joins = !blocks.empty() && runs_in_parallel(blocks.back(), action);
        const std::size_t group = blocks.empty() ? 0 : blocks.back().group + (joins ? 0U : 1U);
        blocks.push_back({action.phase, action.member, {}, group, false});
    }
    blocks.back().actions.push_back(&action);
    blocks.back().touches = blocks.back().touches || model::starts_and_stops_of(plan, action).any();
}

// Updates the members that are stopped after the block, and those that the block interrupts. The
// second set only grows within a group, since its members may be interrupted at once.
void move_members(const Plan& plan,
                  const Block& block,
                  std::set<std::string>& stopped_members,
                  std::set<std::string>& touched_members) {
    for (const Action* action : block.actions) {
        const model::StartsAndStops moves = model::starts_and_stops_of(plan, *action);
        touched_members.insert(moves.taken_down.begin(), moves.taken_down.end());
        stopped_members.insert(moves.left_down.begin(), moves.left_down.end());
        for (const std::string& member : moves.left_up) {
            stopped_members.erase(member);
        }
    }
}

// Returns the members that did not run when the plan was made.
std::set<std::string> members_down(const Plan& plan) {
    std::set<std::string> stopped_members;
    for (const auto& [key, source] : plan.sources) {
        const auto fact = plan.bound_facts.find(key);
        if (source.standard_fact == model::StandardFact::running && fact != plan.bound_facts.end()
            && fact->second.status == model::ObservationStatus::absent) {
            stopped_members.insert(source.member);
        }
    }
    return stopped_members;
}

// True if a role has fewer serving members than it needs, which is its quorum or one.
bool is_outage(const Plan& plan, const std::set<std::string>& touched_members) {
    return std::any_of(plan.roles.begin(), plan.roles.end(), [&](const model::PlanRole& role) {
        const auto serving =
            std::count_if(role.members.begin(), role.members.end(), [&](const std::string& member) {
                return !touched_members.contains(member);
            });
        return !role.members.empty() && serving < std::max(role.quorum, 1);
    });
}

// Walks the groups in order and keeps the set of stopped members. All members of a group may be
// down at once, so a group counts them together.
void count_serving(Outline& outline, const Plan& plan) {
    std::set<std::string> stopped_members = members_down(plan);
    std::set<std::string> touched_members;
    for (std::size_t i = 0; i < outline.blocks.size(); ++i) {
        const Block& block = outline.blocks[i];
        if (i == 0 || outline.blocks[i - 1].group != block.group) {
            touched_members = stopped_members;
        }
        move_members(plan, block, stopped_members, touched_members);
        outline.groups.resize(block.group + 1);
        Group& group = outline.groups.back();
        group.serving_min = outline.members - std::min(outline.members, touched_members.size());
        group.outage = is_outage(plan, touched_members);
        group.takes_ms = std::max(group.takes_ms, block.takes_ms());
        group.touches = group.touches || block.touches;
        outline.soak_ms += block.gate() != nullptr ? block.gate()->soak_ms : 0;
    }
}

}  // namespace

const Action* Block::gate() const {
    return !actions.empty() && actions.front()->is_gate() ? actions.front() : nullptr;
}

// The actions of a block run one after the other.
std::int64_t Block::takes_ms() const {
    return std::accumulate(
        actions.begin(),
        actions.end(),
        std::int64_t{0},
        [](std::int64_t sum, const Action* action) { return sum + action->expected_ms; });
}

namespace {

// Returns the quorum of the only role with members; 0 if there are several, because one figure
// cannot stand for them.
int only_quorum(const Plan& plan) {
    const auto role_count = std::count_if(plan.roles.begin(),
                                          plan.roles.end(),
                                          [](const auto& role) { return !role.members.empty(); });
    return role_count == 1 ? std::max_element(plan.roles.begin(),
                                              plan.roles.end(),
                                              [](auto& a, auto& b) {
                                                  return a.members.size() < b.members.size();
                                              })
                                 ->quorum
                           : 0;
}

// True if the action keeps clients out, be it while it is under way.
bool refuses_writes(const Plan& plan, const Action& action) {
    const auto refuses = [&](const model::Effect& effect) {
        const auto source = plan.sources.find(model::fact_key(effect.member, effect.name));
        return effect.kind == model::EffectKind::becomes && source != plan.sources.end()
               && source->second.standard_fact == model::StandardFact::writes
               && effect.value != Json(true) && effect.value != Json("accepted");
    };
    return std::any_of(action.effects.begin(), action.effects.end(), refuses)
           || std::any_of(action.meanwhile.begin(), action.meanwhile.end(), refuses);
}

}  // namespace

// Barriers are left out, because they are points of order and no work. Groups run one after the
// other, so their times add up.
Outline outline_of(const Plan& plan) {
    Outline outline;
    outline.members = plan.members().size();
    outline.serving_min = outline.members;
    outline.quorum = only_quorum(plan);
    for (const Action& action : plan.actions) {
        if (!is_barrier(action)) {
            add_action(outline, plan, action);
        }
        outline.refuses_writes = outline.refuses_writes || refuses_writes(plan, action);
    }
    count_serving(outline, plan);
    for (const Group& group : outline.groups) {
        outline.takes_ms += group.takes_ms;
        outline.serving_min = std::min(outline.serving_min, group.serving_min);
        outline.outage = outline.outage || group.outage;
        outline.outage_ms += group.outage ? group.takes_ms : 0;
    }
    return outline;
}

bool is_barrier(const Action& action) {
    return action.verb == Verb::wait && action.request.is_null() && action.preconditions.empty()
           && action.postconditions.empty() && action.applies_if.empty();
}

std::string words_of(const Action& action, const Plan& plan) {
    if (action.verb == Verb::stop || action.verb == Verb::start || action.verb == Verb::restart) {
        return std::string(name_of(action.verb));
    }
    return action.verb == Verb::install ? "install " + plan.to_version : action.title;
}

// Joins the words of the block's actions. Several checks in a row are only counted.
std::string words_of(const Block& block, const Plan& plan) {
    std::vector<std::string> words;
    for (std::size_t i = 0; i < block.actions.size();) {
        std::size_t end = i;
        while (end < block.actions.size() && block.actions[end]->verb == Verb::require) {
            ++end;
        }
        const bool checks = end > i + 1;
        words.push_back(checks ? say("{} checks", end - i) : words_of(*block.actions[i], plan));
        i = checks ? end : i + 1;
    }
    return join(words, ", ");
}

std::string certainty_words(const std::vector<std::string>& facts) {
    return say("certain, if {} {}", join(facts, ", "), facts.size() == 1 ? "holds" : "hold");
}

// Only the downgrade is checked. Facts that nothing models were answered as suits it.
std::string cost_words(const model::RecoveryOption& way, const Plan& plan) {
    std::vector<std::string> facts;
    for (const Json& fact : plan.check["hangs_on"].items()) {
        facts.push_back(fact.as_string());
    }
    if (facts.empty() || way.kind != model::RecoveryKind::downgrade) {
        return way.cost;
    }
    return say("{}{}{}", way.cost, way.cost.empty() ? "" : "; ", certainty_words(facts));
}

}  // namespace drydock::cli
