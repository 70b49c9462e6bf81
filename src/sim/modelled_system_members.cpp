// Members of the modelled system: how they go down and come up, by the plan, by faults, by a person
// and by themselves.
//
// A start brings up what is installed. A start on an unreadable store leaves the member down. It is
// a violation only if the plan asked for it; all else that a start breaks counts for every start.
#include "model/version.h"
#include "sim/modelled_system.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::sim {

namespace {

using model::Observation;
using model::ObservationStatus;
using model::StandardFact;
using model::Verb;

constexpr std::int64_t k_ready_ms_max = 3'000;  // until a started member serves

bool starts_members(Verb verb) {
    return verb == Verb::start || verb == Verb::restart;
}

// True if the plan found no release running there.
bool was_down(const model::FactBook& found, const std::string& running) {
    const auto fact = found.find(running);
    return fact == found.end() || fact->second.status != ObservationStatus::known;
}

// True if nobody could read whether it votes. What is absent is no vote.
bool is_vote_unknown(const model::FactBook& found, const std::string& voter) {
    const auto fact = found.find(voter);
    return fact == found.end() || fact->second.status == ObservationStatus::unknown;
}

}  // namespace

// Leadership may be known from the survey only, since no plan is bound to it.
void ModelledSystem::know_members() {
    for (const model::PlanRole& role : plan_.roles) {
        for (const std::string& name : role.members) {
            members_[name].role = role.name;
        }
    }
    for (const auto& [key, source] : plan_.sources) {
        if (source.member.empty() || source.standard_fact == StandardFact::none) {
            continue;
        }
        Member& member = members_[source.member];
        if (source.standard_fact == StandardFact::running) {
            member.running = key;
            member.is_up = !values_[key].is_null();
            member.ran = values_[key];
        } else if (source.standard_fact == StandardFact::ready) {
            member.ready = key;
        } else if (source.standard_fact == StandardFact::installed) {
            member.installed = key;
        } else if (source.standard_fact == StandardFact::voter) {
            member.voter = key;
            member.is_vote_unknown = is_vote_unknown(rehearsed_.start, key);
        } else if (source.standard_fact == StandardFact::leads) {
            const auto seen = plan_.survey_facts.find(key);
            member.leads = key;
            if (value(key).is_null() && seen != plan_.survey_facts.end()) {
                values_[key] = seen->second.value;
            }
        }
    }
    for (auto& [name, member] : members_) {
        member.found_installed = value(member.installed);
        const bool starts_another =
            !member.installed.empty() && member.found_installed != value(member.running);
        member.found_down = !member.is_up || starts_another;
    }
}

const model::PlanRole* ModelledSystem::role(const std::string& name) const {
    const auto entry = std::find_if(plan_.roles.begin(),
                                    plan_.roles.end(),
                                    [&](const auto& candidate) { return candidate.name == name; });
    return entry == plan_.roles.end() ? nullptr : &*entry;
}

StoreReader ModelledSystem::reader(const std::string& name, const Member& member) const {
    const Json release = member.is_up ? value(member.running) : Json();
    return {name, member.role, release.is_string() ? release.as_string() : "", is_leader(member)};
}

// Without a fact of the system that says so, clients are let in.
bool ModelledSystem::admits_clients() const {
    bool is_told = false;
    for (const auto& [key, source] : plan_.sources) {
        if (source.standard_fact == StandardFact::writes && source.member.empty()) {
            const Json told = value(key);
            is_told = true;
            if (told == Json(true) || told == Json("accepted")) {
                return true;
            }
        }
    }
    return !is_told;
}

// One that came up as the plan has found it is passed over.
ModelledSystem::Names ModelledSystem::misreading() {
    Names names;
    const bool has_clients = admits_clients();
    for (const auto& [name, member] : members_) {
        if (member.is_up && !member.running.empty() && !member.is_excused
            && stores_.misreads(reader(name, member), has_clients)) {
            names.insert(name);
        }
    }
    return names;
}

// The installed release, even if the plan declares another.
Json ModelledSystem::release_at_start(const Member& member, const Json& declared) const {
    const Json installed = member.installed.empty() ? Json() : value(member.installed);
    return installed.is_null() ? declared : installed;
}

// A start and a restart concern their own member, even if no effect says so.
std::map<std::string, Json> ModelledSystem::starting_members(const model::Action& action) const {
    std::map<std::string, Json> starting;
    const auto own = members_.find(action.member);
    if (starts_members(action.verb) && own != members_.end() && !own->second.running.empty()) {
        starting[action.member] = own->second.ran;
    }
    for (const model::Effect& effect : action.effects) {
        if (moves_member(effect) && !effect.value.is_null()) {
            starting[effect.member] = effect.value;
        }
    }
    return starting;
}

// All members that the action takes down go at the same time. A restart takes its member down, too.
void ModelledSystem::take_down(const model::Action& action) {
    Names leaving;
    for (const model::Effect& effect : action.effects) {
        if (moves_member(effect) && effect.value.is_null()) {
            leaving.insert(effect.member);
        }
    }
    for (const auto& [name, release] : starting_members(action)) {
        if (action.verb != Verb::start && members_.at(name).is_up) {
            leaving.insert(name);
        }
    }
    if (!leaving.empty()) {
        take_down(leaving, action);
    }
}

void ModelledSystem::take_down(const Names& leaving, const model::Action& cause) {
    const Groups before = kept_quorums();
    mark_stale(leaving);
    for (const std::string& name : leaving) {
        Member& member = members_.at(name);
        if (member.is_up) {
            stores_.note_stopped(reader(name, member));
        }
        stop_member(name, member);
        member.found_down = member.found_down && was_down(rehearsed_.start, member.running);
        member.has_died = false;  // now it is down on purpose
    }
    check_quorum(before, cause);
}

void ModelledSystem::bring_up(const model::Action& action) {
    const auto starting = starting_members(action);
    Names names;
    for (const auto& [name, release] : starting) {
        names.insert(name);
    }
    check_newest(names);
    for (const auto& [name, declared] : starting) {
        Member& member = members_.at(name);
        member.found_down = member.found_down && was_down(rehearsed_.start, member.running);
        start_member(name, member, release_at_start(member, declared), Cause::plan);
    }
}

// The skew is compared before and after. A start by a person or by itself on an unreadable store
// leaves the member down, and nobody is to blame.
void ModelledSystem::start_member(const std::string& name,
                                  Member& member,
                                  const Json& release,
                                  Cause cause) {
    StoreReader candidate = reader(name, member);
    candidate.release = release.is_string() ? release.as_string() : "";
    if (!stores_.can_start(candidate)) {
        if (cause == Cause::plan) {
            record_violation("unreadable-start",
                             fmt::format("{} was started on {}, which cannot read its store",
                                         name,
                                         candidate.release));
        }
        return;
    }
    const bool apart = serve_apart();
    if (!member.is_up && !member.leads.empty()) {
        values_[member.leads] = false;
    }
    values_[member.running] = release;
    member.ran = release;
    member.is_up = true;
    member.has_died = false;
    member.came_back = cause == Cause::itself;
    const bool serves_at_once = is_directed_ || cause != Cause::plan;
    member.ready_at_ms = serves_at_once ? now_ms_ : now_ms_ + faults_.between(1, k_ready_ms_max);
    if (!apart && serve_apart()) {
        record_violation(
            "skew",
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
    const bool forward = model::compare_versions(plan_.from_version, plan_.to_version) < 0;
    const std::string& older = forward ? plan_.from_version : plan_.to_version;
    const std::string& newer = forward ? plan_.to_version : plan_.from_version;
    return std::any_of(plan_.skew.begin(), plan_.skew.end(), [&](const model::SkewRule& rule) {
        const bool far = plan_.max_skew > rule.max_skew;
        return ((far || !rule.newer) && any_runs(rule.role, newer)
                && any_runs(rule.peer_role, older))
               || (far && any_runs(rule.role, older) && any_runs(rule.peer_role, newer));
    });
}

// The facts that actions set for this member are no longer observed.
void ModelledSystem::stop_member(const std::string& name, Member& member) {
    member.is_up = false;
    member.came_back = false;
    member.is_excused = false;
    if (!member.leads.empty()) {
        values_[member.leads] = {};
    }
    std::erase_if(reported_keys_,
                  [&](const std::string& key) { return key.starts_with(name + "/"); });
}

// Faults never take a group below its minimum, so a loss of quorum is always the fault of a
// command.
bool ModelledSystem::kill_one(std::int64_t choice) {
    std::vector<std::string> names;
    for (const auto& [name, member] : members_) {
        if (member.is_up && !member.running.empty() && keeps_quorum_without({name})) {
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
    mark_stale({name});
    stop_member(name, member);
    member.has_died = true;
    died_ms_ = now_ms_;
    update_stores();
    consider_laws("");
    consider_elections();
}

// Refuses if a group would fall below its minimum by the loss of the members on this host.
bool ModelledSystem::host_dies(const std::string& host) {
    Names victims;
    for (const auto& [name, member_host] : plan_.member_hosts) {
        const auto member = members_.find(name);
        if (member_host == host && member != members_.end() && member->second.is_up) {
            victims.insert(name);
        }
    }
    if (!keeps_quorum_without(victims)) {
        return false;
    }
    for (const std::string& name : victims) {
        kill(name);
    }
    return true;
}

void ModelledSystem::start_by_hand(const std::string& name) {
    start_unasked(name, Cause::person);
}

void ModelledSystem::start_by_itself(const std::string& name) {
    start_unasked(name, Cause::itself);
}

// The same judgement for both: the skew, others that cannot read any more, the point of no return,
// and work that must be alone. A law that fires by what the plan has found needs no approval.
void ModelledSystem::start_unasked(const std::string& name, Cause cause) {
    Member& member = members_.at(name);
    const bool is_excused = member.found_down && value(member.installed) == member.found_installed;
    change(fmt::format("a start of {} that the plan did not ask for", name), [&] {
        check_alone(name, alone_stores(member));
        start_member(name, member, release_at_start(member, member.ran), cause);
        member.is_excused = is_excused;
        update_stores();
    });
    for (std::size_t i = 0; is_excused && i < laws_.size(); ++i) {
        if (holds(laws_[i])) {
            excused_laws_.insert(i);
        }
    }
    consider_laws("");
    consider_elections();
}

// A member that the plan has found down and left so does not start: what it would break is no fault
// of the plan. So is it with one under which the plan has found another release, until the plan
// moves it.
bool ModelledSystem::may_restart(const Member& member) const {
    const model::PlanRole* plan_role = role(member.role);
    const bool is_as_found = member.found_down && value(member.installed) == member.found_installed;
    return !is_as_found && !member.is_up && plan_role != nullptr && plan_role->restarts
           && !member.running.empty() && !member.installed.empty()
           && !value(member.installed).is_null();
}

bool ModelledSystem::can_restart() const {
    return std::any_of(members_.begin(), members_.end(), [&](const auto& entry) {
        return may_restart(entry.second);
    });
}

bool ModelledSystem::restart_one(std::int64_t choice) {
    std::vector<std::string> names;
    for (const auto& [name, member] : members_) {
        if (may_restart(member)) {
            names.push_back(name);
        }
    }
    if (names.empty()) {
        return false;
    }
    start_by_itself(names[static_cast<std::size_t>(choice) % names.size()]);
    return true;
}

// True if a halt of the run speaks of the member's being up, or of a fact that only its process
// tells. Another fact of it is no reason to start it.
bool ModelledSystem::is_missed(const std::string& name,
                               const Member& member,
                               const Json& halt) const {
    const std::string& cause = halt["cause"].as_string();
    const auto speaks_of = [&](const std::string& key) {
        return !key.empty() && cause.find(key) != std::string::npos;
    };
    return halt.contains("action")
           && (speaks_of(member.ready) || speaks_of(member.running)
               || std::any_of(plan_.sources.begin(), plan_.sources.end(), [&](const auto& source) {
                      return source.second.member == name && speaks_of(source.first)
                             && (model::asks_the_process(source.second)
                                 || source.second.probe["kind"].as_string() == "service");
                  }));
}

// True if the member may be up, as the run expects the world; a drift says so to a person. Where
// anything is possible it may be.
bool ModelledSystem::may_be_up(const Member& member, const run::ExpectedFacts& expected) {
    const auto running = expected.find(member.running);
    return running == expected.end() || running->second.any_of.empty()
           || std::any_of(
               running->second.any_of.begin(),
               running->second.any_of.end(),
               [](const Observation& value) { return value.status == ObservationStatus::known; });
}

// True if an action of the run waits for the member's store, which was not left clean.
bool ModelledSystem::is_missed_clean(const std::string& name, const Json& halt) const {
    const std::string& cause = halt["cause"].as_string();
    return halt.contains("action")
           && std::any_of(plan_.sources.begin(), plan_.sources.end(), [&](const auto& source) {
                  return cause.find(source.first) != std::string::npos
                         && stores_.tells_own_clean(source.first, name);
              });
}

// A person starts what is missed as it was, and stops what came back by itself where it may not be
// up, or where an action halts for it. A halt that could not read whether a member is down speaks
// of it, too: such a member stays down. Where a guard waits for a clean store, they start the
// release that left it, and stop it again.
void ModelledSystem::repair(const Json& halt, const run::ExpectedFacts& expected) {
    for (auto& [name, member] : members_) {
        const bool is_named = is_missed(name, member, halt);
        const bool may_run = may_be_up(member, expected);
        if (!member.is_up && may_run && (member.has_died || is_named)) {
            change(fmt::format("the repair of {}", name), [&, &own = member, &own_name = name] {
                start_member(own_name, own, own.ran, Cause::person);
            });
        } else if (member.came_back && (!may_run || is_named)) {
            stores_.note_stopped(reader(name, member));
            stop_member(name, member);
        }
        if (is_missed_clean(name, halt)) {
            stop_member(name, member);
            stores_.clean_own(name);
        }
    }
    update_stores();
    consider_laws("");
    consider_elections();
}

}  // namespace drydock::sim
