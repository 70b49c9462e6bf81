// The modelled system: effects of actions, deaths, repairs, probes. Laws and formats are in
// modelled_system_rules.cpp.
//
// A member is up or down. A probe that asks the process of a member gets no answer while the member
// is down; a probe of the host does. Each effect is compared with the rules of the checker at the
// moment at which it happens. The comparison is made before and after the effect, so a state that
// was bad already is not reported again.
#include "sim/modelled_system.h"

#include "model/version.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::sim {

namespace {

using model::Observation;
using model::ObservationStatus;

constexpr std::int64_t k_ready_ms_max = 3'000;     // until a started member serves
constexpr std::int64_t k_fresh_death_ms = 20'000;  // a death that a guard may not have seen
constexpr std::int64_t k_act_ms_max = 2'000;

// True if the probe asks the process of the member; other probes ask its host.
bool asks_the_process(const Json& probe) {
    const std::string& kind = probe["kind"].as_string();
    return kind == "http" || kind == "process" || kind == "exe";
}

// Returns the laws of the plan, which belong to the release that it leads to. To these it adds the
// when_all laws of the old release: they hold while all members still run it.
std::vector<model::FormatRule> all_laws(const model::Plan& plan) {
    std::vector<model::FormatRule> laws = plan.laws;
    for (const model::PlanStore& store : plan.stores) {
        const auto old_support = store.laws.find(plan.from);
        if (old_support != store.laws.end()
            && old_support->second.raises == model::FormatTrigger::when_all) {
            laws.push_back({store.name,
                            store.role,
                            store.levels,
                            model::FormatTrigger::when_all,
                            plan.from,
                            old_support->second.writes,
                            false,
                            ""});
        }
    }
    return laws;
}

}  // namespace

// A law may hold from the start, so the constructor considers them all.
ModelledSystem::ModelledSystem(const model::Plan& plan,
                               const InitialFacts& rehearsed,
                               transport::Faults& faults)
    : plan_(plan)
    , rehearsed_(rehearsed)
    , faults_(faults)
    , laws_(all_laws(plan)) {
    for (const auto& [key, observation] : rehearsed.start) {
        values_[key] = observation.status == ObservationStatus::known ? observation.value : Json();
    }
    for (const model::PlanRole& role : plan.roles) {
        for (const std::string& name : role.members) {
            members_[name].role = role.name;
        }
    }
    for (const auto& [key, source] : plan.sources) {
        if (source.binds == model::StandardFact::running && !source.member.empty()) {
            members_[source.member].running = key;
            members_[source.member].up = !values_[key].is_null();
        } else if (source.binds == model::StandardFact::ready && !source.member.empty()) {
            members_[source.member].ready = key;
        } else if (source.binds == model::StandardFact::installed && !source.member.empty()) {
            members_[source.member].installed = key;
        }
    }
    for (const model::PlanStore& store : plan_.stores) {
        formats_[store.name] = first_format(store);
    }
    consider_laws("");
}

// Records a violation once: the same fact may be noticed at each step.
void ModelledSystem::complain(std::string property, std::string description) {
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

// A member that has just been started is up, but its `ready` fact is absent until it serves.
Observation ModelledSystem::observe(const model::FactSource& source) const {
    const std::string evidence = "simulated";
    const auto member = members_.find(source.member);
    const std::string& kind = source.probe["kind"].as_string();
    if (member != members_.end() && !member->second.running.empty()) {
        const Member& owner = member->second;
        if (kind == "service") {
            return {ObservationStatus::known, owner.up ? "running" : "stopped", evidence, now_ms_};
        }
        // However they are asked: a member that is down runs nothing and is not ready.
        const bool mute =
            !owner.up
            && (source.key == owner.ready || source.key == owner.running
                || (asks_the_process(source.probe) && !reported_keys_.contains(source.key)));
        const bool not_yet = owner.up && source.key == owner.ready && now_ms_ < owner.ready_at_ms;
        if (mute || not_yet) {
            return {ObservationStatus::absent, {}, "nobody listens there", now_ms_};
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

// Lets each law take its effect when its time has come.
void ModelledSystem::advance(std::int64_t now_ms) {
    now_ms_ = now_ms;
    for (auto entry = raise_at_ms_.begin(); entry != raise_at_ms_.end();) {
        if (entry->second > now_ms_) {
            ++entry;
            continue;
        }
        raise(laws_[entry->first]);
        entry = raise_at_ms_.erase(entry);
    }
}

const model::PlanRole* ModelledSystem::role(const std::string& name) const {
    const auto entry = std::find_if(plan_.roles.begin(),
                                    plan_.roles.end(),
                                    [&](const auto& candidate) { return candidate.name == name; });
    return entry == plan_.roles.end() ? nullptr : &*entry;
}

// The number of members that serve: up, and past their start time.
int ModelledSystem::ready_in(const std::string& role) const {
    return static_cast<int>(std::count_if(members_.begin(), members_.end(), [&](const auto& entry) {
        const Member& member = entry.second;
        return member.role == role && member.up && now_ms_ >= member.ready_at_ms;
    }));
}

// A start on an unreadable store is a violation and leaves the member down. The skew is compared
// before and after.
void ModelledSystem::start_member(const std::string& name, Member& member, const Json& release) {
    if (!can_read(name, release.as_string())) {
        complain("unreadable-start",
                 fmt::format("{} was started on {}, which cannot read its store",
                             name,
                             release.as_string()));
        return;
    }
    const bool apart = serve_apart();
    values_[member.running] = release;
    member.up = true;
    member.died = false;
    member.ready_at_ms = is_directed_ ? now_ms_ : now_ms_ + faults_.between(1, k_ready_ms_max);
    if (!apart && serve_apart()) {
        complain("skew",
                 fmt::format("{} on {} serves together with what may not", name, release.show()));
    }
}

bool ModelledSystem::any_runs(const std::string& role, const std::string& release) const {
    return std::any_of(members_.begin(), members_.end(), [&](const auto& entry) {
        return entry.second.role == role && runs_in(entry.second, release);
    });
}

// True if a skew rule is violated: release lines too far apart, or the newer release in a role that
// must not be ahead.
bool ModelledSystem::serve_apart() const {
    const bool forward = model::compare_versions(plan_.from, plan_.to) < 0;
    const std::string& older = forward ? plan_.from : plan_.to;
    const std::string& newer = forward ? plan_.to : plan_.from;
    return std::any_of(plan_.skew.begin(), plan_.skew.end(), [&](const model::SkewRule& rule) {
        const bool far = plan_.max_skew > rule.max_skew;
        return ((far || !rule.newer) && any_runs(rule.role, newer) && any_runs(rule.with, older))
               || (far && any_runs(rule.role, older) && any_runs(rule.with, newer));
    });
}

// The facts that actions set for this member are no longer observed.
void ModelledSystem::stop_member(const std::string& name, Member& member) {
    member.up = false;
    std::erase_if(reported_keys_,
                  [&](const std::string& key) { return key.starts_with(name + "/"); });
}

// Records a violation if a command takes its group below the minimum. A recent death is an excuse:
// the guard may have been evaluated before it.
void ModelledSystem::check_quorum(const std::string& name,
                                  int ready_before,
                                  const model::Action& action) {
    const model::PlanRole* plan_role = role(name);
    const int ready_after = ready_in(name);
    const bool lost = plan_role != nullptr && plan_role->quorum > 0
                      && ready_before >= plan_role->quorum && ready_after < plan_role->quorum;
    const bool excused = !is_directed_ && now_ms_ - died_ms_ <= k_fresh_death_ms;
    if (lost && plan_.kind == "rolling" && !excused) {
        complain("quorum",
                 fmt::format("{} leaves {} of the {} members that {} needs",
                             action.id,
                             ready_after,
                             plan_role->quorum,
                             name));
    }
}

// A stop or start goes through stop_member() and start_member(). A start brings up the installed
// release, even if the plan declares another. `ready` is not set: it follows from the start time.
void ModelledSystem::apply(const model::Effect& effect, const model::Action& action) {
    const std::string key = model::fact_key(effect.member, effect.name);
    const auto member = members_.find(effect.member);
    if (effect.kind == model::EffectKind::copies) {
        if (!is_directed_) {
            copied_.insert(effect.name);
        }
    } else if (effect.kind == model::EffectKind::destroys) {
        if (!copied_.contains(effect.name)) {
            complain(
                "unverified-destroy",
                fmt::format("{} destroys {}, of which there is no copy", action.id, effect.name));
        }
        consider_laws(effect.name);
    } else if (effect.kind == model::EffectKind::lowers) {
        lower(effect.name);
    } else if (effect.kind == model::EffectKind::raises) {
        for (const model::FormatRule& law : laws_) {
            if (law.store == effect.name) {
                ask_consent(law);
                raise(law);
            }
        }
    } else if (effect.kind == model::EffectKind::becomes && member != members_.end()
               && key == member->second.running) {
        const int ready_before = ready_in(member->second.role);
        if (effect.value.is_null()) {
            stop_member(effect.member, member->second);
            member->second.died = false;  // now it is down on purpose
            check_quorum(member->second.role, ready_before, action);
        } else {
            const Json installed =
                value(member->second.installed);  // even if the plan expects another
            start_member(
                effect.member, member->second, installed.is_null() ? effect.value : installed);
        }
    } else if (effect.kind == model::EffectKind::becomes
               && (member == members_.end() || key != member->second.ready)) {
        set(key, effect.value);
    }
}

// Postconditions become true with the effects, by the values that InitialFacts chose.
void ModelledSystem::take_effect(const model::Action& action) {
    for (const model::Effect& effect : action.effects) {
        apply(effect, action);
    }
    const auto index = static_cast<std::size_t>(&action - plan_.actions.data());
    if (index < rehearsed_.promises.size()) {
        for (const auto& [key, value] : rehearsed_.promises[index]) {
            set(key, value);
        }
    }
    consider_laws("");
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

// Faults never take a group below its minimum, so a loss of quorum is always the fault of a
// command.
bool ModelledSystem::kill_one(std::int64_t choice) {
    std::vector<std::string> names;
    for (const auto& [name, member] : members_) {
        const model::PlanRole* plan_role = role(member.role);
        const bool needed = plan_role != nullptr && plan_role->quorum > 0
                            && ready_in(member.role) <= plan_role->quorum;
        if (member.up && !member.running.empty() && !needed) {
            names.push_back(name);
        }
    }
    if (names.empty()) {
        return false;
    }
    kill(names[static_cast<std::size_t>(choice) % names.size()]);
    return true;
}

void ModelledSystem::kill(const std::string& name) {
    Member& member = members_.at(name);
    stop_member(name, member);
    member.died = true;
    died_ms_ = now_ms_;
    consider_laws("");
}

void ModelledSystem::start_by_hand(const std::string& name) {
    Member& member = members_.at(name);
    const Json release = value(member.installed.empty() ? member.running : member.installed);
    start_member(name, member, release);
    consider_laws("");
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

// Refuses if a group would fall below its minimum by the loss of a member on this host.
bool ModelledSystem::host_dies(const std::string& host) {
    std::vector<std::string> victims;
    for (const auto& [name, member_host] : plan_.member_hosts) {
        const auto member = members_.find(name);
        if (member_host == host && member != members_.end() && member->second.up) {
            const model::PlanRole* plan_role = role(member->second.role);
            if (plan_role != nullptr && plan_role->quorum > 0
                && ready_in(plan_role->name) <= plan_role->quorum) {
                return false;
            }
            victims.push_back(name);
        }
    }
    for (const std::string& name : victims) {
        kill(name);
    }
    return true;
}

// True if a run halted because the member is not up. Another fact of a member that the plan has
// stopped is no reason to start it.
bool ModelledSystem::is_missed(const std::string& name, const Member& member, const Json& halt) {
    const std::string& cause = halt["cause"].as_string();
    const auto speaks_of = [&](const std::string& key) {
        return !key.empty() && cause.find(key) != std::string::npos;
    };
    return halt.contains("action")
           && (speaks_of(member.ready) || speaks_of(member.running)
               || speaks_of(name + "/service"));
}

// True if the member may be up, as the run expects the world; a drift says so to a person.
bool ModelledSystem::may_be_up(const Member& member, const run::ExpectedFacts& expected) {
    const auto running = expected.find(member.running);
    return running == expected.end()
           || std::any_of(
               running->second.any_of.begin(),
               running->second.any_of.end(),
               [](const Observation& value) { return value.status == ObservationStatus::known; });
}

void ModelledSystem::repair(const Json& halt, const run::ExpectedFacts& expected) {
    for (auto& [name, member] : members_) {
        if (!member.up
            && ((member.died && may_be_up(member, expected)) || is_missed(name, member, halt))) {
            member.up = true;
            member.died = false;
            member.ready_at_ms = now_ms_;
        }
    }
    consider_laws("");
}

}  // namespace drydock::sim
