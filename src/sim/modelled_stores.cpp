// Formats of the modelled stores: who reads them, and how they change.
//
// The checker has the same rules in its own words; the two share no code. A level fact is the truth
// about a format: a promise of an action may set it, too.
#include "sim/modelled_stores.h"

#include "model/version.h"

#include <algorithm>

namespace drydock::sim {

namespace {

using model::PlanStore;

// A level may be the format itself, or a version in the release line of the format.
bool is_of_format(const std::string& level, const std::string& format) {
    return level == format || model::version_in_series(level, format);
}

bool lists(const std::vector<std::string>& formats, const std::string& level) {
    return std::any_of(formats.begin(), formats.end(), [&](const std::string& format) {
        return is_of_format(level, format);
    });
}

bool is_in(const std::vector<std::string>& formats, const std::string& format) {
    return std::find(formats.begin(), formats.end(), format) != formats.end();
}

bool is_same_release(const std::string& a, const std::string& b) {
    return a == b || model::version_in_series(a, b) || model::version_in_series(b, a);
}

}  // namespace

ModelledStores::ModelledStores(const model::Plan& plan, FactValues& values)
    : plan_(plan)
    , values_(values) {
    for (const PlanStore& store : plan.stores) {
        std::vector<StoreInstance>& instances = instances_[store.name];
        const auto owners = plan.roster()[store.role];
        if (store.shared || owners.empty()) {
            instances.push_back({.owner = "", .format = first_format(store)});
        }
        for (std::size_t i = 0; !store.shared && i < owners.size(); ++i) {
            instances.push_back({.owner = owners[i], .format = first_format(store)});
        }
    }
}

const PlanStore* ModelledStores::find(const std::string& store) const {
    const auto entry =
        std::find_if(plan_.stores.begin(), plan_.stores.end(), [&](const PlanStore& candidate) {
            return candidate.name == store;
        });
    return entry == plan_.stores.end() ? nullptr : &*entry;
}

void ModelledStores::for_each_of(const std::string& store, const Each& visit) {
    const PlanStore* plan_store = find(store);
    for (std::size_t i = 0; plan_store != nullptr && i < instances_[store].size(); ++i) {
        visit(*plan_store, instances_[store][i]);
    }
}

// Only the leader opens a store that is the leader's.
void ModelledStores::for_each(const StoreReader& reader, const Each& visit) {
    for (const PlanStore& store : plan_.stores) {
        const auto& roles = store.opened_by;
        if (std::find(roles.begin(), roles.end(), reader.role) == roles.end()
            || (store.leader_only && !reader.leads)) {
            continue;
        }
        for (StoreInstance& instance : instances_[store.name]) {
            const bool is_others = store.role == reader.role && !instance.owner.empty()
                                   && instance.owner != reader.member;
            if (!is_others) {
                visit(store, instance);
            }
        }
    }
}

// The initial format of a store without level facts. A release that raises on start, or never, has
// written its own; so has one with a format that the target can read, and one that cannot open the
// target's.
std::string ModelledStores::first_format(const PlanStore& store) const {
    const auto old_support = store.laws.find(plan_.from_version);
    const auto new_support = store.laws.find(plan_.to_version);
    if (old_support == store.laws.end() || new_support == store.laws.end()) {
        return old_support != store.laws.end() ? old_support->second.writes : "";
    }
    const auto& readable = new_support->second.reads;
    const bool risen = old_support->second.trigger == model::FormatTrigger::on_start
                       || old_support->second.trigger == model::FormatTrigger::never
                       || is_in(readable, old_support->second.writes)
                       || (!is_in(old_support->second.reads, new_support->second.writes)
                           && !is_in(old_support->second.starts_on, new_support->second.writes));
    return risen ? old_support->second.writes : new_support->second.writes;
}

// A fact of a member tells the format of its own instance, any other fact that of all. A derived
// fact has no value of its own, so its inputs stand for it.
std::vector<std::string> ModelledStores::level_keys(const PlanStore& store,
                                                    const std::string& owner) const {
    std::vector<std::string> keys;
    const auto add = [&](const std::string& key) {
        const auto source = plan_.sources.find(key);
        const std::string teller = source == plan_.sources.end() ? "" : source->second.member;
        if (teller.empty() || owner.empty() || teller == owner) {
            keys.push_back(key);
        }
    };
    for (const std::string& key : store.levels) {
        const auto source = plan_.sources.find(key);
        if (source != plan_.sources.end() && source->second.is_derived()) {
            std::for_each(source->second.inputs.begin(), source->second.inputs.end(), add);
        } else {
            add(key);
        }
    }
    return keys;
}

// Returns the format that these facts tell; empty: none does.
std::string ModelledStores::told_by(const std::vector<std::string>& keys) const {
    std::string format;
    for (const std::string& key : keys) {
        const auto level = values_.find(key);
        if (level != values_.end() && !level->second.is_null()) {
            format = level->second.is_string() ? level->second.as_string() : level->second.show();
        }
    }
    return format;
}

// A fact of the system follows any instance, so it tells the format of a member's own only at
// first.
std::string ModelledStores::format_of(const PlanStore& store, const StoreInstance& instance) const {
    std::vector<std::string> keys = level_keys(store, instance.owner);
    std::erase_if(keys, [&](const std::string& key) {
        const auto source = plan_.sources.find(key);
        return !instance.owner.empty()
               && (source == plan_.sources.end() || source->second.member != instance.owner);
    });
    const std::string format = told_by(keys);
    return format.empty() ? instance.format : format;
}

void ModelledStores::read_levels() {
    for (const PlanStore& store : plan_.stores) {
        for (StoreInstance& instance : instances_[store.name]) {
            const auto keys = level_keys(store, instance.owner);
            const std::string format = told_by(keys);
            const std::string seen = format.empty() ? seen_by(keys) : format;
            instance.format = seen.empty() ? instance.format : seen;
            if (seen.empty() && !store.read_by.empty()) {
                instance.format = written_by_axis(store, instance.owner);
            }
        }
    }
}

// Returns the format that these facts told when the plan was made: a plan may hold them without
// being bound to them.
std::string ModelledStores::seen_by(const std::vector<std::string>& keys) const {
    for (const std::string& key : keys) {
        const auto level = plan_.survey_facts.find(key);
        if (level != plan_.survey_facts.end()
            && level->second.status == model::ObservationStatus::known) {
            return level->second.value.is_string() ? level->second.value.as_string()
                                                   : level->second.value.show();
        }
    }
    return {};
}

// Returns the place of the format among those of the store; their number if it is not among them.
std::size_t ModelledStores::rank_of(const PlanStore& store, const std::string& format) const {
    const auto entry =
        std::find_if(store.formats.begin(), store.formats.end(), [&](const std::string& known) {
            return is_of_format(format, known);
        });
    return static_cast<std::size_t>(entry - store.formats.begin());
}

bool ModelledStores::has_reached(const PlanStore& store,
                                 const StoreInstance& instance,
                                 const std::string& format) const {
    const std::string now = format_of(store, instance);
    const std::size_t rank = rank_of(store, now);
    const std::size_t wanted = rank_of(store, format);
    const bool is_ranked = rank < store.formats.size() && wanted < store.formats.size();
    return !instance.is_destroyed && !now.empty()
           && (is_ranked ? rank >= wanted : is_of_format(now, format));
}

bool ModelledStores::any_has_reached(const std::string& store, const std::string& format) const {
    const PlanStore* plan_store = find(store);
    const auto entry = instances_.find(store);
    return plan_store != nullptr
           && std::any_of(entry->second.begin(), entry->second.end(), [&](const auto& instance) {
                  return has_reached(*plan_store, instance, format);
              });
}

bool ModelledStores::can_rise(const std::string& store, const std::string& format) const {
    const PlanStore* plan_store = find(store);
    const auto entry = instances_.find(store);
    return plan_store != nullptr
           && std::any_of(entry->second.begin(), entry->second.end(), [&](const auto& instance) {
                  return !instance.is_destroyed && !has_reached(*plan_store, instance, format);
              });
}

// Keeps the level facts equal to the format. A number stays a number.
void ModelledStores::tell(const PlanStore& store,
                          StoreInstance& instance,
                          const std::optional<std::string>& format) {
    instance.is_destroyed = !format;
    instance.format = format.value_or("");
    for (const std::string& key : level_keys(store, instance.owner)) {
        const auto source = plan_.sources.find(key);
        const bool is_number = format && source != plan_.sources.end()
                               && source->second.type == model::FactType::integer;
        const auto number = is_number ? Json::parse(*format) : Result<Json>(Json());
        values_[key] = !format ? Json() : is_number && number ? *number : Json(*format);
    }
}

void ModelledStores::raise(const PlanStore& store,
                           StoreInstance& instance,
                           const std::string& format) {
    if (!instance.is_destroyed && !has_reached(store, instance, format)) {
        tell(store, instance, format);
    }
}

void ModelledStores::make_anew(const std::string& store,
                               const std::string& member,
                               const std::string& format,
                               const std::string& series) {
    for_own(store, member, [&](const PlanStore& plan_store, StoreInstance& instance) {
        if (instance.is_destroyed && has_law(plan_store, instance, series)) {
            tell(plan_store, instance, format);
        }
    });
}

void ModelledStores::write(const std::string& store,
                           const std::string& member,
                           const std::string& format) {
    for_own(store, member, [&](const PlanStore& plan_store, StoreInstance& instance) {
        if (!instance.is_destroyed) {
            tell(plan_store, instance, format);
        }
    });
}

void ModelledStores::raise_own(const std::string& store,
                               const std::string& member,
                               const std::string& format,
                               const std::string& series) {
    for_own(store, member, [&](const PlanStore& plan_store, StoreInstance& instance) {
        if (has_law(plan_store, instance, series)) {
            raise(plan_store, instance, format);
        }
    });
}

// Visits the instance of the member, or all instances if it has none of its own.
void ModelledStores::for_own(const std::string& store,
                             const std::string& member,
                             const Each& visit) {
    std::size_t index = 0;
    for_each_of(store, [&](const PlanStore& plan_store, StoreInstance& instance) {
        if (is_of(store, index++, member)) {
            visit(plan_store, instance);
        }
    });
}

std::string ModelledStores::release_of(const PlanStore& store, const StoreReader& reader) const {
    if (store.read_by.empty()) {
        return reader.release;
    }
    const auto release = values_.find(model::fact_key(reader.member, store.read_by));
    return release == values_.end() || release->second.is_null() ? "" : release->second.as_string();
}

// A format or a release that the pack does not name is readable.
bool ModelledStores::may_open(const PlanStore& store,
                              const StoreInstance& instance,
                              const StoreReader& reader,
                              bool starts) const {
    const auto law = store.laws.find(release_of(store, reader));
    const std::string format = format_of(store, instance);
    if (instance.is_destroyed && format.empty()) {
        return false;
    }
    return law == store.laws.end() || format.empty()
           || (!store.formats.empty() && rank_of(store, format) == store.formats.size())
           || lists(law->second.reads, format) || (starts && lists(law->second.starts_on, format));
}

bool ModelledStores::is_left_unclean(const PlanStore& store,
                                     const StoreInstance& instance,
                                     const std::string& release) const {
    return !store.clean_stop.empty() && !instance.unclean_by.empty()
           && !is_same_release(instance.unclean_by, release);
}

bool ModelledStores::can_start(const StoreReader& reader) {
    bool can = true;
    for_each(reader, [&](const PlanStore& store, const StoreInstance& instance) {
        can = can && may_open(store, instance, reader, true)
              && !is_left_unclean(store, instance, release_of(store, reader));
    });
    return can;
}

bool ModelledStores::misreads(const StoreReader& reader, bool has_clients) {
    bool is_unreadable = false;
    for_each(reader, [&](const PlanStore& store, const StoreInstance& instance) {
        is_unreadable = is_unreadable || !may_open(store, instance, reader, !has_clients);
    });
    return is_unreadable;
}

// The fact of a clean stop follows.
void ModelledStores::set_clean(const PlanStore& store,
                               StoreInstance& instance,
                               const std::string& by) {
    instance.unclean_by = by;
    for (const std::string& key : store.clean_stop) {
        const auto source = plan_.sources.find(key);
        const std::string teller = source == plan_.sources.end() ? "" : source->second.member;
        if (teller.empty() || instance.owner.empty() || teller == instance.owner) {
            values_[key] = by.empty();
        }
    }
}

void ModelledStores::note_running(const StoreReader& reader) {
    for_each(reader, [&](const PlanStore& store, StoreInstance& instance) {
        if (!store.clean_stop.empty() && store.role == reader.role) {
            set_clean(store, instance, release_of(store, reader));
        }
    });
}

void ModelledStores::note_stopped(const StoreReader& reader) {
    for_each(reader, [&](const PlanStore& store, StoreInstance& instance) {
        if (!store.clean_stop.empty() && store.role == reader.role) {
            set_clean(store, instance, "");
        }
    });
}

bool ModelledStores::tells_own_clean(const std::string& key, const std::string& member) const {
    const auto source = plan_.sources.find(key);
    return source != plan_.sources.end() && source->second.member == member
           && std::any_of(plan_.stores.begin(), plan_.stores.end(), [&](const PlanStore& store) {
                  return !store.shared && store.opened_by.size() <= 1
                         && is_in(store.clean_stop, key);
              });
}

void ModelledStores::clean_own(const std::string& member) {
    for (const PlanStore& store : plan_.stores) {
        for (StoreInstance& instance : instances_[store.name]) {
            if (instance.owner == member) {
                set_clean(store, instance, "");
            }
        }
    }
}

bool ModelledStores::is_of(const std::string& store,
                           std::size_t index,
                           const std::string& member) const {
    const auto& instances = instances_.at(store);
    const bool has_own =
        !member.empty()
        && std::any_of(instances.begin(), instances.end(), [&](const StoreInstance& instance) {
               return instance.owner == member;
           });
    return !has_own || instances[index].owner == member;
}

}  // namespace drydock::sim
