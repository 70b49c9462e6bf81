// Values that satisfy a condition. Each relation has a simplest value that satisfies it; derived
// facts are satisfied through their inputs.
//
// The result is tested with model::evaluate(), so a value that does not suffice is reported and
// never believed.
#include "sim/condition_solver.h"

#include "model/condition.h"

#include <algorithm>

namespace drydock::sim {

namespace {

using model::Condition;
using model::FactType;
using model::Relation;

constexpr std::int64_t k_plenty =
    1'000'000'000'000;  // bytes or keys: enough for any condition on room

// A plausible value of this type.
Json default_value(FactType type, const model::Plan& plan) {
    switch (type) {
    case FactType::boolean:
        return true;
    case FactType::integer:
        return 1;
    case FactType::release:
        return plan.from_version;
    case FactType::list:
        return Json(Json::Array{});
    case FactType::text:
        break;
    }
    return "something";
}

Json different_value(const Json& operand) {
    if (operand.is_bool()) {
        return !operand.as_bool();
    }
    if (operand.is_array()) {
        return Json(Json::Array{"not " + operand.show()});
    }
    return operand.is_integer() ? Json(operand.as_int() + 1) : Json("not " + operand.show());
}

// The operand plus a difference; nothing for other types.
std::optional<Json> moved(const Json& operand, std::int64_t difference) {
    return operand.is_integer() ? std::optional(Json(operand.as_int() + difference)) : std::nullopt;
}

// Returns a value that satisfies the condition by itself; nothing if there is none.
std::optional<Json>
satisfying_value(const Condition& condition, const std::string& key, const model::Plan& plan) {
    switch (condition.relation) {
    case Relation::is:
    case Relation::at_least:
    case Relation::at_most:
        return condition.operand;
    case Relation::is_not:
        return different_value(condition.operand);
    case Relation::in:
        return condition.operand.items().empty() ? std::nullopt
                                                 : std::optional(condition.operand.items().front());
    case Relation::has:
        return Json(Json::Array{condition.operand});
    case Relation::above:
        return moved(condition.operand, 1);
    case Relation::below:
        return moved(condition.operand, -1);
    case Relation::same:
    case Relation::caught_up:
    case Relation::unchanged:
        return default_value(condition.type, plan);
    case Relation::present:
        return condition.operand.as_bool(true) ? default_value(condition.type, plan) : Json();
    case Relation::as_planned: {
        const auto planned = plan.bound_facts.find(key);
        const Json value = planned == plan.bound_facts.end() ? default_value(condition.type, plan)
                                                             : planned->second.value;
        return condition.operand.as_bool(true) ? value : different_value(value);
    }
    }
    return std::nullopt;
}

}  // namespace

ConditionSolver::ConditionSolver(const model::Plan& plan, ModelledSystem& system)
    : plan_(plan)
    , system_(system)
    , roster_(plan.roster()) {
    for (const model::Action& action : plan.actions) {
        for (const model::Effect& effect : action.effects) {
            const std::string key = model::fact_key(effect.member, effect.name);
            const auto source = plan.sources.find(key);
            if (source != plan.sources.end()
                && source->second.standard_fact == model::StandardFact::running) {
                moved_.emplace(effect.member, key);
            }
        }
    }
}

// A member that is down is not asked, as in a run (run/expected_members.cpp).
model::Roster ConditionSolver::members_asked(const model::FactBook& now) const {
    const auto is_down = [&](const std::string& member) {
        const auto running = moved_.find(member);
        const auto value = running == moved_.end() ? now.end() : now.find(running->second);
        return value != now.end() && value->second.status == model::ObservationStatus::absent;
    };
    model::Roster asked = roster_;
    for (auto& [role, members] : asked) {
        std::erase_if(members, is_down);
    }
    return asked;
}

model::Verdict ConditionSolver::judge(const Condition& condition, const std::string& member) const {
    const model::FactBook now = system_.book();
    return judge_of(members_asked(now), now, condition, member);
}

model::Verdict ConditionSolver::judge_of(const model::Roster& asked,
                                         const model::FactBook& now,
                                         const Condition& condition,
                                         const std::string& member) const {
    model::FactView view = {now, now, plan_.bound_facts, asked, member};
    view.all_members = &roster_;
    return model::evaluate(condition, view);
}

// Fixed facts stay as they are.
void ConditionSolver::assign(const std::string& key,
                             Json value,
                             const std::set<std::string>& fixed,
                             Settings& set) {
    if (!fixed.contains(key)) {
        system_.set(key, value);
        set.emplace_back(key, std::move(value));
    }
}

// A difference gets a large first input, a percentage a large second one. Other derived facts copy
// an input, so all inputs get the value.
void ConditionSolver::assign_derived(const model::FactSource& source,
                                     const Json& value,
                                     const std::set<std::string>& fixed,
                                     Settings& set) {
    const bool minus = source.derive == model::Derivation::minus;
    const bool percent = source.derive == model::Derivation::percent;
    for (std::size_t i = 0; i < source.inputs.size(); ++i) {
        const bool much = (minus && i == 0) || (percent && i == 1);
        assign(source.inputs[i], minus || percent ? Json(much ? k_plenty : 1) : value, fixed, set);
    }
}

// Inputs first: the probe of a fact may need their values.
void ConditionSolver::assign_default(const std::string& key,
                                     const std::set<std::string>& fixed,
                                     Settings& set) {
    const auto source = plan_.sources.find(key);
    if (source == plan_.sources.end()) {
        return;
    }
    for (const std::string& input : source->second.inputs) {
        assign_default(input, fixed, set);
    }
    const model::FactBook now = system_.book();
    if (!source->second.is_derived() && now.at(key).status != model::ObservationStatus::known) {
        assign(key, default_value(source->second.type, plan_), fixed, set);
    }
}

void ConditionSolver::satisfy_inputs(const Condition& condition,
                                     const std::string& member,
                                     const std::set<std::string>& fixed,
                                     Settings& set) {
    for (const std::string& key : model::facts_of(condition, plan_.roster(), member)) {
        const auto source = plan_.sources.find(key);
        if (source == plan_.sources.end() || source->second.is_derived()) {
            continue;
        }
        for (const std::string& input : source->second.inputs) {
            assign_default(input, fixed, set);
        }
    }
}

// A member that is down is asked later, when it is up.
bool ConditionSolver::holds_for_all(const Condition& condition, const std::string& member) const {
    return judge_of(roster_, system_.book(), condition, member).outcome == model::Truth::yes;
}

// A condition that holds already changes nothing. Later facts of the same condition are set even if
// an earlier one sufficed.
bool ConditionSolver::satisfy(const Condition& condition,
                              const std::string& member,
                              const std::set<std::string>& fixed,
                              Settings& set) {
    satisfy_inputs(condition, member, fixed, set);
    if (holds_for_all(condition, member)) {
        return true;
    }
    for (const std::string& key : model::facts_of(condition, plan_.roster(), member)) {
        const auto source = plan_.sources.find(key);
        const auto value = satisfying_value(condition, key, plan_);
        if (source == plan_.sources.end() || !value) {
            continue;
        }
        if (!source->second.is_derived()) {
            assign(key, *value, fixed, set);
        } else {
            assign_derived(source->second, *value, fixed, set);
        }
    }
    return holds_for_all(condition, member)
           || judge(condition, member).outcome == model::Truth::yes;
}

}  // namespace drydock::sim
