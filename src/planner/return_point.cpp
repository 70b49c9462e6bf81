// Pass: the point of no return along every order that the plan allows; gate.h places its gate.
//
// A rule closes the way back if the new release raises a format that the old one cannot read and
// nothing lowers again. closing_actions.h finds the actions with which such a rule can first fire.
// A step that destroys a store of the old release closes the way back, too.
//
// If the checker has tried the way back from every state, its findings count instead of the rules.
// They may move the point of no return in both directions.
#include "model/version.h"
#include "planner/closing_actions.h"
#include "planner/compile.h"
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

constexpr std::size_t k_formats_max = 16;  // a store with more formats keeps only those in question

bool lists(const std::vector<std::string>& formats, const std::string& format) {
    return std::find(formats.begin(), formats.end(), format) != formats.end();
}

// Returns the keys of the facts that tell a store's format: the system's, or one a member.
std::vector<std::string> levels_of(const PlanBuilder& draft, const model::StoreSpec& store) {
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

// Returns the formats that the plan is about. A chain of schemas has a format for each head; only
// the two releases' own and the store's present one matter.
std::vector<std::string> formats_of(const PlanBuilder& draft, const model::PlanStore& store) {
    std::vector<std::string> formats = store.formats;
    if (formats.size() <= k_formats_max) {
        return formats;
    }
    std::erase_if(formats, [&](const std::string& format) {
        const bool is_law = std::any_of(store.laws.begin(), store.laws.end(), [&](const auto& law) {
            return law.second.writes == format || lists(law.second.reads, format);
        });
        return !is_law
               && std::none_of(store.levels.begin(), store.levels.end(), [&](const auto& key) {
                      const auto fact = draft.scope.facts.find(key);
                      return fact != draft.scope.facts.end() && fact->second.value.show() == format;
                  });
    });
    return formats;
}

// Describes a store by its roles, its formats and the rules of both releases.
void add_store(PlanBuilder& draft, const model::StoreSpec& store) {
    const model::Pack& pack = draft.request.pack;
    model::PlanStore plan_store = {
        store.name, store.role, {}, store.shared, levels_of(draft, store), store.formats, {}};
    for (const auto& [name, role] : pack.roles) {
        if (lists(role.stores, store.name)) {
            plan_store.opened_by.push_back(name);
        }
    }
    for (const std::string& release : {draft.request.from, draft.request.to}) {
        if (const auto* law = law_of(pack, release, store.name)) {
            plan_store.laws[release] = *law;
        }
    }
    plan_store.formats = formats_of(draft, plan_store);
    draft.plan.stores.push_back(std::move(plan_store));
}

// Adds the new release's rule for a store. It closes the way back if the old release cannot read
// the format.
void add_law(PlanBuilder& draft, const model::StoreSpec& store) {
    const model::Pack& pack = draft.request.pack;
    const auto* old_support = law_of(pack, draft.request.from, store.name);
    const auto* new_support = law_of(pack, draft.request.to, store.name);
    if (old_support == nullptr || new_support == nullptr
        || new_support->raises == FormatTrigger::never) {
        return;
    }
    const bool readable = lists(old_support->reads, new_support->writes);
    draft.plan.laws.push_back({store.name,
                               store.role,
                               levels_of(draft, store),
                               new_support->raises,
                               series_of(pack, draft.request.to),
                               new_support->writes,
                               !readable && !new_support->lowers_on_request,
                               place(pack, new_support->where)});
}

bool has_effect(const Action& action, EffectKind kind, const std::string& store) {
    return std::any_of(
        action.effects.begin(), action.effects.end(), [&](const model::Effect& effect) {
            return effect.kind == kind && effect.name == store;
        });
}

// Adds a rule for a store that a step destroys and the old release needs: it is gone, whatever the
// releases could read.
void add_destruction(PlanBuilder& draft, const model::StoreSpec& store) {
    const auto& actions = draft.plan.actions;
    const auto destroys = std::find_if(actions.begin(), actions.end(), [&](const Action& action) {
        return has_effect(action, EffectKind::destroys, store.name);
    });
    const bool needed = law_of(draft.request.pack, draft.request.from, store.name) != nullptr;
    if (destroys != actions.end() && needed) {
        draft.plan.laws.push_back({store.name,
                                   store.role,
                                   {},
                                   FormatTrigger::on_destroy,
                                   series_of(draft.request.pack, draft.request.to),
                                   "",
                                   true,
                                   destroys->source});
    }
}

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

// Returns the members of a role, and whether each runs the series before the plan.
std::vector<MemberRelease>
runners_of(const PlanBuilder& draft, const std::string& role, const std::string& series) {
    const std::string running = bound_fact(draft.request.pack, role, model::StandardFact::running);
    std::vector<MemberRelease> runners;
    for (const model::Member& member : draft.request.cluster.members) {
        const auto entry = draft.request.facts.find(model::fact_key(member.name, running));
        const bool runs = entry != draft.request.facts.end()
                          && entry->second.status == model::ObservationStatus::known
                          && model::version_in_series(entry->second.value.as_string(), series);
        if (member.role == role) {
            runners.push_back({member.name, runs});
        }
    }
    return runners;
}

// Returns the actions after which the rule can first fire, in some order of the plan.
std::vector<std::size_t> closing_actions(const PlanBuilder& draft, const FormatRule& law) {
    const Plan& plan = draft.plan;
    const std::string running =
        bound_fact(draft.request.pack, law.role, model::StandardFact::running);
    if (law.raises == FormatTrigger::when_all) {
        return closing_when_all(plan, runners_of(draft, law.role, law.series), running, law.series);
    }
    const bool start = law.raises == FormatTrigger::on_start;
    return first_of(plan, indices_of(plan, [&](const Action& action) {
                        return start ? starts_series(action, running, law.series)
                                     : has_effect(action,
                                                  law.raises == FormatTrigger::on_destroy
                                                      ? EffectKind::destroys
                                                      : EffectKind::raises,
                                                  law.store);
                    }));
}

// Words the reason that a person reads at the gate.
std::string reason_of(const PlanBuilder& draft, const FormatRule& law) {
    const auto& from_version = draft.request.from;
    if (law.raises == FormatTrigger::on_destroy) {
        return fmt::format("this step destroys {}, which {} needs", law.store, from_version);
    }
    if (law.raises == FormatTrigger::found) {
        return fmt::format("behind this step there is no way back: {}",
                           draft.request.closing->because);
    }
    const std::string cause =
        law.raises == FormatTrigger::when_all
            ? fmt::format("when every member runs {}, {} raises its {} level "
                          "to {} by itself, within seconds",
                          law.series,
                          draft.request.pack.title,
                          law.store,
                          law.becomes)
        : law.raises == FormatTrigger::on_start
            ? fmt::format(
                  "the first start of {} converts {} to {}", law.series, law.store, law.becomes)
            : fmt::format("this step raises {} to {}", law.store, law.becomes);
    return fmt::format("{}; {} cannot read that", cause, from_version);
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
    const std::string gate = place_gate(draft, closing, because, law.source);
    draft.plan.point_of_no_return = {.exists = true,
                                     .action = ids.front(),
                                     .gate = gate,
                                     .store = law.store,
                                     .law = std::string(name_of(law.raises)),
                                     .because = because,
                                     .source = law.source,
                                     .others = {ids.begin() + 1, ids.end()}};
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
    for (const std::string& id : draft.request.closing->actions) {
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
        law.closes = law.closes && law.store != opened.store;
    }
    for (model::PlanStore& store : draft.plan.stores) {
        if (store.name == opened.store && store.laws.contains(draft.request.to)) {
            store.laws.at(draft.request.to).lowers_on_request = true;
        }
    }
    draft.plan.skipped.push_back(
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
        if (!is_behind && law->closes) {
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
    draft.plan.skipped.push_back(fmt::format("the way back was tried from every state of the run: "
                                             "it closes with {}, and the gate stands before that",
                                             first.id));
}

}  // namespace

// A rule without a fired level may hold already: if every member runs its series, the format may
// rise at any moment.
RuleState rule_state(const PlanBuilder& draft, const FormatRule& law) {
    if (!law.closes) {
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
    const auto runners = runners_of(draft, law.role, law.series);
    const bool all_run = !runners.empty()
                         && std::all_of(runners.begin(),
                                        runners.end(),
                                        [](const MemberRelease& runner) { return runner.runs; });
    return law.raises == FormatTrigger::when_all && all_run ? RuleState::may_fire : RuleState::open;
}

void place_return_point(PlanBuilder& draft) {
    const model::Pack& pack = draft.request.pack;
    for (const auto& [name, store] : pack.stores) {
        add_law(draft, store);
        add_destruction(draft, store);
        add_store(draft, store);
    }
    const auto from_index = static_cast<int>(series_index(pack, draft.request.from));
    draft.plan.max_skew =
        std::abs(from_index - static_cast<int>(series_index(pack, draft.request.to)));
    draft.plan.skew = pack.skew;
    for (const FormatRule& law : draft.plan.laws) {
        if (rule_state(draft, law) == RuleState::may_fire) {
            draft.plan.skipped.push_back(
                fmt::format("every member runs {} already: {} may rise to {} at any moment, and "
                            "then the way back in place is closed",
                            law.series,
                            law.store,
                            law.becomes));
        }
    }
    if (draft.request.closing) {
        gate_from_checker(draft);
    } else {
        guard_first_law(draft);
    }
}

}  // namespace drydock::planner
