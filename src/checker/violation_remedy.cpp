// Remedies by property. Those of stores and of quorums have files of their own, since they depend
// on more than the kind of the last transition.
#include "checker/violation_remedy.h"

#include "base/text.h"
#include "checker/remedies.h"
#include "checker/termination.h"
#include "checker/transition_text.h"
#include "checker/violation_parts.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::checker {

namespace {

using model::Action;

// True if the last transition is a start that is no step of the plan.
bool is_start_by_itself(const Path& walk) {
    return walk.last_transition.kind == TransitionKind::member_restarts
           || walk.last_transition.kind == TransitionKind::member_started;
}

// True if the plan found another release installed than the one that ran, and left it there.
bool was_found_switched(const Model& model, const Path& walk) {
    const Member& member = model.members[walk.last_transition.index];
    return member.installed != k_no_offset && member.running != k_no_offset
           && walk.row[member.installed] == model.initial[member.installed]
           && model.initial[member.running] != k_absent
           && model.initial[member.installed] != model.initial[member.running];
}

// A start that nobody asked for brings up what is installed. So the step that installs it is to
// move, or the release that the plan found installed is to go.
std::string remedy_of_early_install(const Model& model,
                                    const Path& walk,
                                    const char* advice = "install it only when it may run beside "
                                                         "the others: change the order of the "
                                                         "steps, or of the roles") {
    const Member& member = model.members[walk.last_transition.index];
    const bool is_as_found = member.installed != k_no_offset
                             && walk.row[member.installed] == model.initial[member.installed];
    return is_as_found ? fmt::format("require before the first step that what is installed is what "
                                     "runs, and put the old release of {} back in place",
                                     member.name)
                       : advice;
}

std::string remedy_of_skew(const Model& model, const Path& walk) {
    return is_start_by_itself(walk)
               ? remedy_of_early_install(model, walk)
               : "stop the older (or newer) ones first, or change the order of the roles";
}

// Returns a gate of the point of no return that was skipped in this path; null: there is none.
const Action* find_skipped_gate(const Model& model, const Path& walk) {
    for (Index i = 0; i < model.actions.size(); ++i) {
        const Action& action = model.plan.actions[i];
        if (action.is_point_of_no_return && !action.applies_if.empty()
            && model.status(walk.row.data(), i) == run::Status::skipped) {
            return &action;
        }
    }
    return nullptr;
}

std::string remedy_of_unasked(const Model& model, const Path& walk) {
    if (const Action* gate = find_skipped_gate(model, walk)) {
        return fmt::format("take the `when` of the gate \"{}\" away, so that it is asked in every "
                           "case{}",
                           gate->title,
                           is_start_by_itself(walk) ? ", and put the gate before the step that "
                                                      "installs what it starts"
                                                    : "");
    }
    return is_start_by_itself(walk)
               ? remedy_of_early_install(
                     model, walk, "put the gate before the step that installs what it starts")
               : "put a gate before this step; the planner does it when the pack's laws are right";
}

std::string remedy_of_destruction(const Model& model, const Path& walk) {
    const auto names = unverified_stores(model, walk);
    return fmt::format("put a backup before this step: an effect `copies: {}`, and a `then` that "
                       "proves the copy",
                       names.empty() ? "STORE" : names.front());
}

// Members are stale if they stopped while others served clients. A fact bound to `writes` tells
// when nobody is served.
std::string remedy_of_loss(const Model& model) {
    if (model.plan.procedure == model::k_downgrade) {
        return "make it a procedure `restore`, which says what it costs, or bring the newer writes "
               "back first";
    }
    return fmt::format("keep clients out ({}`becomes: refused` on the fact bound to `writes`), "
                       "then wait until every member is ready, and only then stop the first; or "
                       "never stop all of them",
                       model.writes == k_no_offset ? "bind a fact of the system to `writes`, and "
                                                   : "");
}

bool has_remedy(const Action& action) {
    const auto says = [](const auto& conditions) {
        return std::any_of(conditions.begin(), conditions.end(), [](const auto& condition) {
            return !condition.remedy.empty();
        });
    };
    return !action.remedy.empty() || says(action.preconditions) || says(action.postconditions);
}

// Returns the first failed action of a halted run; k_no_index: none has failed.
Index find_failed(const Model& model, const Path& walk) {
    for (Index i = 0; i < model.actions.size(); ++i) {
        if (run::has_failed(model.status(walk.row.data(), i))) {
            return i;
        }
    }
    return k_no_index;
}

// Returns the number of other members that a guard of the action waits for in vain; 0: none does.
int others_awaited(const Model& model, Index action, const Path& walk) {
    const auto& conditions = model.plan.actions[action].preconditions;
    const auto& predicates = model.actions[action].preconditions;
    for (Index i = 0; i < predicates.size(); ++i) {
        const bool counts =
            conditions[i].quantifier == model::Quantifier::others && conditions[i].members_min > 0;
        if (counts && !unmet(model, {conditions[i]}, {predicates[i]}, walk.row.data()).empty()) {
            return conditions[i].members_min;
        }
    }
    return 0;
}

bool waits_for_guard(const Model& model, Index action, const Path& walk) {
    return !unmet(model,
                  model.plan.actions[action].preconditions,
                  model.actions[action].preconditions,
                  walk.row.data())
                .empty();
}

// True if a guard of the action counts others, and there is nobody whom it counts: it keeps the
// last vote.
bool keeps_last_vote(const ActionModel& action, const Action& planned) {
    for (Index i = 0; i < action.preconditions.size(); ++i) {
        if (planned.preconditions[i].quantifier == model::Quantifier::others
            && planned.preconditions[i].members_min > 0
            && action.preconditions[i].targets.empty()) {
            return true;
        }
    }
    return false;
}

// A guard that counts members waits for as many as the quorum and `max_unavailable` say.
std::string remedy_of_wait(const Model& model, Index failed, const Path& walk) {
    if (keeps_last_vote(model.actions[failed], model.plan.actions[failed])) {
        return "let others vote before this step: it takes the last vote";
    }
    if (const int others = others_awaited(model, failed, walk); others > 0) {
        return fmt::format("let as many be down as go down together: `policy: {{max_unavailable: "
                           "N}}` in the cluster file, as far as the quorum allows it; or take "
                           "fewer members at a time, so that {} others are ready",
                           others);
    }
    return "change what it waits for, or the order of the steps, so that it can hold when nothing "
           "fails";
}

// A remedy for people is an end of a halted run, but not of a run that halts without any fault.
std::string remedy_of_halt(const Model& model, const Path& walk, bool is_fault_free = false) {
    if (phase_of(walk.row.data()) == run::Phase::finished) {
        if (!role_without_voters(model, walk.row.data()).empty()) {
            return "leave enough members their votes, or let others vote before the end (an effect "
                   "on the fact bound to `voter`)";
        }
        return "let the plan take that member to the new release; one that is to leave gives up "
               "its vote (a fact bound to `voter` becomes false)";
    }
    const Index failed = find_failed(model, walk);
    if (failed == k_no_index) {
        return "see which condition can never hold";
    }
    const Action& action = model.plan.actions[failed];
    if (const std::string remedy = remedy_of_refusal(model, failed, walk);
        !remedy.empty() && !waits_for_guard(model, failed, walk)) {
        return remedy;
    }
    return has_remedy(action) || is_fault_free
               ? remedy_of_wait(model, failed, walk)
               : "say what a person can do then: `remedy` at this step";
}

std::string remedy_of_leftover(const Model& model, const Path& walk) {
    const std::string key = left_behind(model, walk.row.data());
    const auto was = std::find_if(model.temporaries.begin(),
                                  model.temporaries.end(),
                                  [&](const auto& temporary) { return temporary.key == key; });
    return was == model.temporaries.end()
               ? "switch it back before the end, on every way there"
               : fmt::format("let a step before the end switch {} back to {}, on every way there",
                             key,
                             to_text(model.values.at(was->value)));
}

}  // namespace

std::string remedy_of(const Model& model, Property property, const Path& walk) {
    switch (property) {
    case Property::unreadable_start:
        return is_start_by_itself(walk)
                       && (!is_misread_at_start(model, walk) || was_found_switched(model, walk))
                   ? remedy_of_early_install(model, walk)
                   : remedy_of_misreading(model, walk);
    case Property::quorum:
        return remedy_of_quorum(model, walk);
    case Property::skew:
        return remedy_of_skew(model, walk);
    case Property::twice:
        return "give it a `happened` that tells the truth, or write `repeatable: yes` if a second "
               "time does no harm";
    case Property::unverified_destroy:
        return remedy_of_destruction(model, walk);
    case Property::unasked_return_point:
        return remedy_of_unasked(model, walk);
    case Property::lost_writes:
        return remedy_of_loss(model);
    case Property::stuck:
        return remedy_of_halt(model, walk);
    case Property::no_way_back:
        return remedy_of_way_back("");
    case Property::left_behind:
        return remedy_of_leftover(model, walk);
    case Property::alone:
        return is_start_by_itself(walk)
                   ? remedy_of_early_install(model,
                                             walk,
                                             "install it right before its own start, so that a "
                                             "member which comes back by itself brings up the old "
                                             "release")
                   : "let one wait for the other, or take one member at a time";
    }
    return {};
}

std::string remedy_of_dead_end(const Model& model, const Path& walk) {
    return remedy_of_halt(model, walk, true);
}

std::string remedy_of_way_back(const std::string& reason) {
    return reason.starts_with(name_of(Property::left_behind))
               ? "let the `downgrade` procedure switch that back, too"
               : "let the `downgrade` procedure take the cluster as it is then, or let the plan "
                 "not "
                 "come there";
}

}  // namespace drydock::checker
