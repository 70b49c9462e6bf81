#include "reference/answers.h"

#include <algorithm>

namespace drydock::reference {

namespace {

using model::Condition;
using model::Quantifier;
using model::Truth;

model::FactBook reading(const Model& model, const World& world) {
    model::FactBook book;
    for (const auto& [key, owner] : model.owners()) {
        const bool away = model.is_away(world, owner);
        book[key] = away ? model::Observation{} : model.value(world, key);
    }
    return book;
}

bool is_modelled(const Model& model, const Condition& condition, const std::string& self) {
    const auto keys = model::facts_of(condition, model.plan.roster(), self);
    return condition.relation != model::Relation::caught_up
           && condition.relation != model::Relation::unchanged
           && std::all_of(
               keys.begin(), keys.end(), [&](const auto& key) { return model.has(key); });
}

// True if a step has left a fact open that the condition asks.
bool asks_open(const Model& model,
               const Condition& condition,
               const std::string& self,
               const World& world,
               const model::Roster& up) {
    const auto keys = model::facts_of(condition, up, self);
    return std::any_of(
        keys.begin(), keys.end(), [&](const auto& key) { return model.is_open(world, key); });
}

bool somebody_is_away(const Model& model,
                      const Condition& condition,
                      const std::string& self,
                      const World& world,
                      const model::Roster& up) {
    if (condition.quantifier == Quantifier::system) {
        return false;
    }
    if (condition.quantifier == Quantifier::self) {
        return model.is_away(world, self);
    }
    const auto& members = up.find(condition.role)->second;
    return std::any_of(members.begin(), members.end(), [&](const std::string& member) {
        return model::asks(condition, member, self) && model.is_away(world, member);
    });
}

}  // namespace

Answer answer(const Model& model,
              const std::vector<Condition>& conditions,
              const std::string& self,
              const World& world,
              const model::Roster& up) {
    Answer all;
    const model::FactBook now = conditions.empty() ? model::FactBook() : reading(model, world);
    const model::FactBook before;
    for (const Condition& condition : conditions) {
        if (!is_modelled(model, condition, self) || asks_open(model, condition, self, world, up)) {
            all.open = true;
            all.told =
                somebody_is_away(model, condition, self, world, up) ? Truth::cannot_tell : all.told;
            continue;
        }
        const model::FactView view = {now, before, model.plan.bound_facts, up, self};
        const Truth one = model::evaluate(condition, view).outcome;
        if (one == Truth::no) {
            return {Truth::no, false};
        }
        all.told = one == Truth::cannot_tell ? one : all.told;
    }
    return all;
}

}  // namespace drydock::reference
