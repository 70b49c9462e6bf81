// Makes an action from a step: texts, conditions, request, effects.
//
// Some things are the same in every system and are added here, so that no pack can forget them. A
// stop and a start change the standard facts `running` and `ready`. The service itself tells
// whether its process is there, so it answers the `happened` probe and shows a start that failed at
// once. An install needs its release on the disk. A stop needs the quorum, if the step asks for it.
// interpolation.h resolves the names in texts and requests.
#include "planner/make_action.h"

#include "base/hash.h"
#include "model/effect_kinds.h"
#include "planner/quorum.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace drydock::planner {

namespace {

using model::Action;
using model::Condition;
using model::EffectKind;
using model::Member;
using model::StandardFact;
using model::StepSpec;
using model::Verb;

// Adds the effect that a standard fact of the member takes a value, if the pack binds a fact to it.
void becomes(const PlanBuilder& draft,
             const Member& member,
             StandardFact standard,
             Json value,
             Action& action) {
    const std::string fact = bound_fact(draft.request.pack, member.role, standard);
    if (!fact.empty()) {
        action.effects.push_back({EffectKind::becomes, member.name, fact, std::move(value)});
    }
}

// Adds the effects of a stop, a start and a swap, which are the same in every system.
void add_standard_effects(const PlanBuilder& draft,
                          const StepSpec& step,
                          const Member& member,
                          Action& action) {
    if (step.verb == Verb::stop) {
        becomes(draft, member, StandardFact::running, Json(), action);
        becomes(draft, member, StandardFact::ready, Json(), action);
    } else if (step.verb == Verb::start || step.verb == Verb::restart) {
        becomes(draft,
                member,
                StandardFact::running,
                step.on_old_release ? draft.scope.from_version : draft.scope.to_version,
                action);
        becomes(draft, member, StandardFact::ready, true, action);
    } else if (step.verb == Verb::install) {
        becomes(draft, member, StandardFact::installed, draft.scope.to_version, action);
    }
    const std::string service = fact_of_kind(draft.request.pack, member.role, "service");
    if (!service.empty() && (step.verb == Verb::stop || step.verb == Verb::start)) {
        action.effects.push_back({EffectKind::becomes,
                                  member.name,
                                  service,
                                  step.verb == Verb::stop ? "stopped" : "running"});
    }
}

// Returns the members whose standard facts a step changes: this one, or all on its host.
std::vector<const Member*>
moved_by(const PlanBuilder& draft, const StepSpec& step, const Member& member) {
    if (!step.once_a_host) {
        return {&member};
    }
    std::vector<const Member*> members;
    for (const std::string& name : members_on(draft, member.role, member.host)) {
        members.push_back(find_member(draft.request.cluster, name));
    }
    return members;
}

// Adds a guard that the release is on the disk, if the pack has a fact that lists releases.
void add_on_disk_guard(const PlanBuilder& draft,
                       const StepSpec& step,
                       const Member& member,
                       Action& action) {
    const std::string fact =
        bound_fact(draft.request.pack, member.role, model::StandardFact::on_disk);
    if (fact.empty() || step.verb != Verb::install) {
        return;
    }
    Condition on_disk = {.fact = fact,
                         .role = member.role,
                         .quantifier = model::Quantifier::self,
                         .relation = model::Relation::has};
    on_disk.operand = draft.scope.to_version;
    on_disk.type = model::FactType::list;
    on_disk.remedy = fmt::format("put release {} back in its folder", draft.scope.to_version);
    on_disk.position.file = action.source;
    action.preconditions.push_back(std::move(on_disk));
}

// Adds conditions on the service: it knows its process long before the system answers.
void add_service_conditions(const PlanBuilder& draft,
                            const StepSpec& step,
                            const Member& member,
                            Action& action) {
    const std::string service = fact_of_kind(draft.request.pack, member.role, "service");
    if (service.empty() || (step.verb != Verb::start && step.verb != Verb::stop)) {
        return;
    }
    Condition stands = {.fact = service,
                        .role = member.role,
                        .quantifier = model::Quantifier::self,
                        .relation = model::Relation::is};
    stands.operand = step.verb == Verb::start ? "running" : "stopped";
    if (action.completion_check.empty()) {
        action.completion_check.push_back(stands);
    }
    if (step.verb == Verb::start) {
        stands.operand = "stopped";
        action.fail_fast_if.push_back(stands);
    }
}

// Returns the time limit of a step. The operator may set it for a stop in the cluster file; else
// the pack's limit counts.
std::int64_t time_for(const StepSpec& step, const Member& member) {
    const bool stop = step.verb == Verb::stop;
    return stop ? member.service["stop"]["within_ms"].as_int(step.timeout_ms) : step.timeout_ms;
}

// Adds the cluster file's settings of the new release's environment.
Status add_venv(const PlanBuilder& draft, const Member& member, Json& request) {
    DRYDOCK_TRY_ASSIGN(std::string target, resolve(draft.scope, &member, "release.to"));
    request.set("target", std::move(target));
    for (const char* key : {"python", "wheels", "check", "env"}) {
        if (member.venv.contains(key)) {
            request.set(key, member.venv[key]);
        }
    }
    if (const Json& pins = member.venv["pins"][draft.scope.to_version]; pins.is_string()) {
        request.set("pins", pins);
    }
    return {};
}

// Builds the request to the agent. Stops, starts and installs have requests of their own, since the
// cluster file knows the service and the link.
Result<Json> request_of(const PlanBuilder& draft, const StepSpec& step, const Member* member) {
    if (member != nullptr && (step.verb == Verb::stop || step.verb == Verb::start)) {
        Json request;
        request.set("kind", step.verb == Verb::stop ? "service_stop" : "service_start")
            .set("service", member->service);
        if (!step.arguments.empty()) {
            request.set("arguments",
                        Json(Json::Array(step.arguments.begin(), step.arguments.end())));
        }
        request.set("within_ms", time_for(step, *member));
        return request;
    }
    if (member != nullptr && step.verb == Verb::install) {
        DRYDOCK_TRY_ASSIGN(std::string target, resolve(draft.scope, member, "release.to"));
        Json request;
        request.set("kind", "link").set("link", member->link).set("target", std::move(target));
        return request;
    }
    DRYDOCK_TRY_ASSIGN(Json request, fill(draft.scope, member, step.request));
    if (!step.script.empty()) {
        const std::string& content = draft.request.pack.scripts.at(step.script);
        Json script;
        script.set("name", step.script).set("content", content).set("sha256", sha256_hex(content));
        request.set("script", std::move(script));
    }
    if (member != nullptr && request["kind"].as_string() == "venv") {
        DRYDOCK_TRY(add_venv(draft, *member, request));
    }
    if (!request.is_null()) {
        request.set(step.stall_ms > 0 ? "stall_ms" : "timeout_ms",
                    step.stall_ms > 0 ? step.stall_ms : step.timeout_ms);
    }
    return request;
}

Status
fill_texts(const PlanBuilder& draft, const StepSpec& step, const Member* member, Action& action) {
    DRYDOCK_TRY_ASSIGN(
        action.title,
        fill_text(draft.scope, member, step.title.empty() ? step.object : step.title));
    DRYDOCK_TRY_ASSIGN(action.rationale, fill_text(draft.scope, member, step.rationale));
    DRYDOCK_TRY_ASSIGN(action.remedy, fill_text(draft.scope, member, step.remedy));
    DRYDOCK_TRY_ASSIGN(action.applies_if, fill_conditions(draft.scope, member, step.applies_if));
    DRYDOCK_TRY_ASSIGN(action.preconditions,
                       fill_conditions(draft.scope, member, step.preconditions));
    DRYDOCK_TRY_ASSIGN(action.postconditions,
                       fill_conditions(draft.scope, member, step.postconditions));
    DRYDOCK_TRY_ASSIGN(action.completion_check,
                       fill_conditions(draft.scope, member, step.completion_check));
    DRYDOCK_TRY_ASSIGN(action.fail_fast_if,
                       fill_conditions(draft.scope, member, step.fail_fast_if));
    return {};
}

// Copies the parts of a step that need no interpolation.
void copy_plain_parts(const model::PhaseSpec& phase,
                      const StepSpec& step,
                      const Member* member,
                      Action& action) {
    action.id = member != nullptr ? fmt::format("{}/{}/{}", phase.name, member->name, step.id)
                                  : fmt::format("{}/{}", phase.name, step.id);
    action.phase = phase.name;
    action.verb = step.verb;
    action.member = member != nullptr ? member->name : "";
    action.repeatable = step.repeatable;
    action.attempts = step.attempts;
    action.timeout_ms = member != nullptr ? time_for(step, *member) : step.timeout_ms;
    action.guard_timeout_ms = step.guard_timeout_ms;
    action.stall_ms = step.stall_ms;
    action.expected_ms = step.expected_ms;
    action.cancellable = step.cancellable;
    action.standing = step.standing;
    action.optional = step.optional;
}

// Returns the members whose fact an effect changes: this one, every member of a role, or the system
// (empty). The store of an effect is always this member's.
std::vector<std::string>
members_moved(const PlanBuilder& draft, const model::EffectSpec& spec, const Member* member) {
    const bool fact = spec.kind == EffectKind::becomes || spec.kind == EffectKind::changes
                      || spec.kind == EffectKind::adds || spec.kind == EffectKind::removes;
    const bool is_whole_role = spec.reach == model::Reach::role;
    if (fact && !spec.role.empty() && (member == nullptr || is_whole_role)) {
        return draft.scope.members.at(spec.role);
    }
    if (fact && !spec.role.empty() && spec.reach == model::Reach::host) {
        return members_on(draft, spec.role, member->host);
    }
    const bool system = member == nullptr || (fact && spec.role.empty());
    return {system ? "" : member->name};
}

// Returns the content of a list fact after the actions of the plan so far: the value that the last
// of them leaves, else the surveyed one.
Json::Array
list_before(const PlanBuilder& draft, const std::string& member, const std::string& fact) {
    for (auto action = draft.plan.actions.rbegin(); action != draft.plan.actions.rend(); ++action) {
        for (const model::Effect& effect : action->effects) {
            if (effect.kind == EffectKind::becomes && effect.member == member
                && effect.name == fact) {
                return effect.value.items();
            }
        }
    }
    const auto entry = draft.request.facts.find(model::fact_key(member, fact));
    return entry == draft.request.facts.end() ? Json::Array() : entry->second.value.items();
}

// Returns the effect of `adds` or `removes`: the list that the fact becomes.
model::Effect list_effect(const PlanBuilder& draft,
                          const model::EffectSpec& spec,
                          const std::string& member,
                          const Json& value) {
    Json::Array list = list_before(draft, member, spec.name);
    std::erase(list, value);
    if (spec.kind == EffectKind::adds) {
        list.push_back(value);
        std::sort(list.begin(), list.end());
    }
    return {EffectKind::becomes, member, spec.name, Json(std::move(list))};
}

// Adds effects that the step declares, one for each member that they reach.
Status add_declared_effects(const PlanBuilder& draft,
                            const std::vector<model::EffectSpec>& declared,
                            const Member* member,
                            std::vector<model::Effect>& effects) {
    for (const model::EffectSpec& spec : declared) {
        DRYDOCK_TRY_ASSIGN(const Json value, fill(draft.scope, member, spec.value));
        for (const std::string& moved : members_moved(draft, spec, member)) {
            const bool listed = spec.kind == EffectKind::adds || spec.kind == EffectKind::removes;
            effects.push_back(listed ? list_effect(draft, spec, moved, value)
                                     : model::Effect{spec.kind, moved, spec.name, value, spec.own});
        }
    }
    return {};
}

// A restore brings back the store that it names, unless its effects say what becomes of stores.
void add_restored_store(const StepSpec& step, const Member* member, Action& action) {
    const bool says_stores =
        std::any_of(action.effects.begin(), action.effects.end(), [](const model::Effect& effect) {
            return model::moves_store(effect.kind);
        });
    if (step.verb == Verb::restore && !says_stores) {
        action.effects.push_back(
            {EffectKind::restores, member != nullptr ? member->name : "", step.object, {}});
    }
}

// Returns the names that no other action of its kind may use at the same time: the stores that it
// changes, else the role of its member, else the system.
std::vector<std::string> names_alone(const Member* member, const Action& action) {
    std::set<std::string> stores;
    for (const auto* effects : {&action.effects, &action.meanwhile}) {
        for (const model::Effect& effect : *effects) {
            if (model::moves_store(effect.kind)) {
                stores.insert(effect.name);
            }
        }
    }
    if (stores.empty()) {
        return {member != nullptr ? member->role : "system"};
    }
    return {stores.begin(), stores.end()};
}

}  // namespace

// The action probes its own postconditions after a crash if the step gives no `happened` probe.
Result<Action> make_action(const PlanBuilder& draft,
                           const model::PhaseSpec& phase,
                           const StepSpec& step,
                           const Member* member) {
    Action action;
    copy_plain_parts(phase, step, member, action);
    action.source = place(draft.request.pack, step.position);
    DRYDOCK_TRY(fill_texts(draft, step, member, action));
    DRYDOCK_TRY_ASSIGN(action.request, request_of(draft, step, member));
    action.host = member != nullptr && !action.request.is_null() ? member->host : "";
    if (!action.request.is_null() && action.host.empty()) {
        return fail("plan.on",
                    fmt::format("step {} does something but is on no member", action.id),
                    fmt::format("say `on:` at {}", action.source));
    }
    DRYDOCK_TRY(add_declared_effects(draft, step.effects, member, action.effects));
    DRYDOCK_TRY(add_declared_effects(draft, step.meanwhile, member, action.meanwhile));
    add_restored_store(step, member, action);
    if (member != nullptr) {
        for (const Member* moved_member : moved_by(draft, step, *member)) {
            add_standard_effects(draft, step, *moved_member, action);
        }
        add_service_conditions(draft, step, *member, action);
        add_on_disk_guard(draft, step, *member, action);
    }
    if (step.quorum_without && member != nullptr) {
        const auto quorum = quorum_guards(draft, *member, *step.quorum_without, action);
        action.preconditions.insert(action.preconditions.end(), quorum.begin(), quorum.end());
    }
    if (step.alone) {
        action.alone = names_alone(member, action);
    }
    if (action.completion_check.empty() && step.repeatable == model::Repeatable::probe) {
        action.completion_check = action.postconditions;
    }
    if (step.verb == Verb::gate) {
        action.gate = step.id;
        action.reason = action.title;
        // With `when` it asks for consent to a repair: there is nothing to watch first.
        action.soak_ms = step.applies_if.empty() ? draft.request.cluster.policy.soak_ms : 0;
    }
    return action;
}

Action look_again(const Action& promised, const char* ending, std::string title) {
    Action look;
    look.id = promised.id + ending;
    look.phase = promised.phase;
    look.member = promised.member;
    look.verb = Verb::wait;
    look.title = std::move(title);
    look.postconditions = promised.postconditions;
    look.fail_fast_if = promised.fail_fast_if;
    look.remedy = promised.remedy;
    look.source = promised.source;
    look.repeatable = model::Repeatable::yes;
    look.timeout_ms = promised.timeout_ms;
    look.optional = promised.optional;
    return look;
}

}  // namespace drydock::planner
