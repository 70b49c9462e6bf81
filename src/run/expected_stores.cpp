// Moves the expected levels of stores.
//
// Four effects move a level: `raises` and `lowers` convert it, `destroys` leaves none, `restores`
// brings back that of the copy. A copy that an earlier run made has a level that this plan does not
// know: then any is possible.
#include "run/expected_stores.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <set>

namespace drydock::run {

namespace {

using model::Effect;
using model::EffectKind;
using model::FormatRule;
using model::FormatTrigger;
using model::Observation;
using model::ObservationStatus;
using model::Plan;
using model::PlanStore;

constexpr std::array k_kinds = {EffectKind::destroys,
                                EffectKind::restores,
                                EffectKind::raises,
                                EffectKind::lowers,
                                EffectKind::copies};

// Returns the level facts of a store, and the facts that those are derived from.
std::vector<std::string> level_keys(const Plan& plan, const std::vector<std::string>& levels) {
    std::vector<std::string> keys = levels;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const auto source = plan.sources.find(keys[i]);
        if (source != plan.sources.end() && source->second.is_derived()) {
            keys.insert(keys.end(), source->second.inputs.begin(), source->second.inputs.end());
        }
    }
    return keys;
}

const FormatRule* rule_of(const Plan& plan, const PlanStore& store) {
    const auto law = std::find_if(plan.laws.begin(), plan.laws.end(), [&](const FormatRule& rule) {
        return rule.store == store.name;
    });
    return law == plan.laws.end() ? nullptr : &*law;
}

// Returns the formats to which the effect may bring the store; none if it converts nothing. On an
// axis the release of the member decides, and any of its releases may be the one.
std::set<std::string> formats_after(const Plan& plan, const PlanStore& store, EffectKind kind) {
    std::set<std::string> formats;
    if (kind == EffectKind::lowers) {
        const auto law = store.laws.find(plan.to_version);
        formats.insert(law == store.laws.end() ? "" : law->second.writes);
    } else if (kind == EffectKind::raises && !store.read_by.empty()) {
        for (const auto& [release, law] : store.laws) {
            formats.insert(law.writes);
        }
    } else if (const FormatRule* law = rule_of(plan, store); kind == EffectKind::raises && law) {
        formats.insert(law->becomes);
    }
    formats.erase("");
    return formats;
}

// True if a command raises the format only while the rule's own condition holds.
bool has_condition(const FormatRule* law) {
    return law != nullptr
           && (law->trigger == FormatTrigger::when_all
               || law->trigger == FormatTrigger::when_all_running
               || law->trigger == FormatTrigger::on_lead);
}

}  // namespace

Observation value_of(const Json& value) {
    return {value.is_null() ? ObservationStatus::absent : ObservationStatus::known,
            value,
            "expected",
            0};
}

std::string bound_key(const Plan& plan, std::string_view member, model::StandardFact standard) {
    for (const auto& [key, source] : plan.sources) {
        if (source.member == member && source.standard_fact == standard) {
            return key;
        }
    }
    return {};
}

Observation level_of(const Plan& plan, const std::string& key, const std::string& format) {
    const auto source = plan.sources.find(key);
    if (source != plan.sources.end() && source->second.type == model::FactType::integer) {
        const auto number = Json::parse(format);
        return value_of(number && number->is_integer() ? *number : Json(format));
    }
    return value_of(Json(format));
}

// Values of another member's instance of an unshared store may follow or stay; those of a member's
// own effect stay. A fact of the system may follow any instance. A level without values is open,
// and stays so.
void ExpectedStores::tell(const model::Action& action,
                          const Effect& effect,
                          const std::string& key,
                          const PlanStore& store,
                          const std::vector<Observation>& values,
                          bool is_certain) {
    const auto level = facts_.find(key);
    if (level == facts_.end() || level->second.any_of.empty()) {
        return;
    }
    const auto source = plan_.sources.find(key);
    const std::string teller = source == plan_.sources.end() ? "" : source->second.member;
    const bool is_others = !teller.empty() && teller != effect.member && !store.shared;
    if (effect.own && is_others) {
        return;
    }
    if (is_certain && !is_others && !(effect.own && teller.empty())) {
        level->second = {{}, action.id};
    }
    level->second.any_of.insert(level->second.any_of.end(), values.begin(), values.end());
}

void ExpectedStores::convert(const model::Action& action,
                             const Effect& effect,
                             const PlanStore& store,
                             bool is_certain) {
    const auto formats = formats_after(plan_, store, effect.kind);
    const bool may_stay = effect.kind == EffectKind::raises && has_condition(rule_of(plan_, store));
    for (const std::string& key : level_keys(plan_, store.levels)) {
        std::vector<Observation> levels;
        std::transform(formats.begin(),
                       formats.end(),
                       std::back_inserter(levels),
                       [&](const auto& format) { return level_of(plan_, key, format); });
        if (!levels.empty()) {
            tell(action, effect, key, store, levels, is_certain && !may_stay);
        }
    }
}

void ExpectedStores::copy(const PlanStore& store) {
    Levels& levels = copies_[store.name];
    for (const std::string& key : level_keys(plan_, store.levels)) {
        const auto level = facts_.find(key);
        if (level != facts_.end()) {
            levels[key] = level->second;
        }
    }
}

// An open level of the copy is open again after it was put back.
void ExpectedStores::restore(const model::Action& action,
                             const Effect& effect,
                             const PlanStore& store,
                             bool is_certain) {
    const auto copy = copies_.find(store.name);
    for (const std::string& key : level_keys(plan_, store.levels)) {
        const auto level = facts_.find(key);
        if (level == facts_.end()) {
            continue;
        }
        const auto copied = copy == copies_.end() ? Levels::iterator() : copy->second.find(key);
        if (copy == copies_.end() || copied == copy->second.end()
            || copied->second.any_of.empty()) {
            level->second = {{}, action.id};
        } else {
            tell(action, effect, key, store, copied->second.any_of, is_certain);
        }
    }
}

// A step with the verb `restore` that names no store puts back all that have a copy.
void ExpectedStores::restore_all(const model::Action& action, bool is_certain) {
    const bool names_stores =
        std::any_of(action.effects.begin(), action.effects.end(), [](const Effect& effect) {
            return effect.kind == EffectKind::restores;
        });
    for (const PlanStore& store : plan_.stores) {
        if (!names_stores && copies_.contains(store.name)) {
            restore(
                action, {EffectKind::restores, action.member, store.name, {}}, store, is_certain);
        }
    }
}

void ExpectedStores::apply(const model::Action& action,
                           const Effect& effect,
                           const PlanStore& store,
                           bool is_certain) {
    if (effect.kind == EffectKind::copies) {
        copy(store);
    } else if (effect.kind == EffectKind::restores) {
        restore(action, effect, store, is_certain);
    } else if (effect.kind == EffectKind::destroys) {
        for (const std::string& key : level_keys(plan_, store.levels)) {
            tell(action, effect, key, store, {value_of({})}, is_certain);
        }
    } else {
        convert(action, effect, store, is_certain);
    }
}

// Applies the effects kind by kind, as the real action does: it destroys first and copies last.
void ExpectedStores::apply_in_order(const model::Action& action,
                                    const std::vector<Effect>& effects,
                                    bool is_certain) {
    for (const EffectKind kind : k_kinds) {
        for (const Effect& effect : effects) {
            for (const PlanStore& store : plan_.stores) {
                if (effect.kind == kind && effect.name == store.name) {
                    apply(action, effect, store, is_certain);
                }
            }
        }
    }
}

// What holds while the action runs is possible until it is done; then it is over. A restore without
// names comes before the other effects.
void ExpectedStores::apply(const model::Action& action, Status status) {
    const bool is_certain = took_effect(status);
    if (!is_certain) {
        apply_in_order(action, action.meanwhile, false);
    }
    if (action.verb == model::Verb::restore) {
        restore_all(action, is_certain);
    }
    apply_in_order(action, action.effects, is_certain);
}

}  // namespace drydock::run
