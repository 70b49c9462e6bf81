// Pass: names the release that a step brings up at its end, where it holds a member down for a
// while.
//
// Such a member comes up as what is installed, by the step itself or before it. If that is another
// release than the one that ran before, the step is a start of it, and the rules of the stores and
// the gates ask for an effect. A member that was down stays down, unless the step promises that it
// runs. The effect comes late: whether the step is done already is told by its other effects.
#include "planner/compile.h"

#include <algorithm>
#include <map>

namespace drydock::planner {

namespace {

using model::Action;
using model::Effect;
using model::EffectKind;
using model::StandardFact;

// Walks along the steps and notes the values that they give to the facts of members.
class Values {
public:
    explicit Values(const PlanBuilder& draft) : draft_(draft) {}

    void pass(const std::vector<Effect>& effects) {
        for (const Effect& effect : effects) {
            if (effect.kind == EffectKind::becomes) {
                given_[model::fact_key(effect.member, effect.name)] = effect.value;
            }
        }
    }

    // Returns null where the fact is absent, or where nobody could tell.
    [[nodiscard]] Json at(const model::Member& member, StandardFact standard) const {
        const std::string fact = bound_fact(draft_.request.pack, member.role, standard);
        const std::string key = model::fact_key(member.name, fact);
        if (const auto given = given_.find(key); given != given_.end()) {
            return given->second;
        }
        return surveyed(draft_, key).value_or(Json());
    }

private:
    const PlanBuilder& draft_;
    std::map<std::string, Json> given_;  // by key
};

bool names(const std::vector<Effect>& effects, const Effect& wanted) {
    return std::any_of(effects.begin(), effects.end(), [&](const Effect& effect) {
        return effect.member == wanted.member && effect.name == wanted.name;
    });
}

// True if the action promises that the member runs, or is ready.
bool promises_to_run(const PlanBuilder& draft, const Action& action, const model::Member& member) {
    const auto& pack = draft.request.pack;
    const std::string running = bound_fact(pack, member.role, StandardFact::running);
    const std::string ready = bound_fact(pack, member.role, StandardFact::ready);
    return std::any_of(
        action.postconditions.begin(), action.postconditions.end(), [&](const auto& promise) {
            const bool is_value = promise.relation == model::Relation::is;
            const bool tells =
                (promise.fact == running
                 && (is_value || promise.relation == model::Relation::in
                     || promise.operand == Json(true)))
                || (promise.fact == ready && is_value && promise.operand == Json(true));
            return tells && promise.role == member.role
                   && model::asks(promise, member.name, action.member);
        });
}

// Returns the starts by which the action ends, but for those that its effects name. `values`: as
// they are with its effects.
std::vector<Effect>
starts_at_end(const PlanBuilder& draft, const Action& action, const Values& values) {
    std::vector<Effect> starts;
    for (const Effect& held : action.meanwhile) {
        const model::Member* member = find_member(draft.request.cluster, held.member);
        const bool is_down =
            member != nullptr && held.kind == EffectKind::becomes && held.value.is_null()
            && held.name == bound_fact(draft.request.pack, member->role, StandardFact::running);
        if (!is_down || names(action.effects, held)) {
            continue;
        }
        const Json installed = values.at(*member, StandardFact::installed);
        const Json running = values.at(*member, StandardFact::running);
        const bool comes_up = !running.is_null() || promises_to_run(draft, action, *member);
        if (!installed.is_null() && comes_up && installed != running) {
            starts.push_back({EffectKind::becomes, held.member, held.name, installed, false});
        }
    }
    return starts;
}

}  // namespace

// Ways back are compiled by the thousand in a check, and few plans hold anything for a while.
void add_starts_at_end(PlanBuilder& draft) {
    const auto& actions = draft.plan.actions;
    if (std::all_of(actions.begin(), actions.end(), [](const Action& action) {
            return action.meanwhile.empty();
        })) {
        return;
    }
    Values values(draft);
    for (Action& action : draft.plan.actions) {
        values.pass(action.effects);
        const auto starts = starts_at_end(draft, action, values);
        action.effects.insert(action.effects.end(), starts.begin(), starts.end());
        values.pass(starts);
    }
}

}  // namespace drydock::planner
