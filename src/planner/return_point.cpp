// Pass: the point of no return, along every order that the plan allows, and the gate before it.
// closing.h tells which actions close the way back.
#include "model/version.h"
#include "planner/closing.h"
#include "planner/compile.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

namespace drydock::planner {

namespace {

using model::Action;
using model::Law;
using model::Plan;
using model::Raises;

bool lists(const std::vector<std::string>& formats, const std::string& format) {
    return std::find(formats.begin(), formats.end(), format) != formats.end();
}

// The keys of the facts that tell a store's format: the system's, or one a member.
std::vector<std::string> levels_of(const Draft& draft, const model::StoreSpec& store) {
    const auto& facts = draft.request.pack.facts;
    const bool of_system = std::any_of(facts.begin(), facts.end(), [&](const auto& fact) {
        return fact.name == store.level && fact.role.empty();
    });
    if (of_system || store.level.empty()) {
        return {store.level};
    }
    std::vector<std::string> keys;
    for (const std::string& member : draft.scope.members.at(store.role)) {
        keys.push_back(model::fact_key(member, store.level));
    }
    return keys;
}

void add_store(Draft& draft, const model::StoreSpec& store) {
    const model::Pack& pack = draft.request.pack;
    model::PlanStore known = {
        store.name, store.role, {}, store.shared, levels_of(draft, store), store.formats, {}};
    for (const auto& [name, role] : pack.roles) {
        if (lists(role.stores, store.name)) {
            known.opened_by.push_back(name);
        }
    }
    for (const std::string& release : {draft.request.from, draft.request.to}) {
        if (const auto* law = law_of(pack, release, store.name)) {
            known.laws[release] = *law;
        }
    }
    draft.plan.stores.push_back(std::move(known));
}

void add_law(Draft& draft, const model::StoreSpec& store) {
    const model::Pack& pack = draft.request.pack;
    const auto* before = law_of(pack, draft.request.from, store.name);
    const auto* after = law_of(pack, draft.request.to, store.name);
    if (before == nullptr || after == nullptr || after->raises == Raises::never) {
        return;
    }
    const bool readable = lists(before->reads, after->writes);
    draft.plan.laws.push_back({store.name,
                               store.role,
                               levels_of(draft, store),
                               std::string(name_of(after->raises)),
                               series_of(pack, draft.request.to),
                               after->writes,
                               !readable && !after->lowers_on_request,
                               place(pack, after->where)});
}

bool has_effect(const Action& action, std::string_view kind, const std::string& store) {
    return std::any_of(
        action.effects.begin(), action.effects.end(), [&](const model::Effect& effect) {
            return effect.kind == kind && effect.name == store;
        });
}

// What the old release needs and a step destroys is gone, whatever the releases could read.
void add_destruction(Draft& draft, const model::StoreSpec& store) {
    const auto& actions = draft.plan.actions;
    const auto destroys = std::find_if(actions.begin(), actions.end(), [&](const Action& action) {
        return has_effect(action, "destroys", store.name);
    });
    const bool needed = law_of(draft.request.pack, draft.request.from, store.name) != nullptr;
    if (destroys != actions.end() && needed) {
        draft.plan.laws.push_back({store.name,
                                   store.role,
                                   {},
                                   "on_destroy",
                                   series_of(draft.request.pack, draft.request.to),
                                   "",
                                   true,
                                   destroys->source});
    }
}

std::vector<std::size_t> all_that(const Plan& plan,
                                  const std::function<bool(const Action&)>& test) {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < plan.actions.size(); ++i) {
        if (test(plan.actions[i])) {
            found.push_back(i);
        }
    }
    return found;
}

std::vector<Runner>
runners_of(const Draft& draft, const std::string& role, const std::string& series) {
    const std::string running = bound_fact(draft.request.pack, role, "running");
    std::vector<Runner> runners;
    for (const model::Member& member : draft.request.cluster.members) {
        const auto it = draft.request.facts.find(model::fact_key(member.name, running));
        const bool runs = it != draft.request.facts.end()
                          && it->second.status == model::Known::known
                          && model::version_in_series(it->second.value.as_string(), series);
        if (member.role == role) {
            runners.push_back({member.name, runs});
        }
    }
    return runners;
}

// The actions after which the law can first fire, in some order of the plan.
std::vector<std::size_t> closing_actions(const Draft& draft, const Law& law) {
    const Plan& plan = draft.plan;
    const std::string running = bound_fact(draft.request.pack, law.role, "running");
    if (law.raises == "when_all") {
        return closing_when_all(plan, runners_of(draft, law.role, law.series), running, law.series);
    }
    const bool start = law.raises == "on_start";
    return first_of(plan, all_that(plan, [&](const Action& action) {
                        return start
                                   ? starts_series(action, running, law.series)
                                   : has_effect(action,
                                                law.raises == "on_destroy" ? "destroys" : "raises",
                                                law.store);
                    }));
}

std::string reason_of(const Draft& draft, const Law& law) {
    const auto& from = draft.request.from;
    if (law.raises == "on_destroy") {
        return fmt::format("this step destroys {}, which {} needs", law.store, from);
    }
    const std::string whose =
        law.raises == "when_all" ? fmt::format("when every member runs {}, {} raises its {} level "
                                               "to {} by itself, within seconds",
                                               law.series,
                                               draft.request.pack.title,
                                               law.store,
                                               law.becomes)
        : law.raises == "on_start"
            ? fmt::format(
                  "the first start of {} converts {} to {}", law.series, law.store, law.becomes)
            : fmt::format("this step raises {} to {}", law.store, law.becomes);
    return fmt::format("{}; {} cannot read that", whose, from);
}

// A member that is stopped for a closing action is not to stand still at the gate: the gate comes
// before the first of its steps in that phase.
std::size_t block_front(const Plan& plan, std::size_t index) {
    const Action& action = plan.actions[index];
    std::optional<std::size_t> front;
    bool stops = false;
    for (std::size_t i = 0; i < index && !action.member.empty(); ++i) {
        const Action& before = plan.actions[i];
        if (before.phase == action.phase && before.member == action.member) {
            front = front.value_or(i);
            stops = stops || before.verb == model::Verb::stop;
        }
    }
    return stops ? *front : index;
}

// What may be done between the gate and what it guards: what prepares it, in the same phase, with
// no member stopped or started.
bool may_stand_between(const Action& action, const Action& gate) {
    return action.request.is_null() || (action.phase == gate.phase && !moves_release(action.verb));
}

// Whether the pack's own gate stands right before all of `targets`: each waits for it, and nothing
// but what prepares them is done between.
bool stands_before(const Plan& plan, std::size_t gate, const std::vector<std::size_t>& targets) {
    std::vector<bool> behind(plan.actions.size(), false);
    behind[gate] = true;
    for (std::size_t i = gate + 1; i < plan.actions.size(); ++i) {
        const auto& after = plan.actions[i].after;
        behind[i] = std::any_of(
            after.begin(), after.end(), [&](std::size_t before) { return behind[before]; });
    }
    const auto before = ancestors(plan, targets);
    for (std::size_t i = gate + 1; i < plan.actions.size(); ++i) {
        if (behind[i] && before[i] && !may_stand_between(plan.actions[i], plan.actions[gate])) {
            return false;
        }
    }
    return std::all_of(
        targets.begin(), targets.end(), [&](std::size_t target) { return behind[target]; });
}

// The pack's own gate, if it stands where it must: before the members' blocks, or right before the
// closing actions themselves. One that stands elsewhere stays, and is told of.
std::optional<std::size_t> own_gate(Draft& draft,
                                    const std::vector<std::size_t>& fronts,
                                    const std::vector<std::size_t>& closing) {
    const Plan& plan = draft.plan;
    const auto gates = all_that(plan, [](const Action& action) { return action.is_gate(); });
    for (const std::size_t gate : gates) {
        if (stands_before(plan, gate, fronts) || stands_before(plan, gate, closing)) {
            return gate;
        }
    }
    for (const std::size_t gate : gates) {
        draft.plan.skipped.push_back(fmt::format(
            "gate \"{}\" ({}) does not stand right before the point of no return: one more does",
            plan.actions[gate].gate,
            plan.actions[gate].source));
    }
    return std::nullopt;
}

void shift_indices(Plan& plan, std::size_t from) {
    for (Action& action : plan.actions) {
        for (std::size_t& before : action.after) {
            before += before >= from ? 1U : 0U;
        }
    }
}

// A pack may have gates of its own by these names.
void name_apart(const Plan& plan, Action& gate) {
    const auto taken = [&](const Action& other) {
        return other.id == gate.id || (other.is_gate() && other.gate == gate.gate);
    };
    while (std::any_of(plan.actions.begin(), plan.actions.end(), taken)) {
        gate.id += "-closing";
        gate.gate += "-closing";
    }
}

Action make_gate(const Draft& draft, const Law& law, const Action& front) {
    Action gate;
    gate.id = front.phase + "/gate";
    gate.phase = front.phase;
    gate.verb = model::Verb::gate;
    gate.gate = "point-of-no-return";
    gate.title = fmt::format("point of no return: {}", reason_of(draft, law));
    gate.reason = gate.title;
    gate.why = "before this, `drydock downgrade` takes the cluster back with nothing lost";
    gate.source = law.source;
    gate.repeatable = model::Repeatable::yes;
    gate.patience_ms = 30'000;
    name_apart(draft.plan, gate);
    return gate;
}

// Puts the gate before the blocks that hold the closing actions: these members stay as they are
// until it is approved.
std::size_t insert_gate(Draft& draft, const Law& law, const std::vector<std::size_t>& fronts) {
    Plan& plan = draft.plan;
    const std::size_t at = fronts.front();
    std::set<std::size_t> after;
    for (const std::size_t front : fronts) {
        for (const std::size_t before : plan.actions[front].after) {
            if (before < at) {
                after.insert(before);
            }
        }
    }
    Action gate = make_gate(draft, law, plan.actions[at]);
    gate.after.assign(after.begin(), after.end());
    shift_indices(plan, at);
    plan.actions.insert(plan.actions.begin() + static_cast<std::ptrdiff_t>(at), std::move(gate));
    for (const std::size_t front : fronts) {
        auto& waits_for = plan.actions[front + 1].after;
        std::erase_if(waits_for, [&](std::size_t before) { return after.contains(before); });
        waits_for.insert(waits_for.begin(), at);
    }
    return at;
}

void guard_by_gate(Draft& draft, const Law& law, const std::vector<std::size_t>& closing) {
    Plan& plan = draft.plan;
    const std::string first = plan.actions[closing.front()].id;
    std::set<std::size_t> blocks;
    for (const std::size_t index : closing) {
        blocks.insert(block_front(plan, index));
    }
    const std::vector<std::size_t> fronts(blocks.begin(), blocks.end());
    const auto own = own_gate(draft, fronts, closing);
    Action& gate = plan.actions[own ? *own : insert_gate(draft, law, fronts)];
    gate.returns_here = true;
    gate.soak_ms = draft.request.cluster.policy.soak_ms;
    plan.point_of_no_return = {
        true, first, gate.gate, law.store, law.raises, reason_of(draft, law), law.source};
}

// Of all laws that close the way back, those count that close it before any other does.
void guard_first_law(Draft& draft) {
    std::map<std::size_t, const Law*> laws;
    std::vector<std::size_t> closing;
    for (const Law& law : draft.plan.laws) {
        if (standing_of(draft, law) != Standing::open) {
            continue;
        }
        for (const std::size_t action : closing_actions(draft, law)) {
            laws.emplace(action, &law);
            closing.push_back(action);
        }
    }
    closing = first_of(draft.plan, closing);
    if (!closing.empty()) {
        guard_by_gate(draft, *laws.at(closing.front()), closing);
    }
}

}  // namespace

Standing standing_of(const Draft& draft, const Law& law) {
    if (!law.closes) {
        return Standing::harmless;
    }
    const bool fired =
        std::any_of(law.levels.begin(), law.levels.end(), [&](const std::string& key) {
            const auto level = draft.request.facts.find(key);
            return level != draft.request.facts.end() && level->second.status == model::Known::known
                   && model::version_in_series(level->second.value.show(), law.becomes);
        });
    if (fired) {
        return Standing::fired;
    }
    const auto runners = runners_of(draft, law.role, law.series);
    const bool all =
        !runners.empty()
        && std::all_of(runners.begin(), runners.end(), [](const Runner& one) { return one.runs; });
    return law.raises == "when_all" && all ? Standing::may_fire : Standing::open;
}

void place_return_point(Draft& draft) {
    const model::Pack& pack = draft.request.pack;
    for (const auto& [name, store] : pack.stores) {
        add_law(draft, store);
        add_destruction(draft, store);
        add_store(draft, store);
    }
    const auto from = static_cast<int>(series_index(pack, draft.request.from));
    draft.plan.series_apart =
        std::abs(from - static_cast<int>(series_index(pack, draft.request.to)));
    draft.plan.skew = pack.skew;
    for (const Law& law : draft.plan.laws) {
        if (standing_of(draft, law) == Standing::may_fire) {
            draft.plan.skipped.push_back(
                fmt::format("every member runs {} already: {} may rise to {} at any moment, and "
                            "then the way back in place is closed",
                            law.series,
                            law.store,
                            law.becomes));
        }
    }
    guard_first_law(draft);
}

}  // namespace drydock::planner
