// A plan becomes a model: the layout of the row and the initial state.
//
// The order of the row: phase, then all that belongs to the system (actions, facts, stores), then
// one block a member, then the fault usage. Within a block the order of the bytes follows the plan,
// so blocks of interchangeable members correspond byte by byte. initial_values.h has the initial
// values.
#include "checker/model.h"

#include "base/check.h"
#include "checker/cluster_effects.h"
#include "checker/initial_values.h"
#include "checker/model_builder.h"
#include "model/effect_kinds.h"
#include "run/return_point.h"
#include "run/run.h"

#include <algorithm>
#include <set>

namespace drydock::checker {

namespace {

using model::Observation;
using model::ObservationStatus;
using model::Plan;

// True if an action brings back the format that a copy has.
bool has_restores(const Plan& plan) {
    const auto restores = [](const model::Effect& effect) {
        return effect.kind == model::EffectKind::restores;
    };
    return std::any_of(plan.actions.begin(), plan.actions.end(), [&](const model::Action& action) {
        return action.verb == model::Verb::restore
               || std::any_of(action.effects.begin(), action.effects.end(), restores);
    });
}

// Assigns offsets, and records the initial value at each.
class Layout {
public:
    Layout(Model& model, const InitialState* start)
        : model_(model)
        , start_(start)
        , initial_(model, start)
        , has_restores_(has_restores(model.plan)) {}

    void run() {
        add(0);  // the phase
        name_members();
        name_actions();
        name_facts();
        place_owned_by(k_no_index);
        place_stores();
        model_.new_writes = add(start_ != nullptr && start_->new_writes ? 1 : 0);
        place_closed();
        for (std::size_t i = 0; i < model_.members.size(); ++i) {
            Member& member = model_.members[i];
            member.block = model_.size;
            place_owned_by(i);
            place_stores_of(i);
            member.unreachable = add(0);
            member.size = model_.size - member.block;
        }
        model_.fault_usage = model_.size;
        for (std::size_t i = 0; i < k_fault_usage_size; ++i) {
            add(0);
        }
    }

private:
    Offset add(Byte first) {
        model_.initial.push_back(first);
        return model_.size++;
    }

    void name_members() {
        const Plan& plan = model_.plan;
        for (const model::PlanRole& role : plan.roles) {
            const Index index = model_.roles.size();
            model_.roles.push_back(role.name);
            model_.quorum.push_back(plan.kind == "rolling" ? role.quorum : 0);
            model_.restarts.push_back(role.restarts);
            model_.ready_with.push_back(role.ready_with);
            model_.members_of.emplace_back();
            for (const std::string& name : role.members) {
                model_.members_of.back().push_back(model_.members.size());
                Member member;
                member.name = name;
                member.role = index;
                member.host = host_of(name);
                index_.emplace(name, model_.members.size());
                model_.members_on[member.host].push_back(model_.members.size());
                model_.members.push_back(std::move(member));
            }
        }
    }

    Index host_of(const std::string& member) {
        const auto entry = model_.plan.member_hosts.find(member);
        const std::string host = entry == model_.plan.member_hosts.end() ? member : entry->second;
        Index index = index_in(model_.hosts, host);
        if (index == k_no_index) {
            index = model_.hosts.size();
            model_.hosts.push_back(host);
            model_.members_on.emplace_back();
        }
        return index;
    }

    [[nodiscard]] Index member_of(const std::string& name) const {
        const auto entry = index_.find(name);
        return entry == index_.end() ? k_no_index : entry->second;
    }

    void name_actions() {
        for (std::size_t i = 0; i < model_.plan.actions.size(); ++i) {
            actions_[member_of(model_.plan.actions[i].member)].push_back(i);
        }
    }

    // Collects the modelled facts by member. The state of a member's service is among them: a death
    // changes it, even if no step of the plan does.
    void name_facts() {
        std::set<std::string> keys;
        for (const auto& [key, source] : model_.plan.sources) {
            if (model::is_modelled(source) || source.probe["kind"].as_string() == "service") {
                keys.insert(keys.end(), key);  // they come in order
            }
        }
        for (const model::Action& action : model_.plan.actions) {
            add_changed_facts(action.effects, keys);
            add_changed_facts(action.meanwhile, keys);
            add_open_meanwhile(action, keys);
        }
        for (const model::PlanStore& store : model_.plan.stores) {
            keys.insert(store.levels.begin(), store.levels.end());
            keys.insert(store.clean_stop.begin(), store.clean_stop.end());
            add_axis_facts(store, keys);
        }
        for (const model::TemporaryFact& fact : model_.plan.temporaries) {
            keys.insert(fact.key);
        }
        if (start_ != nullptr) {
            keys.insert(start_->modelled.begin(), start_->modelled.end());
        }
        for (const std::string& key : keys) {
            if (initial_.fact(key) != nullptr) {
                const auto source = model_.plan.sources.find(key);
                const bool has_source = source != model_.plan.sources.end();
                facts_[has_source ? member_of(source->second.member) : k_no_index].push_back(key);
            }
        }
    }

    static void add_changed_facts(const std::vector<model::Effect>& effects,
                                  std::set<std::string>& keys) {
        for (const model::Effect& effect : effects) {
            if (effect.kind == model::EffectKind::becomes) {
                keys.insert(model::fact_key(effect.member, effect.name));
            }
        }
    }

    // What a step leaves open only while it is under way is as before when it has ended well.
    static void add_open_meanwhile(const model::Action& action, std::set<std::string>& keys) {
        for (const model::Effect& effect : action.meanwhile) {
            if (effect.kind == model::EffectKind::changes) {
                keys.insert(model::fact_key(effect.member, effect.name));
            }
        }
    }

    void add_axis_facts(const model::PlanStore& store, std::set<std::string>& keys) const {
        for (const Member& member : model_.members) {
            if (!store.read_by.empty()) {
                keys.insert(model::fact_key(member.name, store.read_by));
            }
        }
    }

    // Reserves the byte that says whether an action that closes the way back has begun. Statuses do
    // not tell that: an action that failed waits again behind a resume. Without a gate nobody asks.
    void place_closed() {
        const auto& actions = model_.plan.actions;
        const bool has_gate = std::any_of(actions.begin(), actions.end(), [](const auto& action) {
            return action.is_point_of_no_return;
        });
        for (std::size_t i = 0; has_gate && i < actions.size(); ++i) {
            model_.actions[i].closes = run::closes_way_back(model_.plan, actions[i]);
        }
        model_.closed = has_gate ? add(0) : k_no_offset;
    }

    // An unrepeatable action has a second byte: whether it has run. So a repeat is noticed.
    void place_owned_by(Index member) {
        for (const std::size_t i : actions_[member]) {
            const model::Action& action = model_.plan.actions[i];
            ActionModel& act = model_.actions[i];
            act.member = member;
            model_.cells[i] = add(0);
            if (action.repeatable == model::Repeatable::no && !action.request.is_null()) {
                act.ran = add(0);
            }
            place_half_done(action, act);
        }
        for (const std::string& key : facts_[member]) {
            const Offset place = add(first_value(key));
            model_.offsets[key] = place;
            bind(key, member, place);
        }
    }

    // The other plan may have left the value open.
    Byte first_value(const std::string& key) {
        const Observation& value = *initial_.fact(key);
        return value.status == ObservationStatus::unknown ? open_value(model_)
                                                          : model_.values.index_of(value);
    }

    // Reserves a byte for each value that comes back when the action ends.
    void place_half_done(const model::Action& action, ActionModel& act) {
        for (const model::Effect& effect : action.meanwhile) {
            const Index count = model::is_about_fact(effect.kind) ? 1 : instances_of(effect);
            for (Index i = 0; i < count; ++i) {
                act.meanwhile.push_back({.saved = add(0)});
            }
        }
    }

    // Returns how many instances of a store a half-done effect is about.
    [[nodiscard]] Index instances_of(const model::Effect& effect) const {
        const bool converts = model::converts(effect.kind);
        for (const model::PlanStore& store : model_.plan.stores) {
            const Index role = index_in(model_.roles, store.role);
            if (store.name == effect.name && role != k_no_index) {
                const Index owner = converts && !effect.own ? k_no_index : member_of(effect.member);
                const bool is_own = owner != k_no_index && model_.members[owner].role == role;
                return store.shared || is_own ? 1 : model_.members_of[role].size();
            }
        }
        return 0;
    }

    // Records which facts are standard facts, since starts, stops and deaths change them.
    void bind(const std::string& key, Index member, Offset place) {
        const auto source = model_.plan.sources.find(key);
        if (source == model_.plan.sources.end()) {
            return;
        }
        const model::StandardFact binds = source->second.standard_fact;
        if (member == k_no_index) {
            model_.serving = binds == model::StandardFact::serving ? place : model_.serving;
            model_.writes = binds == model::StandardFact::writes ? place : model_.writes;
            return;
        }
        Member& member_model = model_.members[member];
        member_model.installed =
            binds == model::StandardFact::installed ? place : member_model.installed;
        member_model.ready = binds == model::StandardFact::ready ? place : member_model.ready;
        member_model.leads = binds == model::StandardFact::leads ? place : member_model.leads;
        member_model.voter = binds == model::StandardFact::voter ? place : member_model.voter;
        member_model.service =
            source->second.probe["kind"].as_string() == "service" ? place : member_model.service;
        if (binds == model::StandardFact::running) {
            const Observation* planned = known_fact(model_.plan.bound_facts, key);
            member_model.running = place;
            member_model.up_at_first =
                planned == nullptr || planned->status == ObservationStatus::known;
        }
    }

    void place_stores() {
        for (const model::PlanStore& plan_store : model_.plan.stores) {
            Store store;
            store.name = plan_store.name;
            const Index role = index_in(model_.roles, plan_store.role);
            store.role = role == k_no_index ? 0 : role;
            store.is_shared = plan_store.shared;
            store.formats = plan_store.formats;
            store.laws = plan_store.laws;
            store.leader_only = plan_store.leader_only;
            store.opened_by.assign(model_.roles.size(), false);
            for (const std::string& name : plan_store.opened_by) {
                if (const Index index = index_in(model_.roles, name); index != k_no_index) {
                    store.opened_by[index] = true;
                }
            }
            const auto copies = start_ == nullptr ? std::map<std::string, Byte>() : start_->copies;
            const auto entry = copies.find(plan_store.name);
            store.copy = add(entry == copies.end() ? 0 : entry->second);
            store.hold = add(0);
            if (plan_store.shared) {
                place_instance(store, plan_store, k_no_index);
            }
            model_.stores.push_back(std::move(store));
        }
    }

    void place_stores_of(Index member) {
        for (std::size_t i = 0; i < model_.stores.size(); ++i) {
            Store& store = model_.stores[i];
            if (!store.is_shared && store.role == model_.members[member].role) {
                place_instance(store, model_.plan.stores[i], member);
            }
        }
    }

    // Bytes of rare laws are reserved only if the plan uses the law.
    void place_instance(Store& store, const model::PlanStore& plan_store, Index member) {
        store.offset.push_back(add(initial_.format(plan_store, member)));
        if (has_restores_) {
            store.copied.push_back(add(initial_.copied_format(plan_store, member)));
        }
        if (!plan_store.clean_stop.empty()) {
            store.unclean.push_back(
                add(model_.values.index_of(initial_.left_by(plan_store, member))));
        }
        if (plan_store.newest_last_stopped) {
            store.stale.push_back(add(initial_.is_stale(plan_store, member) ? 1 : 0));
        }
    }

    Model& model_;
    const InitialState* start_;
    InitialValues initial_;
    bool has_restores_ = false;                          // some action restores a store
    std::map<std::string, Index> index_;                 // of members, by name
    std::map<Index, std::vector<std::size_t>> actions_;  // by member, k_no_index: the system
    std::map<Index, std::vector<std::string>> facts_;
};

}  // namespace

Values::Values() : values_{{ObservationStatus::absent, {}, "", 0}} {
}

// Sets of values are 64-bit masks, hence the limit.
Byte Values::index_of(const Observation& value) {
    for (std::size_t i = 0; i < values_.size(); ++i) {
        if (values_[i].status == value.status && values_[i].value == value.value) {
            return to_byte(i);
        }
    }
    CHECK(values_.size() < k_values_max);
    values_.push_back({value.status, value.value, "the model", 0});
    return to_byte(values_.size() - 1);
}

// Fixed values get their indices before the layout. Effects come next; predicates are sets of
// values, so they come after all values.
Model::Model(const Plan& checked_plan, const InitialState* start)
    : plan(checked_plan)
    , program(checked_plan)
    , actions(checked_plan.actions.size())
    , cells(checked_plan.actions.size()) {
    value_serving = values.index_of({ObservationStatus::known, Json(true), "", 0});
    value_started = values.index_of({ObservationStatus::known, Json("running"), "", 0});
    value_stopped = values.index_of({ObservationStatus::known, Json("stopped"), "", 0});
    accepted = (1ULL << value_serving)
               | (1ULL << values.index_of({ObservationStatus::known, Json("accepted"), "", 0}));
    Layout(*this, start).run();
    add_effects(*this);
    add_format_transitions(*this);
    add_half_done_effects(*this);
    add_skews(*this);
    add_laws_of_roles(*this);
    add_readable_formats(*this);
    add_predicates(*this);
    add_local_actions(*this);
    add_interchangeable_groups(*this);
    add_independent_actions(*this);
    // Every path begins with a conductor that has taken the run over.
    run::State state(actions.size());
    run::apply(program, state, {run::EventType::conductor_started});
    pack(state, initial.data());
    note_found_starts(*this);
}

}  // namespace drydock::checker
