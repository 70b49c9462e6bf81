// Passes: standing requirements, risks, ways back, and the facts that the plan is bound to.
//
// A plan is refused if its bound facts have moved, so it is bound to few: standard facts,
// identities, facts that its steps change, and facts that it compares with `planned`. Requirements
// are read again when they matter. docs/design/0001-the-core.md, "What a plan is bound to".
#include "model/version.h"
#include "planner/compile.h"
#include "planner/rehearsal.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_set>

namespace drydock::planner {

namespace {

using model::Action;
using model::Condition;
using model::Plan;
using model::RecoveryKind;
using model::RiskState;
using model::Verb;

// True if the action takes a member down, or brings another release up, by an effect of its own.
bool moves_member(const PlanBuilder& draft, const Action& action) {
    return action.verb != Verb::start
           && std::any_of(action.effects.begin(), action.effects.end(), [&](const auto& effect) {
                  const model::Member* member = find_member(draft.request.cluster, effect.member);
                  return member != nullptr && effect.kind == model::EffectKind::becomes
                         && effect.name
                                == bound_fact(
                                    draft.request.pack, member->role, model::StandardFact::running);
              });
}

// True for actions before which standing requirements are checked: they take something out of
// service or close a way.
bool interferes(const PlanBuilder& draft, const Action& action) {
    return action.verb == Verb::stop || action.verb == Verb::restart
           || action.verb == Verb::finalize || action.verb == Verb::migrate
           || action.verb == Verb::destroy || action.is_gate() || moves_member(draft, action);
}

// Evaluates a known risk. A risk that cannot be evaluated counts as present.
RiskState state_of(const PlanBuilder& draft, const model::Risk& risk) {
    const model::FactView view = {
        draft.request.facts, draft.request.facts, draft.request.facts, draft.scope.members, ""};
    switch (model::evaluate_all(risk.conditions, view).outcome) {
    case model::Truth::yes:
        return RiskState::present;
    case model::Truth::no:
        return RiskState::absent;
    case model::Truth::cannot_tell:
        break;
    }
    return RiskState::cannot_tell;
}

bool any_law(const PlanBuilder& draft, RuleState standing) {
    const auto& laws = draft.plan.laws;
    return std::any_of(laws.begin(), laws.end(), [&](const model::FormatRule& law) {
        return rule_state(draft, law) == standing;
    });
}

// Words the time in which a way back is open.
std::string phase_of_way(const PlanBuilder& draft, RecoveryKind kind) {
    if (kind == RecoveryKind::downgrade && any_law(draft, RuleState::may_fire)) {
        return "until the level rises by itself";
    }
    if (!draft.plan.point_of_no_return.exists) {
        return "at any time";
    }
    return kind == RecoveryKind::downgrade ? "before the gate" : "after the gate";
}

// Returns the command of a way back, to be typed.
std::string command_of_way(const Plan& plan, RecoveryKind kind) {
    const std::string file = plan.cluster_file;
    if (kind == RecoveryKind::downgrade) {
        return fmt::format("drydock downgrade -c {}", file);
    }
    const std::string way = kind == RecoveryKind::rebuild ? "--rebuild" : "--restore COPY";
    return fmt::format("drydock plan -c {} --to {} {} -o back.json", file, plan.from_version, way);
}

using Keys = std::unordered_set<std::string>;

// Collects the facts that conditions look at. A condition on all members of a role is gathered
// once, however many actions have it. A condition that two members have on all others is one on all
// members.
class FactCollector {
public:
    explicit FactCollector(const Plan& plan) : roster_(plan.roster()) {}

    void add(const Condition& condition, const std::string& member) {
        const FactOfRole fact_of_role = {condition.fact, condition.role};
        const bool asks_others = condition.quantifier == model::Quantifier::others;
        const bool is_widened =
            asks_others && by_others_.emplace(fact_of_role, member).first->second != member;
        const bool asks_all = is_widened || condition.quantifier == model::Quantifier::every
                              || condition.quantifier == model::Quantifier::any;
        if (facts_of_all_.contains(fact_of_role) && (asks_all || asks_others)) {
            return;
        }
        if (asks_all) {
            facts_of_all_.insert(fact_of_role);
        }
        if (is_widened) {
            Condition of_every = condition;
            of_every.quantifier = model::Quantifier::every;
            add_keys(of_every, member);
        } else {
            add_keys(condition, member);
        }
    }

    Keys keys;

private:
    void add_keys(const Condition& condition, const std::string& member) {
        for (std::string& key : model::facts_of(condition, roster_, member)) {
            keys.insert(std::move(key));
        }
    }

    using FactOfRole = std::pair<std::string_view, std::string_view>;  // fact and role, of the plan

    model::Roster roster_;
    std::set<FactOfRole> facts_of_all_;
    std::map<FactOfRole, std::string> by_others_;
};

// Returns the cost of a way back. A cost may name a fact that is known only later (the writes that
// a restore would lose); then only its first part is shown.
std::string cost_of_way(const TemplateContext& scope, const std::string& cost) {
    const auto cut = cost.find(':');
    const auto filled = fill_text(scope, nullptr, cost);
    return filled ? *filled : cost.substr(0, cut);
}

void add_effects(const Action& action, Keys& keys) {
    for (const auto* effects : {&action.effects, &action.meanwhile}) {
        for (const model::Effect& effect : *effects) {
            keys.insert(model::fact_key(effect.member, effect.name));
        }
    }
}

// True for facts that every plan is bound to: standard facts, identities, temporary facts, and
// facts of stores that say by which release one is read and whether it was left clean.
bool is_always_bound(const Plan& plan, const model::FactSource& source) {
    return source.identity || source.standard_fact != model::StandardFact::none
           || source.temporary != model::Temporary::no
           || std::any_of(plan.stores.begin(), plan.stores.end(), [&](const auto& store) {
                  const auto& clean = store.clean_stop;
                  return (!source.member.empty() && source.name == store.read_by)
                         || std::find(clean.begin(), clean.end(), source.key) != clean.end();
              });
}

// Returns all facts that the plan needs: those of conditions and effects, identities and standard
// facts.
Keys facts_in_use(const Plan& plan, const model::FactSources& sources) {
    FactCollector looked(plan);
    for (const Action& action : plan.actions) {
        for (const auto* conditions : {&action.applies_if,
                                       &action.preconditions,
                                       &action.postconditions,
                                       &action.completion_check,
                                       &action.fail_fast_if}) {
            for (const Condition& condition : *conditions) {
                looked.add(condition, action.member);
            }
        }
        add_effects(action, looked.keys);
    }
    for (const auto& [key, source] : sources) {
        if (is_always_bound(plan, source)) {
            looked.keys.insert(key);
        }
    }
    return std::move(looked.keys);
}

// Adds the inputs of derived facts.
void add_inputs(const model::FactSources& sources, Keys& keys) {
    std::vector<std::string> pending(keys.begin(), keys.end());
    while (!pending.empty()) {
        const auto source = sources.find(pending.back());
        pending.pop_back();
        if (source == sources.end()) {
            continue;
        }
        for (const std::string& input : source->second.inputs) {
            if (keys.insert(input).second) {
                pending.push_back(input);
            }
        }
    }
}

// Copies the sources that the plan needs; it has no others.
void take_used_sources(Plan& plan, const model::FactSources& sources) {
    Keys used = facts_in_use(plan, sources);
    add_inputs(sources, used);
    for (const auto& source : sources) {
        if (used.contains(source.first)) {
            plan.sources.emplace_hint(plan.sources.end(), source);
        }
    }
}

// Returns the facts that conditions compare with the plan. Those that move by themselves are among
// them: what they were is known all the same, and a difference is no drift.
Keys facts_compared(const Plan& plan) {
    FactCollector looked(plan);
    for (const Action& action : plan.actions) {
        for (const auto* conditions :
             {&action.applies_if, &action.preconditions, &action.postconditions}) {
            for (const Condition& condition : *conditions) {
                if (condition.relation == model::Relation::as_planned) {
                    looked.add(condition, action.member);
                }
            }
        }
    }
    return std::move(looked.keys);
}

// Returns the facts that the plan is bound to: standard facts, identities, facts that its steps
// change, and facts that it compares with the plan. A fact of a mere requirement is read again when
// it matters, and may change meanwhile.
Keys facts_to_bind(const Plan& plan) {
    Keys keys;
    for (const Action& action : plan.actions) {
        add_effects(action, keys);
    }
    for (const auto& [key, source] : plan.sources) {
        if (is_always_bound(plan, source)) {
            keys.insert(key);
        }
    }
    std::erase_if(keys, [&](const std::string& key) {
        const auto source = plan.sources.find(key);
        return source != plan.sources.end() && source->second.is_volatile;
    });
    keys.merge(facts_compared(plan));
    return keys;
}

// True if the selection is of a role that the cluster has a member of, on whichever side.
bool selects_any(const model::Cluster& cluster, const model::Selection& selection) {
    const auto role = model::without_side(selection.role);
    return std::any_of(
        cluster.members.begin(), cluster.members.end(), [&](const model::Member& member) {
            return model::without_side(member.role) == role;
        });
}

// True if the procedure does something here. The steps of roles without members vanish, and a
// procedure that is all steps of such roles is no way back.
bool concerns(const model::Cluster& cluster, const model::ProcedureSpec& procedure) {
    bool is_of_roles = false;
    bool is_any = false;
    const auto look_at = [&](const std::optional<model::Selection>& selection) {
        const bool has_role = selection && !selection->role.empty();
        is_of_roles = is_of_roles || has_role;
        is_any = is_any || (has_role && selects_any(cluster, *selection));
    };
    for (const model::PhaseSpec& phase : procedure.phases) {
        look_at(phase.selection);
        for (const model::StepSpec& step : phase.steps) {
            look_at(step.selection);
        }
    }
    return is_any || !is_of_roles;
}

}  // namespace

// Requirements guard the actions behind them in the plan's order, not those before.
void add_standing_guards(PlanBuilder& draft) {
    std::vector<Condition> standing_guards;
    for (Action& action : draft.plan.actions) {
        if (action.standing) {
            standing_guards.insert(
                standing_guards.end(), action.preconditions.begin(), action.preconditions.end());
        } else if (!standing_guards.empty() && interferes(draft, action)) {
            action.preconditions.insert(
                action.preconditions.end(), standing_guards.begin(), standing_guards.end());
        }
    }
}

void add_risks(PlanBuilder& draft) {
    const Request& request = draft.request;
    for (const model::Risk& risk : request.pack.risks) {
        if (!model::version_in_range(risk.from_range, request.from_version)
            || !model::version_in_range(risk.to_range, request.to_version)) {
            continue;
        }
        const RiskState state = state_of(draft, risk);
        draft.plan.risks.push_back({risk.id, risk.because, risk.source, state});
        if (risk.blocks && state != RiskState::absent) {
            draft.problem(
                {"plan.risk",
                 fmt::format("known risk {} ({}): {}", risk.id, name_of(state), risk.because),
                 fmt::format("{}{}",
                             risk.source,
                             risk.fixed_in.empty() ? "" : "; fixed in " + risk.fixed_in),
                 ErrorClass::permanent});
        }
    }
}

void add_ways_back(PlanBuilder& draft) {
    if (model::compare_versions(draft.request.from_version, draft.request.to_version) > 0
        || draft.request.procedure == model::k_rehearsal) {
        return;
    }
    const bool closed = any_law(draft, RuleState::fired);
    for (const RecoveryKind kind :
         {RecoveryKind::downgrade, RecoveryKind::rebuild, RecoveryKind::restore}) {
        if (closed && kind == RecoveryKind::downgrade) {
            continue;
        }
        for (const model::ProcedureSpec& procedure : draft.request.pack.procedures) {
            if (procedure.name == name_of(kind) && concerns(draft.request.cluster, procedure)
                && model::version_in_range(procedure.from_range, draft.request.to_version)
                && model::version_in_range(procedure.to_range, draft.request.from_version)) {
                draft.plan.ways_back.push_back({phase_of_way(draft, kind),
                                                kind,
                                                cost_of_way(draft.scope, procedure.cost),
                                                command_of_way(draft.plan, kind)});
            }
        }
    }
}

std::vector<model::RecoveryOption> remaining_options(const Request& request) {
    const TemplateContext scope = {request.pack,
                                   request.cluster,
                                   request.facts,
                                   request.from_version,
                                   request.to_version,
                                   request.run,
                                   request.copy,
                                   {},
                                   {}};
    std::vector<model::RecoveryOption> ways;
    for (const RecoveryKind kind : {RecoveryKind::rebuild, RecoveryKind::restore}) {
        for (const model::ProcedureSpec& procedure : request.pack.procedures) {
            if (procedure.name != name_of(kind) || !concerns(request.cluster, procedure)
                || !model::version_in_range(procedure.from_range, request.from_version)
                || !model::version_in_range(procedure.to_range, request.to_version)) {
                continue;
            }
            const std::string copy =
                fill_text(scope, nullptr, procedure.copy.empty() ? "${backup}" : procedure.copy)
                    .value_or("COPY");
            const std::string option =
                kind == RecoveryKind::rebuild ? "--rebuild" : fmt::format("--restore {}", copy);
            ways.push_back({"now",
                            kind,
                            cost_of_way(scope, procedure.cost),
                            fmt::format("drydock plan -c {} --to {} {} -o back.json",
                                        request.cluster.file,
                                        request.to_version,
                                        option)});
        }
    }
    return ways;
}

// Binds known facts. An unknown fact is left unbound: it would match nothing later.
void bind_facts(PlanBuilder& draft) {
    Plan& plan = draft.plan;
    take_used_sources(plan, *draft.sources);
    const Keys bound = facts_to_bind(plan);
    for (const auto& [key, source] : plan.sources) {
        const auto fact = draft.request.facts.find(key);
        const bool bindable = bound.contains(key) && fact != draft.request.facts.end();
        if (bindable && fact->second.status != model::ObservationStatus::unknown) {
            plan.bound_facts.emplace_hint(
                plan.bound_facts.end(),
                key,
                model::Observation{fact->second.status, fact->second.value, "the plan", 0});
        }
    }
    if (!draft.request.keeps_survey) {
        return;
    }
    auto planned = plan.bound_facts.begin();  // both are in order
    for (const auto& [key, fact] : draft.request.facts) {
        while (planned != plan.bound_facts.end() && planned->first < key) {
            ++planned;
        }
        const bool is_planned = planned != plan.bound_facts.end() && planned->first == key;
        if (fact.status != model::ObservationStatus::unknown && !is_planned) {
            plan.survey_facts.emplace_hint(
                plan.survey_facts.end(),
                key,
                model::Observation{fact.status, fact.value, "the plan", 0});
        }
    }
}

}  // namespace drydock::planner
