// Laws of the modelled stores: the condition, the delay and the effect of each.
//
// A law takes its effect at a random time after its condition begins to hold, unless the condition
// ends before. Consent is checked with the condition, not with the effect: from then on the way
// back may close at any moment. The checker has the same rules in checker/model_transitions.cpp;
// the two share no code.
#include "model/version.h"
#include "sim/modelled_system.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::sim {

namespace {

constexpr std::int64_t k_raise_ms_max = 4'200;  // from a law's condition to its effect

// A level may be the format itself, or a version in the release line of the format.
bool reads_version(const Json& version, const std::string& format) {
    return version.as_string() == format || model::version_in_series(version.as_string(), format);
}

}  // namespace

bool ModelledSystem::runs_in(const Member& member, const std::string& series) const {
    const auto value = values_.find(member.running);
    return member.up && value != values_.end()
           && model::version_in_series(value->second.as_string(), series);
}

// A role without members satisfies no law. Laws of other kinds than when_all and on_start have no
// condition.
bool ModelledSystem::holds(const model::FormatRule& law) const {
    const model::PlanRole* plan_role = role(law.role);
    if (plan_role == nullptr || plan_role->members.empty()) {
        return false;
    }
    const auto runs = [&](const std::string& name) {
        return runs_in(members_.at(name), law.series);
    };
    if (law.raises == model::FormatTrigger::when_all) {
        return std::all_of(plan_role->members.begin(), plan_role->members.end(), runs);
    }
    return law.raises == model::FormatTrigger::on_start
           && std::any_of(plan_role->members.begin(), plan_role->members.end(), runs);
}

// A level fact that is derived has risen if all its inputs have.
bool ModelledSystem::risen(const model::FormatRule& law) const {
    return std::all_of(law.levels.begin(), law.levels.end(), [&](const std::string& key) {
        const auto source = plan_.sources.find(key);
        const bool derived = source != plan_.sources.end() && source->second.is_derived();
        const std::vector<std::string> keys =
            derived ? source->second.inputs : std::vector<std::string>{key};
        return std::all_of(keys.begin(), keys.end(), [&](const std::string& input) {
            const auto value = values_.find(input);
            return value != values_.end() && reads_version(value->second, law.becomes);
        });
    });
}

// Writes the inputs of derived level facts, because a derived fact has no value of its own.
void ModelledSystem::set_levels(const std::vector<std::string>& levels, const std::string& format) {
    for (const std::string& key : levels) {
        const auto source = plan_.sources.find(key);
        if (source != plan_.sources.end() && source->second.is_derived()) {
            for (const std::string& input : source->second.inputs) {
                values_[input] = format;
            }
        } else {
            values_[key] = format;
        }
    }
}

void ModelledSystem::raise(const model::FormatRule& law) {
    formats_[law.store] = law.becomes;
    set_levels(law.levels, law.becomes);
}

// Lowers the store to the format of the target release.
void ModelledSystem::lower(const std::string& name) {
    for (const model::PlanStore& store : plan_.stores) {
        const auto law = store.laws.find(plan_.to);
        if (store.name == name && law != store.laws.end()) {
            formats_[name] = law->second.writes;
            set_levels(store.levels, law->second.writes);
        }
    }
}

// The initial format of a store without level facts. A release that raises on start, or never, has
// written its own; so has one with a format that the target can read.
std::string ModelledSystem::first_format(const model::PlanStore& store) const {
    const auto old_support = store.laws.find(plan_.from);
    const auto new_support = store.laws.find(plan_.to);
    if (old_support == store.laws.end() || new_support == store.laws.end()) {
        return old_support != store.laws.end() ? old_support->second.writes : "";
    }
    const auto& readable = new_support->second.reads;
    const bool risen = old_support->second.raises == model::FormatTrigger::on_start
                       || old_support->second.raises == model::FormatTrigger::never
                       || std::find(readable.begin(), readable.end(), old_support->second.writes)
                              != readable.end();
    return risen ? old_support->second.writes : new_support->second.writes;
}

// True if the release can read the store as this member has it. The format comes from the level
// facts of the member or of the whole role, else from the last write.
bool ModelledSystem::can_read(const model::PlanStore& store,
                              const std::string& name,
                              const std::string& release) const {
    const auto use = store.laws.find(release);
    if (use == store.laws.end()) {
        return true;
    }
    std::string format = formats_.at(store.name);
    const model::FactBook now = book();
    for (const std::string& key : store.levels) {
        const auto source = plan_.sources.find(key);
        const bool its_own = source == plan_.sources.end() || source->second.member.empty()
                             || source->second.member == name;
        const auto level = now.find(key);
        if (its_own && level != now.end()
            && level->second.status == model::ObservationStatus::known) {
            format = level->second.value.show();
        }
    }
    const auto& reads = use->second.reads;
    return format.empty()
           || std::any_of(reads.begin(), reads.end(), [&](const auto& readable_format) {
                  return reads_version(Json(format), readable_format);
              });
}

bool ModelledSystem::can_read(const std::string& name, const std::string& release) const {
    const std::string& its_role = members_.at(name).role;
    return std::all_of(plan_.stores.begin(), plan_.stores.end(), [&](const auto& store) {
        const auto& opened_by = store.opened_by;
        const bool opens =
            std::find(opened_by.begin(), opened_by.end(), its_role) != opened_by.end();
        return !opens || can_read(store, name, release);
    });
}

// Records a violation if the law closes the way back without an approval.
void ModelledSystem::ask_consent(const model::FormatRule& law) {
    if (law.closes && !is_approved_) {
        complain("unasked-return-point",
                 fmt::format("store {} can no longer be read by {}, and nobody approved that",
                             law.store,
                             plan_.from));
    }
}

// Starts or cancels the delays of laws after a change. `destroyed` names a store that was
// destroyed, or is empty: on_destroy laws need consent then.
void ModelledSystem::consider_laws(const std::string& destroyed) {
    for (std::size_t i = 0; i < laws_.size(); ++i) {
        const model::FormatRule& law = laws_[i];
        const bool destroys =
            law.raises == model::FormatTrigger::on_destroy && law.store == destroyed;
        if (!destroys && (!holds(law) || risen(law))) {
            raise_at_ms_.erase(i);
            continue;
        }
        ask_consent(law);
        if (!destroys && !is_directed_ && !raise_at_ms_.contains(i)) {
            raise_at_ms_[i] = now_ms_ + faults_.between(0, k_raise_ms_max);
        }
    }
}

void ModelledSystem::fire_laws() {
    for (const model::FormatRule& law : laws_) {
        if (holds(law)) {
            raise(law);
        }
    }
}

void ModelledSystem::fire_laws(const std::string& store) {
    for (const model::FormatRule& law : laws_) {
        if (law.store == store && holds(law)) {
            raise(law);
        }
    }
}

}  // namespace drydock::sim
