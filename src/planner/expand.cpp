// Pass: turns steps into actions. Order words become dependencies, and each phase is a barrier.
//
// The builder keeps a frontier: the actions that the next ones must wait for. `serial` makes groups
// of one member, `batch` groups of some, `all` one group; a group waits for the group before it.
// Within a group, each member (or host) has a chain of actions of its own. Between two large groups
// stands one barrier action, since edges between all pairs would be too many.
#include "base/text.h"
#include "planner/make_action.h"
#include "planner/quorum.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::planner {

namespace {

using model::Action;
using model::Member;
using model::PhaseSpec;
using model::Selection;
using model::StepSpec;
using model::Verb;

// With more dependencies than this between two groups, a barrier action stands between them.
constexpr std::size_t k_edges_max = 64;

// Appends actions and keeps the frontier: the actions that the next ones must wait for.
class Builder {
public:
    explicit Builder(PlanBuilder& draft) : draft_(draft) {}

    [[nodiscard]] const std::vector<std::size_t>& frontier() const { return frontier_; }

    // Begins a step that waits for everything so far. A parallel step waits only for the
    // predecessors of the step before it; the step after both waits for both.
    void begin_step(bool is_parallel) {
        if (is_parallel) {
            ends_.insert(ends_.end(), frontier_.begin(), frontier_.end());
            frontier_ = start_;
            return;
        }
        frontier_.insert(frontier_.end(), ends_.begin(), ends_.end());
        ends_.clear();
        start_ = frontier_;
    }

    std::size_t add(Action action, std::vector<std::size_t> predecessors) {
        action.predecessors = std::move(predecessors);
        draft_.plan.actions.push_back(std::move(action));
        return draft_.plan.actions.size() - 1;
    }

    // Adds several chains side by side behind the frontier. All of them must end before anything
    // after them.
    void add_parallel(std::vector<std::vector<Action>> chains, const std::string& phase) {
        if (chains.size() * frontier_.size() > k_edges_max) {
            barrier(phase);
        }
        std::vector<std::size_t> ends;
        for (auto& chain : chains) {
            const auto end = add_chain(std::move(chain), frontier_);
            ends.insert(ends.end(), end.begin(), end.end());
        }
        frontier_ = ends.empty() ? frontier_ : std::move(ends);
    }

private:
    // Adds the actions of one chain, each behind the one before.
    std::vector<std::size_t> add_chain(std::vector<Action> chain,
                                       std::vector<std::size_t> predecessors) {
        for (Action& action : chain) {
            predecessors = {add(std::move(action), predecessors)};
        }
        return predecessors;
    }

    void barrier(const std::string& phase) {
        Action action;
        action.id = fmt::format("{}/barrier-{}", phase, draft_.plan.actions.size());
        action.phase = phase;
        action.verb = Verb::wait;
        action.title = "everything before this has ended";
        action.repeatable = model::Repeatable::yes;
        frontier_ = {add(std::move(action), frontier_)};
    }

    PlanBuilder& draft_;
    std::vector<std::size_t> frontier_;
    std::vector<std::size_t> start_;  // predecessors of the step that is being added
    std::vector<std::size_t> ends_;   // of the steps parallel to it
};

bool is_host_of_any(const std::vector<const Member*>& members, const std::string& host) {
    return std::any_of(
        members.begin(), members.end(), [&](const Member* member) { return member->host == host; });
}

// Returns the selected members in the plan's order. A condition that cannot be filled selects none.
std::vector<const Member*> selected(const PlanBuilder& draft, const Selection& selection) {
    std::vector<const Member*> members;
    for (const std::string& name : draft.scope.members.at(selection.role)) {
        const Member* member = find_member(draft.request.cluster, name);
        auto conditions = fill_conditions(draft.scope, member, selection.filter);
        const bool stands_for_another = selection.per_host && is_host_of_any(members, member->host);
        if (conditions && holds(draft, *conditions, name) && !stands_for_another) {
            members.push_back(member);
        }
    }
    if (selection.is_single && members.size() > 1) {
        members.resize(1);
    }
    return members;
}

// Returns how many of so many chains may be side by side.
std::size_t group_size(const Selection& selection, std::size_t chains) {
    std::size_t size = selection.order == model::Order::serial ? 1 : chains;
    size =
        selection.order == model::Order::batch ? static_cast<std::size_t>(selection.batch) : size;
    return std::max<std::size_t>(size, 1);
}

// Makes a chain of actions from each subject. For one of them, the votes count that chains of the
// groups before it move.
template <class Subject, class Make>
Result<std::vector<std::vector<Action>>> chains_of(PlanBuilder& draft,
                                                   const Selection& selection,
                                                   const std::vector<Subject>& subjects,
                                                   const Make& make) {
    std::vector<std::vector<Action>> chains;
    Votes before = draft.votes;
    Votes after = draft.votes;
    for (std::size_t i = 0; i < subjects.size(); ++i) {
        before = i % group_size(selection, subjects.size()) == 0 ? after : before;
        draft.votes = before;
        DRYDOCK_TRY_ASSIGN(std::vector<Action> chain, make(subjects[i]));
        for (const Action& action : chain) {
            note_votes(draft, action, after);
        }
        chains.push_back(std::move(chain));
    }
    draft.votes = std::move(after);
    return chains;
}

// Splits parallel chains into groups, each behind the one before.
std::vector<std::vector<std::vector<Action>>> grouped(std::vector<std::vector<Action>> chains,
                                                      const Selection& selection) {
    const std::size_t size = group_size(selection, chains.size());
    std::vector<std::vector<std::vector<Action>>> groups;
    for (std::size_t i = 0; i < chains.size(); ++i) {
        if (i % size == 0) {
            groups.emplace_back();
        }
        groups.back().push_back(std::move(chains[i]));
    }
    return groups;
}

void add_groups(Builder& builder,
                std::vector<std::vector<Action>> chains,
                const Selection& selection,
                const std::string& phase) {
    for (auto& group : grouped(std::move(chains), selection)) {
        builder.add_parallel(std::move(group), phase);
    }
}

// The members whose steps stay together: one, or all of a host.
using MemberGroup = std::vector<const Member*>;

bool has_installed(const PlanBuilder& draft, const Member& member) {
    const std::string fact =
        bound_fact(draft.request.pack, member.role, model::StandardFact::installed);
    const auto entry = draft.request.facts.find(model::fact_key(member.name, fact));
    return entry != draft.request.facts.end()
           && entry->second.value.as_string() == draft.request.to_version;
}

// Returns when a host is handled: as early as the first of its members. Of hosts that are half-way,
// those come first on which members only have to be started.
std::pair<int, bool>
rank_of(const PlanBuilder& draft, const Selection& selection, const MemberGroup& members) {
    int latest = 0;
    bool is_half_way = false;
    bool changes = false;
    for (const Member* member : members) {
        const int member_rank = rank(draft, selection, *member);
        is_half_way = is_half_way || member_rank == 0;
        latest = std::max(latest, member_rank);
        changes = changes || !has_installed(draft, *member);
    }
    return {is_half_way ? 0 : latest, is_half_way && changes};
}

// Groups the selected members by host, if the selection says so.
std::vector<MemberGroup> together(const PlanBuilder& draft, const Selection& selection) {
    std::vector<MemberGroup> groups;
    for (const Member* member : selected(draft, selection)) {
        const auto host = std::find_if(groups.begin(), groups.end(), [&](const MemberGroup& group) {
            return selection.by_host && group.front()->host == member->host;
        });
        if (host == groups.end()) {
            groups.push_back({member});
        } else {
            host->push_back(member);
        }
    }
    if (selection.by_host) {
        std::stable_sort(groups.begin(), groups.end(), [&](const auto& first, const auto& second) {
            return rank_of(draft, selection, first) < rank_of(draft, selection, second);
        });
    }
    return groups;
}

// Adds a step's action. If no member is up to take over, the step is left out with a note: there is
// nothing to hand over.
Status add_step(PlanBuilder& draft,
                const PhaseSpec& phase,
                const StepSpec& step,
                const Member* member,
                std::vector<Action>& actions) {
    auto action = make_action(draft, phase, step, member);
    if (!action && action.error().code == "plan.successor") {
        draft.plan.notes.push_back(
            fmt::format("{}: {} is left out for {}: nobody else is up to take over",
                        phase.name,
                        step.id,
                        member->name));
        return {};
    }
    DRYDOCK_TRY(action);
    note_votes(draft, *action, draft.votes);
    actions.push_back(std::move(*action));
    return {};
}

// Adds a wait for each further member of a host. The action itself, added before, observes the
// postconditions of its own member only.
Status add_looks(PlanBuilder& draft,
                 const PhaseSpec& phase,
                 const StepSpec& step,
                 const MemberGroup& other_members,
                 std::vector<Action>& actions) {
    for (const Member* member : other_members) {
        DRYDOCK_TRY_ASSIGN(const Action made, make_action(draft, phase, step, member));
        if (!made.postconditions.empty()) {
            actions.push_back(
                look_again(made, "-seen", fmt::format("{}: seen on {}", made.title, made.member)));
            actions.back().applies_if = made.applies_if;
        }
    }
    return {};
}

// Returns the actions of a phase for these members: each step for all of them, then the next step.
Result<std::vector<Action>>
actions_on(PlanBuilder& draft, const PhaseSpec& phase, const MemberGroup& members) {
    std::vector<Action> actions;
    for (const StepSpec& step : phase.steps) {
        const std::size_t count = step.once_a_host ? 1 : members.size();
        for (std::size_t i = 0; i < count; ++i) {
            DRYDOCK_TRY(add_step(draft, phase, step, members[i], actions));
        }
        if (step.once_a_host) {
            const MemberGroup other_members(members.begin() + 1, members.end());
            DRYDOCK_TRY(add_looks(draft, phase, step, other_members, actions));
        }
    }
    return actions;
}

Status expand_blocks(PlanBuilder& draft, Builder& builder, const PhaseSpec& phase) {
    const auto make = [&](const MemberGroup& members) { return actions_on(draft, phase, members); };
    DRYDOCK_TRY_ASSIGN(auto chains,
                       chains_of(draft, *phase.selection, together(draft, *phase.selection), make));
    add_groups(builder, std::move(chains), *phase.selection, phase.name);
    return {};
}

// Returns the observed facts that `where` asks about: "m1/is_leader is unknown".
std::string found_instead(const PlanBuilder& draft, const Selection& selection) {
    std::vector<std::string> values;
    for (const std::string& name : draft.scope.members.at(selection.role)) {
        for (const model::Condition& condition : selection.filter) {
            const std::string key = model::fact_key(name, condition.fact);
            const auto entry = draft.request.facts.find(key);
            values.push_back(fmt::format(
                "{} is {}",
                key,
                entry == draft.request.facts.end() ? "nothing" : to_text(entry->second)));
        }
    }
    return join(values, ", ");
}

// Returns the other members of the role on the member's host.
MemberGroup neighbours(const PlanBuilder& draft, const Member& member, const std::string& role) {
    MemberGroup group;
    for (const std::string& name : draft.scope.members.at(role)) {
        const Member* candidate = find_member(draft.request.cluster, name);
        if (candidate->host == member.host && candidate->name != member.name) {
            group.push_back(candidate);
        }
    }
    return group;
}

// A step on no member is the system's. A step with `one` that finds no member is an error, because
// its effect is needed; a step on all members may find none.
Status
expand_step(PlanBuilder& draft, Builder& builder, const PhaseSpec& phase, const StepSpec& step) {
    if (!step.selection || step.selection->role.empty()) {
        DRYDOCK_TRY_ASSIGN(Action action, make_action(draft, phase, step, nullptr));
        note_votes(draft, action, draft.votes);
        builder.add_parallel({{std::move(action)}}, phase.name);
        return {};
    }
    const auto make = [&](const Member* member) -> Result<std::vector<Action>> {
        DRYDOCK_TRY_ASSIGN(Action action, make_action(draft, phase, step, member));
        std::vector<Action> chain = {std::move(action)};
        if (step.selection->per_host) {
            DRYDOCK_TRY(add_looks(
                draft, phase, step, neighbours(draft, *member, step.selection->role), chain));
        }
        return chain;
    };
    DRYDOCK_TRY_ASSIGN(auto chains,
                       chains_of(draft, *step.selection, selected(draft, *step.selection), make));
    const bool has_members = !draft.scope.members.at(step.selection->role).empty();
    if (chains.empty() && step.selection->is_single && has_members) {
        return fail(
            "plan.nobody",
            fmt::format("no {} fits `where` of {}: {}",
                        step.selection->role,
                        step.id,
                        found_instead(draft, *step.selection)),
            fmt::format("what is unknown may be known soon: plan again; or see {} and `drydock "
                        "survey`",
                        place(draft.request.pack, step.position)));
    }
    add_groups(builder, std::move(chains), *step.selection, phase.name);
    return {};
}

// True if the two releases write different formats of one of these stores. Notes the equal ones
// otherwise.
bool raises_any(PlanBuilder& draft,
                const std::vector<std::string>& stores,
                const std::string& subject) {
    std::vector<std::string> equal;
    for (const std::string& store : stores) {
        const auto* from_law = law_of(draft.request.pack, draft.request.from_version, store);
        const auto* to_law = law_of(draft.request.pack, draft.request.to_version, store);
        if (from_law == nullptr || to_law == nullptr || from_law->writes != to_law->writes) {
            return true;
        }
        equal.push_back(fmt::format("both releases write {} {}", store, to_law->writes));
    }
    draft.plan.notes.push_back(fmt::format("{} is left out: {}", subject, fmt::join(equal, "; ")));
    return false;
}

// A phase or step with `raises` is left out if the hop raises none of its stores.
Status expand_phase(PlanBuilder& draft, Builder& builder, const PhaseSpec& phase) {
    if (!phase.raises.empty() && !raises_any(draft, phase.raises, phase.name)) {
        return {};
    }
    if (phase.selection) {
        return expand_blocks(draft, builder, phase);
    }
    for (const StepSpec& step : phase.steps) {
        const std::string name = fmt::format("{}/{}", phase.name, step.id);
        if (step.raises.empty() || raises_any(draft, step.raises, name)) {
            builder.begin_step(step.parallel_with_previous);
            DRYDOCK_TRY(expand_step(draft, builder, phase, step));
        }
    }
    builder.begin_step(false);
    return {};
}

}  // namespace

void expand(PlanBuilder& draft) {
    Builder builder(draft);
    for (const PhaseSpec& phase : draft.procedure->phases) {
        if (auto status = expand_phase(draft, builder, phase); !status) {
            draft.problem(status.error());
        }
    }
}

}  // namespace drydock::planner
