// Pass: the stores of the plan, with the laws of the releases that open them, and the rules by
// which their formats rise.
//
// A store belongs to the releases that its members run, or to those of an axis: a second version of
// each member, such as that of its image. A plan names two releases of the first kind, and knows
// nothing of the second but that a member's fact tells it. So such a store has the laws of all
// releases of its axis, and none of its rules is said to close the way back. The checker finds out.
#include "model/version.h"
#include "planner/compile.h"

#include <algorithm>

namespace drydock::planner {

namespace {

using model::Action;
using model::EffectKind;
using model::FormatSupport;
using model::FormatTrigger;

constexpr std::size_t k_formats_max = 16;  // a store with more formats keeps only those in question

bool lists(const std::vector<std::string>& formats, const std::string& format) {
    return std::find(formats.begin(), formats.end(), format) != formats.end();
}

// Returns the keys of a store's fact: the system's, or one a member; none without a fact.
std::vector<std::string>
keys_of(const PlanBuilder& draft, const model::StoreSpec& store, const std::string& name) {
    const auto& facts = draft.request.pack.facts;
    const bool of_system = std::any_of(facts.begin(), facts.end(), [&](const auto& fact) {
        return fact.name == name && fact.role.empty();
    });
    if (of_system || name.empty()) {
        return name.empty() ? std::vector<std::string>() : std::vector{name};
    }
    std::vector<std::string> keys;
    for (const std::string& member : draft.scope.members.at(store.role)) {
        keys.push_back(model::fact_key(member, name));
    }
    return keys;
}

bool is_named_by(const FormatSupport& law, const std::string& format) {
    return law.writes == format || lists(law.reads, format) || lists(law.starts_on, format);
}

// Returns the formats that the plan is about. A chain of schemas has a format for each head; only
// the two releases' own and the store's present one matter.
std::vector<std::string> formats_of(const PlanBuilder& draft, const model::PlanStore& store) {
    std::vector<std::string> formats = store.formats;
    if (formats.size() <= k_formats_max) {
        return formats;
    }
    std::erase_if(formats, [&](const std::string& format) {
        const bool is_law = std::any_of(store.laws.begin(), store.laws.end(), [&](const auto& law) {
            return is_named_by(law.second, format);
        });
        return !is_law
               && std::none_of(store.levels.begin(), store.levels.end(), [&](const auto& key) {
                      const auto fact = draft.scope.facts.find(key);
                      return fact != draft.scope.facts.end() && fact->second.value.show() == format;
                  });
    });
    return formats;
}

const model::AxisSpec* axis_of(const model::Pack& pack, const model::StoreSpec& store) {
    const auto axis = pack.axes.find(store.read_by);
    return axis == pack.axes.end() ? nullptr : &axis->second;
}

// Returns the laws of a store by the release of its axis.
std::map<std::string, FormatSupport> laws_of(const model::AxisSpec& axis,
                                             const std::string& store) {
    std::map<std::string, FormatSupport> laws;
    for (const auto& [release, by_store] : axis.releases) {
        if (const auto law = by_store.find(store); law != by_store.end()) {
            laws.emplace(release, law->second);
        }
    }
    return laws;
}

// Returns the laws of a store by the plan's two releases.
std::map<std::string, FormatSupport> laws_of_hop(const PlanBuilder& draft,
                                                 const std::string& store) {
    std::map<std::string, FormatSupport> laws;
    for (const std::string& release : {draft.request.from_version, draft.request.to_version}) {
        if (const auto* law = law_of(draft.request.pack, release, store)) {
            laws[release] = *law;
        }
    }
    return laws;
}

// Returns the keys that tell whether a store was left clean. Within a series nobody asks.
std::vector<std::string> clean_stop_of(const PlanBuilder& draft, const model::StoreSpec& store) {
    const model::Pack& pack = draft.request.pack;
    const bool is_asked =
        !store.clean_stop.empty()
        && series_of(pack, draft.request.from_version) != series_of(pack, draft.request.to_version);
    return is_asked ? keys_of(draft, store, store.clean_stop) : std::vector<std::string>();
}

// Describes a store by its roles, its formats and the laws of the releases that open it.
void add_store(PlanBuilder& draft, const model::StoreSpec& store) {
    const model::Pack& pack = draft.request.pack;
    const model::AxisSpec* axis = axis_of(pack, store);
    model::PlanStore plan_store;
    plan_store.name = store.name;
    plan_store.role = store.role;
    plan_store.shared = store.shared;
    plan_store.levels = keys_of(draft, store, store.level);
    plan_store.formats = store.formats;
    plan_store.leader_only = store.leader_only;
    plan_store.newest_last_stopped = store.newest_last_stopped;
    plan_store.clean_stop = clean_stop_of(draft, store);
    plan_store.read_by = axis == nullptr ? "" : axis->fact;
    for (const auto& [name, role] : pack.roles) {
        if (lists(role.stores, store.name)) {
            plan_store.opened_by.push_back(name);
        }
    }
    plan_store.laws = axis == nullptr ? laws_of_hop(draft, store.name) : laws_of(*axis, store.name);
    plan_store.formats = formats_of(draft, plan_store);
    draft.plan.stores.push_back(std::move(plan_store));
}

// Adds a rule for each release of an axis that raises the store.
void add_axis_rules(PlanBuilder& draft,
                    const model::StoreSpec& store,
                    const model::AxisSpec& axis) {
    for (const auto& [release, law] : laws_of(axis, store.name)) {
        if (law.trigger != FormatTrigger::never) {
            draft.plan.laws.push_back({store.name,
                                       store.role,
                                       keys_of(draft, store, store.level),
                                       law.trigger,
                                       release,
                                       law.writes,
                                       false,
                                       place(draft.request.pack, law.position)});
        }
    }
}

// Adds the new release's rule for a store. It closes the way back if the old release cannot read
// the format. A format on which the old release starts, but does not serve, is no way back either.
void add_rule(PlanBuilder& draft, const model::StoreSpec& store) {
    const model::Pack& pack = draft.request.pack;
    const auto* old_support = law_of(pack, draft.request.from_version, store.name);
    const auto* new_support = law_of(pack, draft.request.to_version, store.name);
    if (old_support == nullptr || new_support == nullptr
        || new_support->trigger == FormatTrigger::never) {
        return;
    }
    const bool readable = lists(old_support->reads, new_support->writes);
    draft.plan.laws.push_back({store.name,
                               store.role,
                               keys_of(draft, store, store.level),
                               new_support->trigger,
                               series_of(pack, draft.request.to_version),
                               new_support->writes,
                               !readable && !new_support->lowers_on_request,
                               place(pack, new_support->position)});
}

// Adds a rule for a store that a step destroys and the old release needs: it is gone, whatever the
// releases could read.
void add_destruction(PlanBuilder& draft, const model::StoreSpec& store) {
    const auto& actions = draft.plan.actions;
    const auto destroys = std::find_if(actions.begin(), actions.end(), [&](const Action& action) {
        return has_effect(action, EffectKind::destroys, store.name);
    });
    const bool is_needed =
        axis_of(draft.request.pack, store) != nullptr
        || law_of(draft.request.pack, draft.request.from_version, store.name) != nullptr;
    if (destroys != actions.end() && is_needed) {
        draft.plan.laws.push_back({store.name,
                                   store.role,
                                   {},
                                   FormatTrigger::on_destroy,
                                   series_of(draft.request.pack, draft.request.to_version),
                                   "",
                                   true,
                                   destroys->source});
    }
}

// True if the cluster has a member of a role that opens the store. Else nobody has it, and no rule
// of it can close anything.
bool has_members(const PlanBuilder& draft, const model::StoreSpec& store) {
    const auto& roles = draft.request.pack.roles;
    return std::any_of(roles.begin(), roles.end(), [&](const auto& role) {
        return lists(role.second.stores, store.name) && !draft.scope.members.at(role.first).empty();
    });
}

}  // namespace

bool has_effect(const Action& action, EffectKind kind, const std::string& store) {
    return std::any_of(
        action.effects.begin(), action.effects.end(), [&](const model::Effect& effect) {
            return effect.kind == kind && effect.name == store;
        });
}

void add_stores(PlanBuilder& draft) {
    for (const auto& [name, store] : draft.request.pack.stores) {
        if (!has_members(draft, store)) {
            continue;
        }
        if (const auto* axis = axis_of(draft.request.pack, store)) {
            add_axis_rules(draft, store, *axis);
        } else {
            add_rule(draft, store);
        }
        add_destruction(draft, store);
        add_store(draft, store);
    }
}

}  // namespace drydock::planner
