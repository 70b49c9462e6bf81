#include "reference/world.h"

#include "base/check.h"
#include "model/version.h"
#include "reference/laws.h"
#include "reference/members.h"
#include "reference/stores.h"
#include "run/run.h"

#include <algorithm>

namespace drydock::reference {

namespace {

using model::Observation;
using model::ObservationStatus;

const Observation* told(const model::FactBook& book, const std::string& key) {
    const auto it = book.find(key);
    return it == book.end() || it->second.status == ObservationStatus::unknown ? nullptr
                                                                               : &it->second;
}

}  // namespace

int index_in(const std::vector<std::string>& names, const std::string& name) {
    const auto it = std::find(names.begin(), names.end(), name);
    return it == names.end() ? -1 : static_cast<int>(it - names.begin());
}

Model::Model(const model::Plan& of, const Origin* origin)
    : plan(of)
    , program(of)
    , is_way_back(origin != nullptr) {
    name_facts(origin);
    name_stores(origin);
    name_rises();
    run::State state(plan.actions.size());
    run::apply(program, state, {run::EventType::conductor_started});
    keep(first, state);
}

const Observation* Model::first_value(const std::string& key, const Origin* origin) const {
    if (origin != nullptr) {
        if (const Observation* found = told(origin->facts, key)) {
            return found;
        }
        const auto& moved = origin->modelled;
        if (std::find(moved.begin(), moved.end(), key) != moved.end()) {  // left open
            return &origin->facts.at(key);
        }
    }
    const Observation* planned = told(plan.bound_facts, key);
    return planned != nullptr ? planned : told(plan.survey_facts, key);
}

int Model::index_of(const Observation& value) {
    for (std::size_t i = 0; i < values_.size(); ++i) {
        if (values_[i].status == value.status && values_[i].value == value.value) {
            return static_cast<int>(i);
        }
    }
    values_.push_back({value.status, value.value, "the model", 0});
    return static_cast<int>(values_.size()) - 1;
}

// Laws of stores and the end of a plan look at facts that perhaps no step moves.
void Model::add_store_keys(std::set<std::string>& keys) const {
    for (const model::PlanStore& store : plan.stores) {
        keys.insert(store.levels.begin(), store.levels.end());
        keys.insert(store.clean_stop.begin(), store.clean_stop.end());
        for (const std::string& member : plan.members()) {
            if (!store.read_by.empty()) {
                keys.insert(model::fact_key(member, store.read_by));
            }
        }
    }
}

std::set<std::string> Model::keys_modelled(const Origin* origin) const {
    std::set<std::string> keys;
    for (const auto& [key, source] : plan.sources) {
        if (source.standard_fact != model::StandardFact::none) {
            keys.insert(key);
        }
    }
    for (const model::Action& action : plan.actions) {
        for (const auto* effects : {&action.effects, &action.meanwhile}) {
            for (const model::Effect& effect : *effects) {
                const bool comes_back =
                    effects == &action.meanwhile && effect.kind == model::EffectKind::changes;
                if (effect.kind == model::EffectKind::becomes || comes_back) {
                    keys.insert(model::fact_key(effect.member, effect.name));
                }
            }
        }
    }
    for (const model::TemporaryFact& fact : plan.temporaries) {
        keys.insert(fact.key);
    }
    add_store_keys(keys);
    if (origin != nullptr) {
        keys.insert(origin->modelled.begin(), origin->modelled.end());
    }
    return keys;
}

void Model::name_facts(const Origin* origin) {
    for (const std::string& key : keys_modelled(origin)) {
        if (const Observation* value = first_value(key, origin)) {
            places_[key] = first.facts.size();
            first.facts.push_back(index_of(*value));
            const auto source = plan.sources.find(key);
            owners_[key] = source == plan.sources.end() ? "" : source->second.member;
        }
    }
    name_standard_facts();
}

void Model::name_standard_facts() {
    for (const auto& [key, source] : plan.sources) {
        const bool service = source.probe["kind"].as_string() == "service";
        if (has(key) && service) {
            standard_.emplace(std::pair(source.member, "service"), key);
        }
        if (has(key) && source.standard_fact != model::StandardFact::none) {
            standard_.emplace(std::pair(source.member, std::string(name_of(source.standard_fact))),
                              key);
        }
    }
}

void Model::name_stores(const Origin* origin) {
    if (origin != nullptr) {
        first.stores = origin->stores;
    }
    for (const model::PlanStore& store : plan.stores) {
        first.stores.copies.try_emplace(store.name, Copy::none);
        for (const std::string& instance : instances(store)) {
            const bool own = instance != store.name;
            const std::string member = own ? instance.substr(store.name.size() + 1) : "";
            if (!first.stores.formats.contains(instance)) {
                first.stores.formats[instance] = first_format(store, member, origin);
            }
        }
    }
    if (origin == nullptr) {
        name_stores_left();
    }
}

// Who left a store unclean, and who stopped before the others, is not seen: the worst is assumed.
void Model::name_stores_left() {
    for (const model::PlanStore& store : plan.stores) {
        for (const std::string& instance : instances(store)) {
            for (const std::string& key : keys_about(instance, store.clean_stop)) {
                if (is(first, key, Json(false))) {
                    first.stores.left[instance] = plan.from_version;
                }
            }
        }
    }
    note_who_runs(*this, first);
    note_stale_at_first(*this, first);
}

// The level tells it, else what wrote it last.
int Model::first_format(const model::PlanStore& store,
                        const std::string& member,
                        const Origin* origin) const {
    for (const std::string& key : store.levels) {
        const auto source = plan.sources.find(key);
        const bool other =
            !member.empty() && source != plan.sources.end() && source->second.member != member;
        const Observation* level = other ? nullptr : first_value(key, origin);
        for (int i = static_cast<int>(store.formats.size()) - 1; level != nullptr && i >= 0; --i) {
            const std::string& format = store.formats[static_cast<std::size_t>(i)];
            if (model::version_in_series(level->value.show(), format)) {
                return i;
            }
        }
    }
    return index_in(store.formats, last_writer(store, member, origin));
}

// What the release of the axis writes that the member has. Members that share a store may have
// releases that differ: then nobody knows.
std::string Model::written_by_axis(const model::PlanStore& store,
                                   const std::string& member,
                                   const Origin* origin) const {
    std::set<std::string> formats;
    for (const std::string& one : members_of(store.role)) {
        const Observation* release = first_value(model::fact_key(one, store.read_by), origin);
        if (member.empty() || member == one) {
            const auto law = store.laws.find(release == nullptr ? "" : release->value.show());
            formats.insert(law == store.laws.end() ? "" : law->second.writes);
        }
    }
    return formats.size() == 1 ? *formats.begin() : "";
}

// Who converts at its start has done so if it runs. A format that the release that is left wrote
// only on request, and that the other one cannot read, was not written.
std::string Model::last_writer(const model::PlanStore& store,
                               const std::string& member,
                               const Origin* origin) const {
    if (!store.read_by.empty()) {
        return written_by_axis(store, member, origin);
    }
    const auto from = store.laws.find(plan.from_version);
    const auto to = store.laws.find(plan.to_version);
    if (from == store.laws.end() || to == store.laws.end()) {
        return from == store.laws.end() ? "" : from->second.writes;
    }
    for (const auto& [key, source] : plan.sources) {
        const bool asked = source.standard_fact == model::StandardFact::running
                           && (member.empty() || source.member == member);
        const Observation* value = asked ? first_value(key, origin) : nullptr;
        if (value != nullptr && value->value.show() == plan.to_version
            && to->second.trigger == model::FormatTrigger::on_start) {
            return to->second.writes;
        }
    }
    const bool by_itself = from->second.trigger == model::FormatTrigger::on_start
                           || from->second.trigger == model::FormatTrigger::never;
    const bool readable = index_in(to->second.reads, from->second.writes) >= 0;
    const bool opens_other = index_in(from->second.reads, to->second.writes) >= 0
                             || index_in(from->second.starts_on, to->second.writes) >= 0;
    return by_itself || readable || !opens_other ? from->second.writes : to->second.writes;
}

void Model::name_rises() {
    for (const model::PlanStore& store : plan.stores) {
        for (const auto& [release, law] : store.laws) {
            const bool asked = !store.read_by.empty() || release == plan.from_version
                               || release == plan.to_version;
            const int becomes = index_in(store.formats, law.writes);
            if (!asked || becomes < 0 || law.trigger == model::FormatTrigger::never) {
                continue;
            }
            Rise rise = {&store, &law, release, becomes, false};
            const bool closes = release == plan.to_version && closes_way_back(plan, store);
            const bool at_first = holds(*this, rise, first) || is_risen(*this, rise, first);
            rise.closes = closes && !at_first;
            closed_at_first = closed_at_first || (closes && at_first);
            rises.push_back(rise);
        }
    }
}

const Observation& Model::value(const World& world, const std::string& key) const {
    return values_[static_cast<std::size_t>(world.facts[places_.at(key)])];
}

void Model::set(World& world, const std::string& key, const Observation& value) {
    if (const auto place = places_.find(key); place != places_.end()) {
        world.facts[place->second] = index_of(value);
    }
}

void Model::set(World& world, const std::string& key, const Json& value) {
    set(world,
        key,
        Observation{
            value.is_null() ? ObservationStatus::absent : ObservationStatus::known, value, "", 0});
}

const std::string& Model::key_of(const std::string& member, const std::string& standard) const {
    static const std::string k_none;
    const auto key = standard_.find({member, standard});
    return key == standard_.end() ? k_none : key->second;
}

std::string Model::runs(const World& world, const std::string& member) const {
    const std::string& key = key_of(member, "running");
    return key.empty() ? "" : value(world, key).value.as_string();
}

bool Model::is_up(const World& world, const std::string& member) const {
    const std::string& key = key_of(member, "running");
    return !key.empty() && value(world, key).status == ObservationStatus::known;
}

bool Model::is_down(const World& world, const std::string& member) const {
    return !key_of(member, "running").empty() && !is_up(world, member);
}

bool Model::is(const World& world, const std::string& key, const Json& expected) const {
    return has(key) && value(world, key).status == ObservationStatus::known
           && value(world, key).value == expected;
}

const std::vector<std::string>& Model::members_of(const std::string& role) const {
    static const std::vector<std::string> k_nobody;
    for (const model::PlanRole& one : plan.roles) {
        if (one.name == role) {
            return one.members;
        }
    }
    return k_nobody;
}

std::string Model::role_of(const std::string& member) const {
    for (const model::PlanRole& role : plan.roles) {
        if (index_in(role.members, member) >= 0) {
            return role.name;
        }
    }
    return {};
}

std::string Model::host_of(const std::string& member) const {
    const auto host = plan.member_hosts.find(member);
    return host == plan.member_hosts.end() ? member : host->second;
}

std::vector<std::string> Model::instances(const model::PlanStore& store) const {
    if (store.shared) {
        return {store.name};
    }
    std::vector<std::string> names;
    for (const std::string& member : members_of(store.role)) {
        names.push_back(store.name + "/" + member);
    }
    return names;
}

std::vector<std::string> Model::keys_about(const std::string& instance,
                                           const std::vector<std::string>& keys) const {
    const auto slash = instance.find('/');
    const std::string owner = slash == std::string::npos ? "" : instance.substr(slash + 1);
    std::vector<std::string> found;
    for (const std::string& key : keys) {
        const auto source = plan.sources.find(key);
        const std::string whose = source == plan.sources.end() ? "" : source->second.member;
        if (whose.empty() || owner.empty() || whose == owner) {
            found.push_back(key);
        }
    }
    return found;
}

bool Model::is_away(const World& world, const std::string& member) const {
    return !member.empty() && world.away.contains(host_of(member));
}

run::State Model::state(const World& world) const {
    run::State state;
    state.set_cells(world.run);
    return state;
}

// How often something was begun before is nobody's concern, and how often it failed only as long
// as it may be tried again: else a run that is resumed again and again would never be the same.
void Model::keep(World& world, const run::State& state) const {
    using run::Status;
    run::State plain = state;
    for (std::size_t i = 0; i < plan.actions.size(); ++i) {
        const Status status = state.status(i);
        const bool over = is_over(status) || has_failed(status);
        const bool flies = status == Status::intended || status == Status::lost;
        world.closed = world.closed
                       || (state.begun(i) > 0 && !flies && closes_for_good(plan, plan.actions[i]));
        plain.set(i, status, over ? 0 : state.failures(i), flies ? 1 : 0);
    }
    world.run.assign(plain.cells().begin(), plain.cells().end());
}

void Model::leave_open(World& world, const std::string& key) {
    set(world, key, Observation{});
}

bool Model::is_open(const World& world, const std::string& key) const {
    return has(key) && value(world, key).status == ObservationStatus::unknown;
}

model::FactBook Model::survey(const World& world) const {
    model::FactBook book = plan.survey_facts;
    for (const auto& [key, value] : plan.bound_facts) {
        book[key] = value;
    }
    for (const auto& [key, place] : places_) {
        book[key] = value(world, key);
    }
    return book;
}

}  // namespace drydock::reference
