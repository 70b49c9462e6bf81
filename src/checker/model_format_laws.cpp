// The laws that raise the formats of stores, and the facts that tell formats and releases of an
// axis.
//
// Of a plan's two releases, and of each release of a second axis, the law of each store is resolved
// to the values that mean that release.
#include "checker/model_builder.h"
#include "checker/store_effects.h"
#include "model/version.h"

#include <algorithm>

namespace drydock::checker {

namespace {

// True if the law closes the way back: the old release cannot read the new format, and no command
// lowers it. Only upgrades have a way back to close.
bool closes_way_back(const model::Plan& plan, const Store& store, const std::string& release) {
    const auto old_support = store.laws.find(plan.from_version);
    const model::FormatSupport& law = store.laws.at(release);
    return release == plan.to_version && old_support != store.laws.end()
           && model::compare_versions(plan.from_version, plan.to_version) < 0
           && !is_listed(old_support->second.reads, law.writes) && !law.lowers_on_request;
}

// The law of one release for one store. A law that holds from the start is not the fault of this
// plan.
void add_rise(Model& model, Index index, const std::string& release) {
    const Store& store = model.stores[index];
    const model::FormatSupport& law = store.laws.at(release);
    const Index format = index_in(store.formats, law.writes);
    if (law.trigger == model::FormatTrigger::never || format == k_no_index) {
        return;
    }
    FormatTransition rise;
    rise.store = index;
    rise.role = store.role;
    rise.raises = law.trigger;
    rise.running_values = values_of_release(model, release);
    rise.becomes = to_byte(format);
    rise.waits = law.trigger == model::FormatTrigger::when_all
                 || law.trigger == model::FormatTrigger::when_all_running
                 || law.trigger == model::FormatTrigger::on_lead;
    rise.blocks_downgrade = closes_way_back(model.plan, store, release);
    rise.alone = law.alone && store.is_shared && law.trigger == model::FormatTrigger::on_start;
    rise.holds_at_start =
        holds(model, rise, model.initial.data()) || is_risen(model, rise, model.initial.data());
    model.format_transitions.push_back(rise);
}

// The releases of a second axis have laws of their own; else those of the plan have.
std::vector<std::string> releases_with_laws(const Model& model, Index store) {
    if (model.stores[store].axis.empty()) {
        return {model.plan.from_version, model.plan.to_version};
    }
    std::vector<std::string> releases;
    for (const auto& [release, law] : model.stores[store].laws) {
        releases.push_back(release);
    }
    return releases;
}

// Finds the facts of the axis whose releases have the laws of the store.
void add_axis(Model& model, Index index) {
    const std::string& fact = model.plan.stores[index].read_by;
    for (Index i = 0; !fact.empty() && i < model.members.size(); ++i) {
        const auto place = model.offsets.find(model::fact_key(model.members[i].name, fact));
        model.stores[index].axis.push_back(place == model.offsets.end() ? k_no_offset
                                                                        : place->second);
    }
}

// A fact of a member reports the format of its own instance, any other fact that of all instances.
void add_levels(Model& model, std::size_t index) {
    Store& store = model.stores[index];
    for (const std::string& format : store.formats) {
        store.level_values.push_back(index_of(model, format));
    }
    const auto& owners = model.members_of[store.role];
    store.levels.resize(store.offset.size());
    for (const std::string& key : model.plan.stores[index].levels) {
        const auto place = model.offsets.find(key);
        const auto source = model.plan.sources.find(key);
        const std::string owner = source == model.plan.sources.end() ? "" : source->second.member;
        for (std::size_t i = 0; place != model.offsets.end() && i < store.offset.size(); ++i) {
            if (store.is_shared || owner.empty() || owner == model.members[owners[i]].name) {
                store.levels[i].push_back(place->second);
            }
        }
    }
}

// True if closing the way back needs a verified copy: the plan makes one, or names a restore.
bool copy_needed(const Model& model, Index store) {
    const bool restorable =
        std::any_of(model.plan.ways_back.begin(), model.plan.ways_back.end(), [](const auto& way) {
            return way.kind == model::RecoveryKind::restore;
        });
    return restorable
           || std::any_of(model.actions.begin(), model.actions.end(), [&](const ActionModel& act) {
                  return std::find(act.copies.begin(), act.copies.end(), store) != act.copies.end();
              });
}

}  // namespace

void add_format_transitions(Model& model) {
    for (std::size_t i = 0; i < model.stores.size(); ++i) {
        model.stores[i].copy_needed = copy_needed(model, i);
        add_levels(model, i);
        add_axis(model, i);
        for (const std::string& release : releases_with_laws(model, i)) {
            if (model.stores[i].laws.contains(release)) {
                add_rise(model, i, release);
            }
        }
    }
}

}  // namespace drydock::checker
