// Whether a run can terminate, and how. The rules are in docs/design/0004, "Ends" and "What the
// rules mean exactly".
#include "checker/termination.h"

#include "checker/backward_reachability.h"
#include "checker/cluster_effects.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::checker {

using run::Phase;
using run::Status;

namespace {

bool has_remedy_text(const model::Action& action) {
    const auto says = [](const auto& conditions) {
        return std::any_of(conditions.begin(), conditions.end(), [](const auto& condition) {
            return !condition.remedy.empty();
        });
    };
    return !action.remedy.empty() || says(action.preconditions) || says(action.postconditions);
}

using Test = bool (*)(Status, const ActionModel&, const model::Action&);

// True if an action that has failed passes the test.
bool any_failed(const Model& model, const Byte* row, Test test) {
    for (std::size_t i = 0; i < model.actions.size(); ++i) {
        const auto status = model.status(row, i);
        if (has_failed(status) && test(status, model.actions[i], model.plan.actions[i])) {
            return true;
        }
    }
    return false;
}

// True for a finished run, and for a halt if the failed action has a remedy for the operator to
// read.
bool is_an_end(const Model& model, const Byte* row) {
    // The remedy for an unreachable host is implied: it is to be brought back.
    const auto has_remedy = [](Status status, const ActionModel&, const model::Action& action) {
        return status == Status::unreachable || has_remedy_text(action);
    };
    return phase_of(row) == Phase::finished
           || (phase_of(row) == Phase::halted && any_failed(model, row, has_remedy));
}

// True if the run halts at an unrepeatable action without a remedy. The operator would have to find
// out whether it ran, and the pack does not say how. So going on is no way out.
bool is_left_alone(const Model& model, const Byte* row) {
    return phase_of(row) == Phase::halted
           && any_failed(
               model, row, [](Status status, const ActionModel& act, const model::Action& action) {
                   return status == Status::failed && act.ran != k_no_offset
                          && !has_remedy_text(action);
               });
}

}  // namespace

namespace {

// True if the member is rightly down at the end: it has retired, or its side has.
bool may_be_down(const Model& model, const Member& member, const Byte* row) {
    if (!votes(model, member, row) && row[member.running] == k_absent) {
        return true;
    }
    const bool goes = std::none_of(member.up_down_events.begin(),
                                   member.up_down_events.end(),
                                   [](const Member::UpDownEvent& event) { return event.up; });
    return goes && model.plan.kind == "side-by-side";
}

}  // namespace

// One of two sides may give up all its votes.
std::string role_without_voters(const Model& model, const Byte* row) {
    for (Index role = 0; role < model.roles.size() && model.plan.kind != "side-by-side"; ++role) {
        const auto& members = model.members_of[role];
        const auto any_votes = [&](const Byte* where) {
            return std::any_of(members.begin(), members.end(), [&](Index member) {
                return votes(model, model.members[member], where);
            });
        };
        if (any_votes(model.initial.data()) && !any_votes(row)) {
            return model.roles[role];
        }
    }
    return {};
}

std::string final_state_error(const Model& model, const Byte* row) {
    if (const std::string role = role_without_voters(model, row); !role.empty()) {
        return fmt::format("at its end no {} votes", role);
    }
    for (const Member& member : model.members) {
        if (member.running == k_no_offset || member.up_down_events.empty()
            || may_be_down(model, member, row)) {
            continue;
        }
        const model::Observation& runs = model.values.at(row[member.running]);
        if (runs.value.show() != model.plan.to_version) {
            return fmt::format("at its end {} does not run {}", member.name, model.plan.to_version);
        }
    }
    return {};
}

// The witness successors settle almost every row in one pass. The fixpoint expands only the rest.
std::vector<bool> can_terminate(const Model& model, const Options& options, const Search& search) {
    const auto is_end = [&](const Byte* row) { return is_an_end(model, row); };
    const auto stays = [&](const Byte* row) { return is_left_alone(model, row); };
    return backward_reachable(
        model,
        options,
        search,
        is_end,
        [&](const Byte* row, const Successors& batch, const auto& leads_to_end) {
            return !stays(row) && AnySuccessorLeads()(row, batch, leads_to_end);
        },
        follow_witnesses(search, is_end, stays));
}

}  // namespace drydock::checker
