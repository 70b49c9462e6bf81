// Laws of the modelled stores: the condition, the delay and the effect of each.
//
// A law takes its effect at a random time after its condition begins to hold, unless the condition
// ends before. Consent is checked with the condition, not with the effect: from then on the way
// back may close at any moment. The checker has the same rules in checker/model_format_laws.cpp;
// the two share no code.
#include "model/version.h"
#include "sim/modelled_system.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::sim {

namespace {

using model::FormatTrigger;

constexpr std::int64_t k_raise_ms_max = 4'200;  // from a law's condition to its effect

// True for laws that act by a condition on all members, or on the leader.
bool has_condition(FormatTrigger raises) {
    return raises == FormatTrigger::when_all || raises == FormatTrigger::when_all_running
           || raises == FormatTrigger::on_lead;
}

}  // namespace

bool ModelledSystem::runs_in(const Member& member, const std::string& series) const {
    const auto release = values_.find(member.running);
    return member.is_up && release != values_.end()
           && model::version_in_series(release->second.as_string(), series);
}

// A store that another axis reads asks the member's release of that axis.
bool ModelledSystem::runs_law(const std::string& name, const model::FormatRule& law) const {
    const model::PlanStore* store = stores_.find(law.store);
    const Member& member = members_.at(name);
    if (store == nullptr || store->read_by.empty()) {
        return runs_in(member, law.series);
    }
    return member.is_up
           && model::version_in_series(stores_.release_of(*store, reader(name, member)),
                                       law.series);
}

// A law on start concerns the instances that members of its release have opened, any other law all.
void ModelledSystem::for_each_target(const model::FormatRule& law,
                                     const ModelledStores::Each& visit) {
    if (law.trigger != FormatTrigger::on_start) {
        stores_.for_each_of(law.store, visit);
        return;
    }
    for (const auto& [name, member] : members_) {
        if (!runs_law(name, law)) {
            continue;
        }
        stores_.for_each(reader(name, member), [&](const auto& store, StoreInstance& instance) {
            if (store.name == law.store) {
                visit(store, instance);
            }
        });
    }
}

// A role without members satisfies no law. Laws of other kinds have no condition.
bool ModelledSystem::holds(const model::FormatRule& law) {
    const model::PlanRole* plan_role = role(law.role);
    if (plan_role == nullptr || plan_role->members.empty()) {
        return false;
    }
    const auto& names = plan_role->members;
    const auto runs = [&](const std::string& name) { return runs_law(name, law); };
    const auto runs_or_is_down = [&](const std::string& name) {
        return runs(name) || !members_.at(name).is_up;
    };
    const auto runs_and_leads = [&](const std::string& name) {
        return runs(name) && is_leader(members_.at(name));
    };
    if (law.trigger == FormatTrigger::when_all) {
        return std::all_of(names.begin(), names.end(), runs);
    }
    if (law.trigger == FormatTrigger::when_all_running) {
        return std::any_of(names.begin(), names.end(), runs)
               && std::all_of(names.begin(), names.end(), runs_or_is_down);
    }
    if (law.trigger == FormatTrigger::on_lead) {
        return std::any_of(names.begin(), names.end(), runs_and_leads);
    }
    bool any_target = false;
    if (law.trigger == FormatTrigger::on_start) {
        for_each_target(law, [&](const auto&, const auto&) { any_target = true; });
    }
    return any_target;
}

// True if nothing is left to rise. What is destroyed never does.
bool ModelledSystem::risen(const model::FormatRule& law) {
    bool has_risen = true;
    for_each_target(law, [&](const auto& store, const StoreInstance& instance) {
        has_risen = has_risen
                    && (instance.is_destroyed || stores_.has_reached(store, instance, law.becomes));
    });
    return has_risen;
}

void ModelledSystem::raise(const model::FormatRule& law) {
    for_each_target(law, [&](const auto& store, StoreInstance& instance) {
        stores_.raise(store, instance, law.becomes);
    });
}

// A command raises a store by each of its laws; one with a condition acts only while that holds.
// It makes what was destroyed anew. A store of an axis has the laws of its member's release.
void ModelledSystem::raise_by_command(const model::Effect& effect) {
    const std::string& name = effect.name;
    stores_.make_anew_by_axis(name, effect.member);
    for (std::size_t i = 0; i < laws_.size(); ++i) {
        const model::FormatRule& law = laws_[i];
        if (law.store != name || (has_condition(law.trigger) && !holds(law))) {
            continue;
        }
        ask_consent(i);
        stores_.make_anew(name, effect.member, law.becomes, law.series);
        stores_.raise_own(name, effect.own ? effect.member : "", law.becomes, law.series);
    }
}

// Records a violation if the law closes the way back without an approval.
void ModelledSystem::ask_consent(std::size_t index) {
    const model::FormatRule& law = laws_[index];
    if (law.blocks_downgrade && !is_approved_ && !excused_laws_.contains(index)) {
        record_violation(
            "unasked-return-point",
            fmt::format("store {} can no longer be read by {}, and nobody approved that",
                        law.store,
                        plan_.from_version));
    }
}

// Starts or cancels the delays of laws after a change. `destroyed` names a store that was
// destroyed, or is empty: on_destroy laws need consent then. In a replay a law on start acts at
// once, since traces do not tell of it.
void ModelledSystem::consider_laws(const std::string& destroyed) {
    for (std::size_t i = 0; i < laws_.size(); ++i) {
        const model::FormatRule& law = laws_[i];
        const bool destroys = law.trigger == FormatTrigger::on_destroy && law.store == destroyed;
        const bool is_held = has_condition(law.trigger) && held_.contains(law.store);
        if (!destroys && (is_held || !holds(law) || risen(law))) {
            raise_at_ms_.erase(i);
            continue;
        }
        ask_consent(i);
        if (is_directed_ && law.trigger == FormatTrigger::on_start) {
            change("the law of " + law.store, [&] { raise(law); });
        } else if (!destroys && !is_directed_ && !raise_at_ms_.contains(i)) {
            raise_at_ms_[i] = now_ms_ + faults_.between(0, k_raise_ms_max);
        }
    }
}

void ModelledSystem::fire_laws() {
    for (const model::FormatRule& law : laws_) {
        if (holds(law)) {
            change("the law of " + law.store, [&] { raise(law); });
        }
    }
}

void ModelledSystem::fire_laws(const std::string& store) {
    for (const model::FormatRule& law : laws_) {
        if (law.store == store && holds(law)) {
            change("the law of " + law.store, [&] { raise(law); });
        }
    }
}

}  // namespace drydock::sim
