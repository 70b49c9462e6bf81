// Pass: the point of no return along every order that the plan allows; gate.h places its gate.
//
// A rule closes the way back if the new release raises a format that the old one cannot read and
// nothing lowers again. closing_actions.h finds the actions with which such a rule can first fire.
// A step that destroys a store of the old release closes the way back, too.
//
// If the checker has tried the way back from every state, its findings count instead of the rules.
// They may move the point of no return in both directions.
#include "model/effect_kinds.h"
#include "model/version.h"
#include "planner/closing_actions.h"
#include "planner/compile.h"
#include "planner/found_installed.h"
#include "planner/gate.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

namespace drydock::planner {

namespace {

using model::Action;
using model::EffectKind;
using model::FormatRule;
using model::FormatTrigger;
using model::Plan;

std::vector<std::size_t> indices_of(const Plan& plan,
                                    const std::function<bool(const Action&)>& test) {
    std::vector<std::size_t> indices;
    for (std::size_t i = 0; i < plan.actions.size(); ++i) {
        if (test(plan.actions[i])) {
            indices.push_back(i);
        }
    }
    return indices;
}

// Returns the members of a role but the dead one, and whether each runs the series before the plan.
std::vector<MemberRelease> runners_of(const PlanBuilder& draft,
                                      const std::string& role,
                                      const std::string& series,
                                      const std::string& dead = "") {
    const std::string running = bound_fact(draft.request.pack, role, model::StandardFact::running);
    std::vector<MemberRelease> runners;
    for (const model::Member& member : draft.request.cluster.members) {
        const auto entry = draft.request.facts.find(model::fact_key(member.name, running));
        const bool runs = entry != draft.request.facts.end()
                          && entry->second.status == model::ObservationStatus::known
                          && model::version_in_series(entry->second.value.as_string(), series);
        const bool is_down = entry != draft.request.facts.end()
                             && entry->second.status == model::ObservationStatus::absent;
        if (member.role == role && member.name != dead) {
            runners.push_back({member.name, runs, is_down});
        }
    }
    return runners;
}

// Returns the actions with whose effects the rule can first fire, in some order of the plan.
std::vector<std::size_t> closing_by_effects(const PlanBuilder& draft,
                                            const Plan& plan,
                                            const FormatRule& law,
                                            const std::string& dead) {
    const std::string running =
        bound_fact(draft.request.pack, law.role, model::StandardFact::running);
    if (law.trigger == FormatTrigger::when_all) {
        return closing_when_all(plan, runners_of(draft, law.role, law.series), running, law.series);
    }
    if (law.trigger == FormatTrigger::when_all_running) {
        return closing_when_all_running(
            plan, runners_of(draft, law.role, law.series, dead), running, law.series);
    }
    // Whoever starts may come to lead.
    const bool start =
        law.trigger == FormatTrigger::on_start || law.trigger == FormatTrigger::on_lead;
    return first_of(plan, indices_of(plan, [&](const Action& action) {
                        return start ? starts_series(action, running, law.series)
                                     : has_effect(action,
                                                  law.trigger == FormatTrigger::on_destroy
                                                      ? EffectKind::destroys
                                                      : EffectKind::raises,
                                                  law.store);
                    }));
}

// True if a store has the rule's format from the begin of the action on.
bool converts_meanwhile(const Action& action, const FormatRule& law) {
    return std::any_of(
        action.meanwhile.begin(), action.meanwhile.end(), [&](const model::Effect& effect) {
            return effect.name == law.store && model::converts(effect.kind);
        });
}

bool moves_meanwhile(const Action& action) {
    return std::any_of(action.meanwhile.begin(), action.meanwhile.end(), [](const auto& effect) {
        return effect.kind == EffectKind::becomes && !effect.member.empty();
    });
}

// True if the rule can fire while the action is under way: by a format, or by whom it takes down.
bool closes_meanwhile(const PlanBuilder& draft,
                      std::size_t index,
                      const FormatRule& law,
                      const std::string& dead) {
    const Action& action = draft.plan.actions[index];
    if (converts_meanwhile(action, law) || !moves_meanwhile(action)) {
        return converts_meanwhile(action, law);
    }
    Plan begun = draft.plan;
    begun.actions[index].effects = action.meanwhile;
    const auto closing = closing_by_effects(draft, begun, law, dead);
    return std::find(closing.begin(), closing.end(), index) != closing.end();
}

// Returns the actions with which the rule can first fire: while they are under way, or after them.
// Some member may be dead, which holds up no rule that asks those that run.
std::vector<std::size_t>
closing_actions(const PlanBuilder& draft, const FormatRule& law, const std::string& dead = "") {
    std::vector<std::size_t> closing = closing_by_effects(draft, draft.plan, law, dead);
    for (std::size_t i = 0; i < draft.plan.actions.size(); ++i) {
        if (closes_meanwhile(draft, i, law, dead)) {
            closing.push_back(i);
        }
    }
    return first_of(draft.plan, closing);
}

// Returns what the gate of these closing actions is to stand before: them, and what can close the
// way back before them when a member dies.
std::vector<std::size_t> guarded_by_gate(const PlanBuilder& draft,
                                         std::vector<std::size_t> closing) {
    for (const FormatRule& law : draft.plan.laws) {
        if (law.trigger != FormatTrigger::when_all_running
            || rule_state(draft, law) != RuleState::open) {
            continue;
        }
        for (const MemberRelease& dead : runners_of(draft, law.role, law.series)) {
            const auto early = closing_actions(draft, law, dead.member);
            closing.insert(closing.end(), early.begin(), early.end());
        }
    }
    return first_of(draft.plan, closing);
}

// Words what makes the format rise.
std::string cause_of(const PlanBuilder& draft, const FormatRule& law) {
    const std::string& title = draft.request.pack.title;
    switch (law.trigger) {
    case FormatTrigger::when_all:
        return fmt::format("when every member runs {}, {} raises its {} level to {} by itself, "
                           "within seconds",
                           law.series,
                           title,
                           law.store,
                           law.becomes);
    case FormatTrigger::when_all_running:
        return fmt::format("when nobody runs anything but {}, {} raises its {} level to {} by "
                           "itself, whoever is down",
                           law.series,
                           title,
                           law.store,
                           law.becomes);
    case FormatTrigger::on_lead:
        return fmt::format("when a member of {} comes to lead, it raises {} to {}",
                           law.series,
                           law.store,
                           law.becomes);
    case FormatTrigger::on_start:
        return fmt::format(
            "the first start of {} converts {} to {}", law.series, law.store, law.becomes);
    case FormatTrigger::never:
    case FormatTrigger::on_finalize:
    case FormatTrigger::on_migrate:
    case FormatTrigger::on_destroy:
    case FormatTrigger::found:
        break;
    }
    return fmt::format("this step raises {} to {}", law.store, law.becomes);
}

// Words the reason that a person reads at the gate.
std::string reason_of(const PlanBuilder& draft, const FormatRule& law) {
    const auto& from_version = draft.request.from_version;
    if (law.trigger == FormatTrigger::on_destroy) {
        return fmt::format("this step destroys {}, which {} needs", law.store, from_version);
    }
    if (law.trigger == FormatTrigger::found) {
        return fmt::format("behind this step there is no way back: {}",
                           draft.request.return_point_hint->because);
    }
    return fmt::format("{}; {} cannot read that", cause_of(draft, law), from_version);
}

// Places the gate and describes the point of no return. The first closing action names it.
void guard_by_gate(PlanBuilder& draft,
                   const FormatRule& law,
                   const std::vector<std::size_t>& closing) {
    std::vector<std::string> ids;
    ids.reserve(closing.size());
    for (const std::size_t action : closing) {
        ids.push_back(draft.plan.actions[action].id);
    }
    const std::string because = reason_of(draft, law);
    const std::string gate =
        place_gate(draft, guarded_by_gate(draft, closing), because, law.source);
    draft.plan.point_of_no_return = {.exists = true,
                                     .action = ids.front(),
                                     .gate = gate,
                                     .store = law.store,
                                     .law = std::string(name_of(law.trigger)),
                                     .because = because,
                                     .source = law.source,
                                     .further_actions = {ids.begin() + 1, ids.end()}};
}

// Returns the closing actions of all open rules, each with its rule.
std::map<std::size_t, const FormatRule*> closing_by_laws(const PlanBuilder& draft) {
    std::map<std::size_t, const FormatRule*> laws;
    for (const FormatRule& law : draft.plan.laws) {
        if (rule_state(draft, law) == RuleState::open) {
            for (const std::size_t action : closing_actions(draft, law)) {
                laws.emplace(action, &law);
            }
        }
    }
    return laws;
}

// Guards the actions that close the way back before any other does.
// Without a closing action the plan has no point of no return, and gets no gate.
void guard_first_law(PlanBuilder& draft) {
    const auto laws = closing_by_laws(draft);
    std::vector<std::size_t> closing;
    closing.reserve(laws.size());
    for (const auto& [action, law] : laws) {
        closing.push_back(action);
    }
    closing = first_of(draft.plan, closing);
    if (!closing.empty()) {
        guard_by_gate(draft, *laws.at(closing.front()), closing);
    }
}

// Returns the checker's closing actions, and the same steps on members that may come first as well.
std::vector<std::size_t> found_actions(const PlanBuilder& draft) {
    const Plan& plan = draft.plan;
    std::vector<std::size_t> indices;
    for (const std::string& id : draft.request.return_point_hint->actions) {
        const auto named = indices_of(plan, [&](const Action& action) { return action.id == id; });
        const auto is_ancestor = ancestors(plan, named);
        for (std::size_t i = 0; i < plan.actions.size() && !named.empty(); ++i) {
            const bool is_same_step = plan.actions[i].source == plan.actions[named.front()].source;
            const bool is_independent =
                is_same_step && !is_ancestor[i] && !ancestors(plan, {i})[named.front()];
            if (is_independent) {
                indices.push_back(i);
            }
        }
    }
    std::sort(indices.begin(), indices.end());
    indices.erase(std::unique(indices.begin(), indices.end()), indices.end());
    return first_of(plan, indices);
}

// Marks a rule as harmless if the checker found the way back open behind it: the downgrade lowers
// the format again.
void open_again(PlanBuilder& draft, const FormatRule& opened, const std::string& action) {
    for (FormatRule& law : draft.plan.laws) {
        law.blocks_downgrade = law.blocks_downgrade && law.store != opened.store;
    }
    for (model::PlanStore& store : draft.plan.stores) {
        if (store.name == opened.store && store.laws.contains(draft.request.to_version)) {
            store.laws.at(draft.request.to_version).lowers_on_request = true;
        }
    }
    draft.plan.notes.push_back(
        fmt::format("{} raises {} to {}, and the way back lowers it again: that was tried from "
                    "every state, so no approval is asked for it",
                    action,
                    opened.store,
                    opened.becomes));
}

// Applies the checker's findings, which stand above the rules in both directions.
void gate_from_checker(PlanBuilder& draft) {
    const Plan& plan = draft.plan;
    const auto closing = found_actions(draft);
    const auto laws = closing_by_laws(draft);
    for (const auto& [action, law] : laws) {
        const auto is_ancestor = ancestors(plan, {action});
        const bool is_behind =
            std::any_of(closing.begin(), closing.end(), [&, target = action](auto candidate) {
                return candidate == target || is_ancestor[candidate];
            });
        if (!is_behind && law->blocks_downgrade) {
            open_again(draft, *law, plan.actions[action].id);
        }
    }
    if (closing.empty()) {
        return;
    }
    const Action first = plan.actions[closing.front()];
    const auto entry = laws.find(closing.front());
    const FormatRule no_law = {"", "", {}, FormatTrigger::found, "", "", true, first.source};
    guard_by_gate(draft, entry == laws.end() ? no_law : *entry->second, closing);
    draft.plan.notes.push_back(fmt::format("the way back was tried from every state of the run: "
                                           "it closes with {}, and the gate stands before that",
                                           first.id));
}

bool runs_series(const MemberRelease& runner) {
    return runner.runs;
}

bool runs_no_other(const MemberRelease& runner) {
    return runner.runs || runner.is_down;
}

// True if a rule's trigger holds for these members: the format may rise whatever the plan does.
bool may_fire(FormatTrigger raises, const std::vector<MemberRelease>& runners) {
    const bool any_runs = std::any_of(runners.begin(), runners.end(), runs_series);
    const bool all_run = std::all_of(runners.begin(), runners.end(), runs_series);
    const bool no_other_runs = std::all_of(runners.begin(), runners.end(), runs_no_other);
    return any_runs
           && (raises == FormatTrigger::on_lead || (raises == FormatTrigger::when_all && all_run)
               || (raises == FormatTrigger::when_all_running && no_other_runs));
}

}  // namespace

// A rule without a fired level may hold already: if every member runs its series, the format may
// rise at any moment.
RuleState rule_state(const PlanBuilder& draft, const FormatRule& law) {
    if (!law.blocks_downgrade) {
        return RuleState::harmless;
    }
    const bool fired =
        std::any_of(law.levels.begin(), law.levels.end(), [&](const std::string& key) {
            const auto level = draft.request.facts.find(key);
            return level != draft.request.facts.end()
                   && level->second.status == model::ObservationStatus::known
                   && model::version_in_series(level->second.value.show(), law.becomes);
        });
    if (fired) {
        return RuleState::fired;
    }
    return may_fire(law.trigger, runners_of(draft, law.role, law.series)) ? RuleState::may_fire
                                                                          : RuleState::open;
}

void place_return_point(PlanBuilder& draft) {
    const model::Pack& pack = draft.request.pack;
    const auto from_index = static_cast<int>(series_index(pack, draft.request.from_version));
    draft.plan.max_skew =
        std::abs(from_index - static_cast<int>(series_index(pack, draft.request.to_version)));
    draft.plan.skew = pack.skew;
    for (const FormatRule& law : draft.plan.laws) {
        if (rule_state(draft, law) == RuleState::may_fire) {
            draft.plan.notes.push_back(fmt::format(
                "{} {} already: {} may rise to {} at any moment, and "
                "then the way back in place is closed",
                law.trigger == FormatTrigger::when_all ? "every member runs" : "members run",
                law.series,
                law.store,
                law.becomes));
        }
    }
    note_found_installed(draft);
    note_formats_untold(draft);
    if (draft.request.return_point_hint) {
        gate_from_checker(draft);
    } else {
        guard_first_law(draft);
    }
    note_who_waits(draft);
}

}  // namespace drydock::planner
