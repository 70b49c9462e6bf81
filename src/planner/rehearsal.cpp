// Passes: the rule of rehearsals, and the result of one.
//
// A rehearsal tries a hop on a copy. Drydock enforces that it keeps to the copy: its steps read
// facts, wait, or run a command that names the scratch folder. They have no effect on the modelled
// cluster, and nothing is asked of a member's own address or service. A step may also make the new
// release's environment: the agent makes one where none is, and changes none that is there.
// docs/design/0010-rehearsal.md has the reasons.
#include "planner/rehearsal.h"

#include "base/text.h"
#include "planner/compile.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::planner {

namespace {

using model::Action;
using model::Verb;

bool names_folder(const Json& argv, const std::string& folder) {
    const auto& words = argv.items();
    return std::any_of(words.begin(), words.end(), [&](const Json& word) {
        return word.as_string() == folder || word.as_string().starts_with(folder + "/");
    });
}

// Returns why the action would touch more than the copy; empty if it would not.
std::string touched_by(const Action& action, const std::string& scratch) {
    if (action.verb != Verb::require && action.verb != Verb::wait && action.verb != Verb::run) {
        return fmt::format("`{}` acts on the cluster itself", name_of(action.verb));
    }
    for (const auto* effects : {&action.effects, &action.meanwhile}) {
        if (!effects->empty()) {
            return fmt::format("it has the effect `{}` on the cluster itself",
                               name_of(effects->front().kind));
        }
    }
    if (action.request.is_null() || action.request["kind"] == Json("venv")) {
        return {};
    }
    if (action.request["kind"] != Json("command")) {
        return fmt::format("`{}` is no command in the scratch folder",
                           action.request["kind"].as_string());
    }
    return names_folder(action.request["argv"], scratch)
               ? ""
               : "its command does not name ${scratch} as an argument";
}

// Returns the value of any member's fact that is bound to the standard fact.
const model::Observation* find_rehearsed(const PlanBuilder& draft, model::StandardFact standard) {
    for (const auto& [key, source] : *draft.sources) {
        const auto entry = draft.request.facts.find(key);
        if (source.standard_fact == standard && entry != draft.request.facts.end()
            && entry->second.status == model::ObservationStatus::known) {
            return &entry->second;
        }
    }
    return nullptr;
}

}  // namespace

void check_rehearsal(PlanBuilder& draft) {
    if (draft.request.procedure != model::k_rehearsal) {
        return;
    }
    const auto scratch = resolve(draft.scope, nullptr, "scratch");
    for (const Action& action : draft.plan.actions) {
        const std::string reason = touched_by(action, scratch.value_or(""));
        if (!reason.empty()) {
            draft.problem(
                {"rehearsal.touches",
                 fmt::format(
                     "{} ({}) would not keep to the copy: {}", action.id, action.source, reason),
                 "a rehearsal may `require`, `wait`, and `run` commands in ${scratch}",
                 ErrorClass::permanent});
        }
    }
}

// A forward step that failed on the copy leaves nothing to say about the way back.
void add_rehearsal(PlanBuilder& draft) {
    const auto* backward = find_rehearsed(draft, model::StandardFact::rehearsed_back);
    if (draft.request.procedure != model::k_upgrade || backward == nullptr) {
        return;
    }
    const auto* forward = find_rehearsed(draft, model::StandardFact::rehearsed_forward);
    if (forward != nullptr && forward->value == Json(false)) {
        draft.plan.notes.emplace_back("rehearsed on a copy: the new release failed");
        return;
    }
    const auto* duration = find_rehearsed(draft, model::StandardFact::rehearsed_ms);
    const std::string way = backward->value.show();
    draft.plan.notes.push_back(fmt::format(
        "rehearsed on a copy: {}way back behind the last step: {}",
        duration != nullptr ? show_duration(duration->value.as_int()) + " forward, " : "",
        way));
    for (model::RecoveryOption& option : draft.plan.ways_back) {
        if (option.kind == model::RecoveryKind::downgrade) {
            option.cost += fmt::format("; rehearsed behind the last step: {}", way);
        }
    }
}

}  // namespace drydock::planner
