// The modelled system: effects of actions, and probes. Members are in modelled_system_members.cpp,
// leaders in modelled_system_elections.cpp, quorums in modelled_system_quorums.cpp, laws in
// modelled_system_format_laws.cpp, actions under way in modelled_system_under_way.cpp.
//
// A probe that asks the process of a member gets no answer while the member is down; a probe of the
// host does. Each change is compared with the rules of the checker at the moment at which it
// happens. The comparison is made before and after it, so a state that was bad already is not
// reported again.
#include "sim/modelled_system.h"

#include "run/temporary_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace drydock::sim {

namespace {

using model::Observation;
using model::ObservationStatus;

constexpr std::int64_t k_act_ms_max = 2'000;

constexpr std::array k_store_effects = {model::EffectKind::destroys,
                                        model::EffectKind::restores,
                                        model::EffectKind::raises,
                                        model::EffectKind::lowers,
                                        model::EffectKind::copies};

// True if a release of the plan that is not the target has such a law: it acts while members still
// run that release.
bool acts_by_itself(model::FormatTrigger raises) {
    return raises == model::FormatTrigger::when_all
           || raises == model::FormatTrigger::when_all_running
           || raises == model::FormatTrigger::on_lead;
}

// Returns the laws of the plan, which belong to the release that it leads to. To these it adds the
// laws of the old release that act by themselves.
std::vector<model::FormatRule> all_laws(const model::Plan& plan) {
    std::vector<model::FormatRule> laws = plan.laws;
    for (const model::PlanStore& store : plan.stores) {
        const auto old_support = store.laws.find(plan.from_version);
        if (old_support != store.laws.end() && acts_by_itself(old_support->second.trigger)) {
            laws.push_back({store.name,
                            store.role,
                            store.levels,
                            old_support->second.trigger,
                            plan.from_version,
                            old_support->second.writes,
                            false,
                            ""});
        }
    }
    return laws;
}

bool moves_fact(model::EffectKind kind) {
    return kind == model::EffectKind::becomes;
}

bool writes_fact(const model::Effect& effect, const std::string& key) {
    return moves_fact(effect.kind) && model::fact_key(effect.member, effect.name) == key;
}

bool names_restored_store(const model::Action& action) {
    return std::any_of(action.effects.begin(), action.effects.end(), [](const auto& effect) {
        return effect.kind == model::EffectKind::restores;
    });
}

}  // namespace

// A law may hold from the start, so the constructor considers them all. Such a law is not the fault
// of the plan.
ModelledSystem::ModelledSystem(const model::Plan& plan,
                               const InitialFacts& rehearsed,
                               transport::Faults& faults)
    : plan_(plan)
    , rehearsed_(rehearsed)
    , faults_(faults)
    , laws_(all_laws(plan))
    , stores_(plan, values_) {
    for (const auto& [key, observation] : rehearsed.start) {
        values_[key] = observation.status == ObservationStatus::known ? observation.value : Json();
    }
    stores_.read_levels();
    know_members();
    know_stores();
    for (std::size_t i = 0; i < laws_.size(); ++i) {
        if (holds(laws_[i]) || stores_.any_has_reached(laws_[i].store, laws_[i].becomes)) {
            excused_laws_.insert(i);
        }
    }
    consider_laws("");
    consider_elections();
}

void ModelledSystem::approve(const std::string& gate) {
    is_approved_ =
        is_approved_
        || std::any_of(plan_.actions.begin(), plan_.actions.end(), [&](const auto& action) {
               return action.is_point_of_no_return && action.gate == gate;
           });
}

// Records a violation once: the same fact may be noticed at each step.
void ModelledSystem::record_violation(std::string property, std::string description) {
    Violation violation = {std::move(property), std::move(description)};
    if (std::find(violations_.begin(), violations_.end(), violation) == violations_.end()) {
        violations_.push_back(std::move(violation));
    }
}

// An explicit value is observed even while its member is down.
void ModelledSystem::set(const std::string& key, Json value) {
    reported_keys_.insert(key);
    values_[key] = std::move(value);
}

// A member that has just been started is up, but its `ready` fact is absent until it serves. It is
// false while too few of its role run.
Observation ModelledSystem::observe(const model::FactSource& source) const {
    const std::string evidence = "simulated";
    const auto member = members_.find(source.member);
    const std::string& kind = source.probe["kind"].as_string();
    if (member != members_.end() && !member->second.running.empty()) {
        const Member& owner = member->second;
        if (kind == "service") {
            return {
                ObservationStatus::known, owner.is_up ? "running" : "stopped", evidence, now_ms_};
        }
        // However they are asked: a member that is down runs nothing and is not ready.
        const bool mute =
            !owner.is_up
            && (source.key == owner.ready || source.key == owner.running
                || source.key == owner.leads
                || (model::asks_the_process(source) && !reported_keys_.contains(source.key)));
        const bool not_yet =
            owner.is_up && source.key == owner.ready && now_ms_ < owner.ready_at_ms;
        if (mute || not_yet) {
            return {ObservationStatus::absent, {}, "nobody listens there", now_ms_};
        }
        if (source.key == owner.ready && !is_ready(owner)) {
            return {ObservationStatus::known, false, evidence, now_ms_};
        }
    }
    const auto value = values_.find(source.key);
    const bool is_known = value != values_.end() && !value->second.is_null();
    return is_known ? Observation{ObservationStatus::known, value->second, evidence, now_ms_}
                    : Observation{ObservationStatus::absent, {}, "there is none", now_ms_};
}

// Derived facts follow in rounds: inputs before results.
model::FactBook ModelledSystem::book() const {
    model::FactBook book;
    std::vector<std::string> derived;
    for (const auto& [key, source] : plan_.sources) {
        if (!source.is_derived()) {
            book[key] = observe(source);
        } else {
            derived.push_back(key);
        }
    }
    for (const auto& round : model::reading_rounds(plan_.sources, derived)) {
        for (const std::string& key : round) {
            const auto source = plan_.sources.find(key);
            if (source != plan_.sources.end() && source->second.is_derived()) {
                book[key] = model::derive(source->second, book);
            }
        }
    }
    return book;
}

agent::ProbeResult ModelledSystem::probe(const std::string&, const Json& probe, std::int64_t&) {
    const auto source = plan_.sources.find(probe["id"].as_string());
    if (source == plan_.sources.end()) {
        return agent::cannot_tell("the plan has no such fact");
    }
    Observation observation = observe(source->second);
    return observation.status == ObservationStatus::known
               ? agent::known(std::move(observation.value))
               : agent::absent(observation.evidence);
}

std::int64_t ModelledSystem::takes_ms(const Json&) {
    return faults_.between(2, k_act_ms_max);
}

// Lets each law and each election take its effect when its time has come.
void ModelledSystem::advance(std::int64_t now_ms) {
    now_ms_ = now_ms;
    for (auto entry = raise_at_ms_.begin(); entry != raise_at_ms_.end();) {
        if (entry->second > now_ms_) {
            ++entry;
            continue;
        }
        const model::FormatRule& law = laws_[entry->first];
        change("the law of " + law.store, [&] { raise(law); });
        entry = raise_at_ms_.erase(entry);
    }
    const auto elections = election_at_ms_;  // an election may call for the next one
    for (const auto& [role, at_ms] : elections) {
        if (at_ms <= now_ms_) {
            hold_election(role);
        }
    }
}

// Compares the members that run on what they cannot read before and after the change. A change
// inside of another one belongs to it.
void ModelledSystem::change(const std::string& cause, const std::function<void()>& act) {
    if (is_changing_ || plan_.stores.empty()) {
        act();
        return;
    }
    is_changing_ = true;
    const Names before = misreading();
    act();
    is_changing_ = false;
    for (const std::string& name : misreading()) {
        if (!before.contains(name)) {
            record_violation("unreadable-start",
                             fmt::format("after {} {} runs on a store that {} cannot read",
                                         cause,
                                         name,
                                         value(members_.at(name).running).show()));
        }
    }
}

bool ModelledSystem::moves_member(const model::Effect& effect) const {
    const auto member = members_.find(effect.member);
    return effect.kind == model::EffectKind::becomes && member != members_.end()
           && model::fact_key(effect.member, effect.name) == member->second.running;
}

// `ready` is not set: it follows from the start time. A member that comes to lead does so alone.
void ModelledSystem::apply_fact(const model::Effect& effect) {
    const std::string key = model::fact_key(effect.member, effect.name);
    const auto member = members_.find(effect.member);
    const bool is_known = member != members_.end();
    if (is_known && key == member->second.leads && effect.value == Json(true)) {
        elect(effect.member);
    } else if (!is_known || key != member->second.ready) {
        if (is_known && key == member->second.voter) {
            member->second.is_vote_unknown = false;
        }
        for (const std::string& carrier : carriers_of(key)) {
            values_[carrier] = effect.value;
        }
        reported_keys_.insert(key);
    }
}

// What holds only while an action runs is not judged: a put-back that was cut off has destroyed
// nothing of which its copy is not there.
void ModelledSystem::judge_destruction(const model::Effect& effect, const model::Action& action) {
    if (effect.kind == model::EffectKind::destroys && !copied_.contains(effect.name)) {
        record_violation(
            "unverified-destroy",
            fmt::format("{} destroys {}, of which there is no copy", action.id, effect.name));
    }
}

void ModelledSystem::apply_store(const model::Effect& effect) {
    const std::string& store = effect.name;
    if (effect.kind == model::EffectKind::copies) {
        stores_.copy(store);
        if (!is_directed_) {
            copied_.insert(store);
        }
    } else if (effect.kind == model::EffectKind::destroys) {
        stores_.destroy(store, effect.member);
        consider_laws(store);
    } else if (effect.kind == model::EffectKind::restores) {
        stores_.restore(store, effect.member);
    } else if (effect.kind == model::EffectKind::lowers) {
        const model::PlanStore* plan_store = stores_.find(store);
        const auto law = plan_store == nullptr
                             ? std::map<std::string, model::FormatSupport>::const_iterator()
                             : plan_store->laws.find(plan_.to_version);
        if (plan_store != nullptr && law != plan_store->laws.end()) {
            stores_.write(store, effect.own ? effect.member : "", law->second.writes);
            held_.insert(store);
        }
    } else if (effect.kind == model::EffectKind::raises) {
        raise_by_command(effect);
    }
}

// The order of kinds is that of the checker. A step with the verb `restore` that names no store
// puts back all that have a copy.
void ModelledSystem::change_stores(const model::Action& action) {
    const bool restores_all = action.verb == model::Verb::restore && !names_restored_store(action);
    for (const model::EffectKind kind : k_store_effects) {
        for (const model::Effect& effect : action.effects) {
            if (effect.kind == kind) {
                judge_destruction(effect, action);
                apply_store(effect);
            }
        }
        if (kind == model::EffectKind::restores && restores_all) {
            stores_.restore_all();
        }
    }
}

// Postconditions become true with the effects, by the values that InitialFacts chose.
void ModelledSystem::apply_postconditions(const model::Action& action) {
    const auto index = static_cast<std::size_t>(&action - plan_.actions.data());
    if (index < rehearsed_.postcondition_facts.size()) {
        for (const auto& [key, value] : rehearsed_.postcondition_facts[index]) {
            set(key, value);
        }
    }
}

bool ModelledSystem::changes_votes(const std::vector<model::Effect>& effects) const {
    return std::any_of(effects.begin(), effects.end(), [&](const auto& effect) {
        const auto member = members_.find(effect.member);
        return member != members_.end() && writes_fact(effect, member->second.voter);
    });
}

// True if an action under way takes the member's vote.
bool ModelledSystem::is_vote_leaving(const std::string& member) const {
    const auto takes_it = [&](const model::Effect& effect) {
        return writes_fact(effect, members_.at(member).voter) && effect.value != Json(true);
    };
    return std::any_of(in_flight_.begin(), in_flight_.end(), [&](const auto& flight) {
        const model::Action* action = flight.second > 0 ? plan_.find(flight.first) : nullptr;
        return action != nullptr
               && std::any_of(action->effects.begin(), action->effects.end(), takes_it);
    });
}

// A step that takes a vote away, or gives one to a member that is down, may leave a group without a
// quorum.
void ModelledSystem::change_facts(const model::Action& action) {
    const bool is_judged = changes_votes(action.effects);
    const Groups before = is_judged ? kept_quorums() : Groups();
    for (const model::Effect& effect : action.effects) {
        if (moves_fact(effect.kind) && !moves_member(effect)) {
            apply_fact(effect);
        }
    }
    if (is_judged) {
        check_quorum(before, action);
    }
}

// The order is that of the checker: members go down, facts and stores change, members come up.
void ModelledSystem::take_effect(const model::Action& action) {
    change(action.id, [&] {
        const auto returning = put_back(action.id);
        take_down(action);
        change_facts(action);
        change_stores(action);
        bring_up(action);
        bring_back(action, returning);
        apply_postconditions(action);
        update_stores();
    });
    consider_laws("");
    consider_elections();
}

agent::ActionResult
ModelledSystem::act(const std::string&, const std::string& action, const Json&) {
    const model::Action* planned_action = plan_.find(action);
    if (planned_action == nullptr) {
        return agent::failed({"command.failed", "the plan has no such action", "see the plan"});
    }
    take_effect(*planned_action);
    return {agent::Outcome::done};
}

void ModelledSystem::verify_copies(const model::Action& action) {
    for (const model::Effect& effect : action.effects) {
        if (effect.kind == model::EffectKind::copies) {
            copied_.insert(effect.name);
        }
    }
}

Json ModelledSystem::value(const std::string& key) const {
    const auto entry = values_.find(key);
    return entry == values_.end() ? Json() : entry->second;
}

std::vector<Violation> ModelledSystem::left_behind() const {
    std::vector<Violation> violations;
    for (const run::Drift& fact : run::find_left_behind(plan_, book())) {
        if (fact.cannot_tell) {
            continue;  // a fault took its member down at the very end
        }
        violations.push_back({"left-behind",
                              fmt::format("the plan has ended, and {} is {}; it was {}",
                                          fact.key,
                                          fact.actual,
                                          fact.expected)});
    }
    return violations;
}

}  // namespace drydock::sim
