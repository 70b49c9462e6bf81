// The transitions of the model: effects of actions, laws and skew rules, resolved to offsets and
// value indices.
//
// Effects on facts or stores that are not modelled are dropped. A member goes up or down by each
// action that writes its `running` fact. A restart does both.
#include "checker/site_parts.h"
#include "model/version.h"

#include <algorithm>

namespace drydock::checker {

namespace {

using model::Known;
using model::Verb;

int store_named(const Site& site, const std::string& name) {
    for (std::size_t i = 0; i < site.stores.size(); ++i) {
        if (site.stores[i].name == name) {
            return static_cast<int>(i);
        }
    }
    return -1;
}

Byte index_of(Site& site, const Json& value) {
    return site.values.index_of({value.is_null() ? Known::absent : Known::known, value, "", 0});
}

// Events are kept with the last action first: expected_up() looks for the last one that is done.
void add_turn(Site& site, std::size_t action, Place offset, Byte value) {
    for (Member& member : site.members) {
        if (member.running == offset) {
            member.turns.insert(member.turns.begin(), {action, value != k_absent});
            site.acts[action].matters_if_skipped = true;
        }
    }
}

void add_write(Site& site, std::size_t action, const model::Effect& effect) {
    const auto place = site.places.find(model::fact_key(effect.member, effect.name));
    if (place == site.places.end()) {
        return;
    }
    const Byte value = index_of(site, effect.value);
    site.acts[action].writes.push_back({place->second, value});
    site.acts[action].moves_serving |= place->second == site.serving;
    add_turn(site, action, place->second, value);
}

void add_effect(Site& site, std::size_t action, const model::Effect& effect) {
    Act& act = site.acts[action];
    if (effect.kind == "becomes") {
        add_write(site, action, effect);
        return;
    }
    const int store = store_named(site, effect.name);
    if (store < 0) {
        return;
    }
    if (effect.kind == "raises") {
        act.raises.push_back(store);
    } else if (effect.kind == "lowers") {
        act.lowers.push_back(store);
    } else if (effect.kind == "copies") {
        act.copies.push_back(store);
    } else if (effect.kind == "destroys") {
        act.destroyed.push_back(store);
    }
}

// Finds the members that an action starts or takes down: its own, and members with a `running` fact
// that it writes.
void add_moved(Site& site, std::size_t action) {
    Act& act = site.acts[action];
    const Verb verb = site.plan.actions[action].verb;
    const bool starts = verb == Verb::start || verb == Verb::restart;
    for (std::size_t i = 0; act.member >= 0 && i < site.members.size(); ++i) {
        Member& member = site.members[i];
        const auto moves =
            std::find_if(act.writes.begin(), act.writes.end(), [&](const auto& write) {
                return write.at == member.running;
            });
        const bool moved = moves != act.writes.end();
        const bool is_own = static_cast<int>(i) == act.member;
        if (starts && (is_own || moved)) {
            act.starting.push_back(static_cast<int>(i));
        }
        if ((verb == Verb::restart && (is_own || moved)) || (moved && moves->value == k_absent)) {
            act.leaving.push_back(static_cast<int>(i));
            member.downs.push_back(action);
        }
    }
    act.starts = !act.starting.empty();
    act.takes_down = !act.leaving.empty();
}

// Returns the values that mean this release.
std::uint64_t values_of_release(const Site& site, const std::string& release) {
    std::uint64_t set = 0;
    for (std::size_t i = 0; i < site.values.size(); ++i) {
        const model::Observation& value = site.values.at(static_cast<Byte>(i));
        if (value.status == Known::known && value.value.is_string()
            && value.value.as_string() == release) {
            set |= 1ULL << i;
        }
    }
    return set;
}

// True if the condition of a when_all law holds before the first action.
bool holds_at_first(const Site& site, const Rise& rise) {
    const auto& members = site.members_of[static_cast<std::size_t>(rise.role)];
    return rise.raises == model::Raises::when_all && !members.empty()
           && std::all_of(members.begin(), members.end(), [&](int index) {
                  const Place running = site.members[static_cast<std::size_t>(index)].running;
                  return running != k_nowhere && ((rise.runs >> site.first[running]) & 1U) != 0;
              });
}

// True if an instance has the format, or a later one, before the first action.
bool risen_at_first(const Site& site, const Rise& rise) {
    const auto& offsets = site.stores[static_cast<std::size_t>(rise.store)].at;
    return std::any_of(offsets.begin(), offsets.end(), [&](Place place) {
        return site.first[place] != k_no_format && site.first[place] >= rise.becomes;
    });
}

bool lists(const std::vector<std::string>& formats, const std::string& format) {
    return std::find(formats.begin(), formats.end(), format) != formats.end();
}

// True if the law closes the way back: the old release cannot read the new format, and no command
// lowers it. Only upgrades have a way back to close.
bool closes_way_back(const model::Plan& plan, const Store& store, const std::string& release) {
    const auto old_support = store.laws.find(plan.from);
    const model::StoreLaw& law = store.laws.at(release);
    return release == plan.to && old_support != store.laws.end()
           && model::compare_versions(plan.from, plan.to) < 0
           && !lists(old_support->second.reads, law.writes) && !law.lowers_on_request;
}

// The law of one release for one store. A law that holds from the start is not the fault of this
// plan.
void add_rise(Site& site, int index, const std::string& release) {
    const Store& store = site.stores[static_cast<std::size_t>(index)];
    const model::StoreLaw& law = store.laws.at(release);
    const auto format = std::find(store.formats.begin(), store.formats.end(), law.writes);
    if (law.raises == model::Raises::never || format == store.formats.end()) {
        return;
    }
    Rise rise;
    rise.store = index;
    rise.role = store.role;
    rise.raises = law.raises;
    rise.runs = values_of_release(site, release);
    rise.becomes = static_cast<Byte>(format - store.formats.begin());
    rise.closes = closes_way_back(site.plan, store, release);
    rise.from_the_start = holds_at_first(site, rise) || risen_at_first(site, rise);
    site.rises.push_back(rise);
}

// A fact of a member reports the format of its own instance, any other fact that of all instances.
void add_levels(Site& site, std::size_t index) {
    Store& store = site.stores[index];
    for (const std::string& format : store.formats) {
        store.told.push_back(index_of(site, format));
    }
    const auto& owners = site.members_of[static_cast<std::size_t>(store.role)];
    store.levels.resize(store.at.size());
    for (const std::string& key : site.plan.stores[index].levels) {
        const auto place = site.places.find(key);
        const auto source = site.plan.sources.find(key);
        const std::string owner = source == site.plan.sources.end() ? "" : source->second.member;
        for (std::size_t i = 0; place != site.places.end() && i < store.at.size(); ++i) {
            if (store.shared || owner.empty()
                || owner == site.members[static_cast<std::size_t>(owners[i])].name) {
                store.levels[i].push_back(place->second);
            }
        }
    }
}

// True if closing the way back needs a verified copy: the plan makes one, or names a restore.
bool copy_needed(const Site& site, int store) {
    const bool restorable = std::any_of(site.plan.ways_back.begin(),
                                        site.plan.ways_back.end(),
                                        [](const auto& way) { return way.kind == "restore"; });
    return restorable || std::any_of(site.acts.begin(), site.acts.end(), [&](const Act& act) {
               return std::find(act.copies.begin(), act.copies.end(), store) != act.copies.end();
           });
}

}  // namespace

void add_effects(Site& site) {
    for (std::size_t i = 0; i < site.acts.size(); ++i) {
        const model::Action& action = site.plan.actions[i];
        for (const model::Effect& effect : action.effects) {
            add_effect(site, i, effect);
        }
        Act& act = site.acts[i];
        add_moved(site, i);
        act.restores = action.verb == Verb::restore;
        act.destroys = action.verb == Verb::destroy || !act.destroyed.empty();
        act.moves_world = act.ran != k_nowhere || act.starts || act.restores || act.destroys
                          || !act.writes.empty() || !act.raises.empty() || !act.lowers.empty()
                          || !act.copies.empty();
        if (action.returns_here) {
            act.matters_if_skipped = true;
            site.return_gates.push_back(i);
        }
    }
}

void add_rises(Site& site) {
    for (std::size_t i = 0; i < site.stores.size(); ++i) {
        const int index = static_cast<int>(i);
        site.stores[i].copy_needed = copy_needed(site, index);
        add_levels(site, i);
        for (const std::string& release : {site.plan.from, site.plan.to}) {
            if (site.stores[i].laws.contains(release)) {
                add_rise(site, index, release);
            }
        }
    }
}

// A rule concerns two pairs of releases: the newer one in one role beside the older one in the
// other, and the reverse. If the release lines are too far apart, both pairs are forbidden. Else
// only the newer release of the first role may be.
void add_skews(Site& site) {
    const auto role_named = [&](const std::string& name) {
        const auto position = std::find(site.roles.begin(), site.roles.end(), name);
        return position == site.roles.end() ? -1 : static_cast<int>(position - site.roles.begin());
    };
    for (const model::SkewRule& rule : site.plan.skew) {
        const int role = role_named(rule.role);
        const int other_role = role_named(rule.with);
        for (const bool newer : {false, true}) {
            const bool forward = model::compare_versions(site.plan.from, site.plan.to) < 0;
            const std::string& release = newer == forward ? site.plan.to : site.plan.from;
            const std::string& other_release = newer == forward ? site.plan.from : site.plan.to;
            const bool apart = site.plan.series_apart > rule.series_apart;
            if (role >= 0 && other_role >= 0 && (apart || (newer && !rule.newer))) {
                site.skews.push_back({role,
                                      other_role,
                                      values_of_release(site, release),
                                      values_of_release(site, other_release),
                                      &rule});
            }
        }
    }
}

}  // namespace drydock::checker
