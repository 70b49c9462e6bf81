// The quorum that a begin may not take. A group that is below its minimum already does not count:
// faults did that. But a command may not take the last vote of those who are up there: only dead
// members would decide then, and nobody could bring the group back.
#include "checker/cluster_effects.h"
#include "checker/member_effects.h"

namespace drydock::checker {

namespace {

bool is_among(const std::vector<Index>& members, Index member) {
    return std::find(members.begin(), members.end(), member) != members.end();
}

// True if another command in flight takes this member down.
bool is_going_down(const Model& model,
                   const Member& member,
                   std::size_t excluded_action,
                   const Byte* row) {
    return std::any_of(
        member.stopping_actions.begin(), member.stopping_actions.end(), [&](std::size_t i) {
            return i != excluded_action && run::is_open_ended(model.status(row, i));
        });
}

// Members that are up before a command and after it.
struct Counted {
    int before = 0;
    int after = 0;
};

// The state of one role when a command leaves.
class Readiness {
public:
    Readiness(const Model& model, std::size_t action, Index role, const Byte* row)
        : model_(model)
        , action_(action)
        , row_(row)
        , suffices_after_(suffices_after(role)) {}

    [[nodiscard]] bool is_up(Index index) const {
        const Member& member = model_.members[index];
        return is_serving(model_, member, row_) && !is_going_down(model_, member, action_, row_);
    }

    [[nodiscard]] bool stays_up(Index index) const {
        return suffices_after_ && (comes_up(index) || (is_up(index) && !is_leaving(index)));
    }

private:
    [[nodiscard]] bool is_leaving(Index index) const {
        return is_among(model_.actions[action_].leaving, index);
    }

    // True if the command starts a member that it does not take down: a member that gets its vote
    // by its start is up when it votes.
    [[nodiscard]] bool comes_up(Index index) const {
        return is_among(model_.actions[action_].starting, index) && !is_leaving(index);
    }

    // True if enough members run on for those of a role with `ready_with` to be ready.
    [[nodiscard]] bool suffices_after(Index role) const {
        const auto& members = model_.members_of[role];
        const auto runs_on = std::count_if(members.begin(), members.end(), [&](Index index) {
            return comes_up(index)
                   || (is_running(model_.members[index], row_)
                       && !is_going_down(model_, model_.members[index], action_, row_)
                       && !is_leaving(index));
        });
        return model_.ready_with[role] == 0 || runs_on >= model_.ready_with[role];
    }

    const Model& model_;
    std::size_t action_;
    const Byte* row_;
    bool suffices_after_;
};

using Row = std::vector<Byte>;

// A moment behind the begin of a command: rows that tell who votes before it, and then.
struct Moment {
    const Byte* votes_before = nullptr;
    const Byte* votes_after = nullptr;
    bool is_under_way = false;  // the command has not ended then
};

Row with(Row row, const std::vector<Write>& writes) {
    for (const Write& write : writes) {
        row[write.offset] = write.value;
    }
    return row;
}

// Returns the row with the votes that the other commands in flight leave.
Row votes_at_end_of_others(const Model& model, std::size_t action, const Byte* row) {
    Row votes(row, row + model.size);
    for (Index i = 0; i < model.actions.size(); ++i) {
        if (i != action && model.actions[i].moves_votes
            && run::is_open_ended(model.status(row, i))) {
            votes = with(std::move(votes), model.actions[i].writes);
        }
    }
    return votes;
}

bool falls_short(const Model& model, const Readiness& readiness, Index role) {
    Counted ready;
    for (const Index index : model.members_of[role]) {
        ready.before += readiness.is_up(index) ? 1 : 0;
        ready.after += readiness.stays_up(index) ? 1 : 0;
    }
    const int minimum = model.quorum[role];
    return ready.before >= minimum && ready.after < minimum;
}

int minimum_of(const QuorumGroup& group, int units) {
    if (group.kind == model::QuorumKind::majority) {
        return units / 2 + 1;
    }
    return group.kind == model::QuorumKind::all_but ? units - group.count : group.count;
}

// Units that have a voter, and those of them of which all voters are up.
struct Units {
    int all = 0;
    int ready = 0;
};

template <class IsUp>
Units count_units(const Model& model,
                  const QuorumGroup& group,
                  const Byte* votes_of,
                  const IsUp& is_up) {
    Units units;
    for (const auto& unit : group.units) {
        bool has_voter = false;
        bool is_ready = true;
        for (const Index member : unit) {
            if (votes(model, model.members[member], votes_of)) {
                has_voter = true;
                is_ready = is_ready && is_up(member);
            }
        }
        units.all += has_voter ? 1 : 0;
        units.ready += has_voter && is_ready ? 1 : 0;
    }
    return units;
}

// A group in which nobody votes decides nothing.
bool is_enough(const QuorumGroup& group, const Units& units) {
    return units.all > 0 && units.ready >= minimum_of(group, units.all);
}

// True if some voter of the group is up.
template <class IsUp>
bool has_voter_up(const Model& model,
                  const QuorumGroup& group,
                  const Byte* votes_of,
                  const IsUp& is_up) {
    return std::any_of(group.units.begin(), group.units.end(), [&](const auto& unit) {
        return std::any_of(unit.begin(), unit.end(), [&](Index member) {
            return votes(model, model.members[member], votes_of) && is_up(member);
        });
    });
}

// True if votes move, and none is left whose member is up. Who only goes down keeps its vote.
bool takes_last_vote(const Model& model,
                     const Readiness& readiness,
                     const QuorumGroup& group,
                     const Moment& moment) {
    const auto is_up = [&](Index member) { return readiness.is_up(member); };
    const auto is_up_then = [&](Index member) {
        return readiness.is_up(member) || readiness.stays_up(member);
    };
    return moment.votes_before != moment.votes_after
           && has_voter_up(model, group, moment.votes_before, is_up)
           && !has_voter_up(model, group, moment.votes_after, is_up_then);
}

bool falls_short(const Model& model,
                 const Readiness& readiness,
                 const QuorumGroup& group,
                 const Moment& moment) {
    const auto is_up = [&](Index member) { return readiness.is_up(member); };
    const auto stays_up = [&](Index member) {
        return readiness.stays_up(member) && (!moment.is_under_way || readiness.is_up(member));
    };
    return takes_last_vote(model, readiness, group, moment)
           || (is_enough(group, count_units(model, group, moment.votes_before, is_up))
               && !is_enough(group, count_units(model, group, moment.votes_after, stays_up)));
}

bool breaks_quorum(const Model& model, std::size_t action, Index role, const Byte* row) {
    if (model.quorum[role] == 0 && model.groups[role].empty()) {
        return false;
    }
    const Readiness readiness(model, action, role, row);
    if (model.quorum[role] > 0 && falls_short(model, readiness, role)) {
        return true;
    }
    const auto& groups = model.groups[role];
    const auto any_falls_short = [&](const Moment& moment) {
        return std::any_of(groups.begin(), groups.end(), [&](const QuorumGroup& group) {
            return falls_short(model, readiness, group, moment);
        });
    };
    if (!model.moves_votes || groups.empty()) {
        return any_falls_short({row, row});
    }
    const ActionModel& act = model.actions[action];
    const Row before = votes_at_end_of_others(model, action, row);
    const Row after = with(before, act.writes);
    if (any_falls_short({before.data(), after.data()})) {
        return true;
    }
    // Votes that are away for the time of a command: the others may still be under way, as this
    // one.
    const Row now(row, row + model.size);
    const Row meanwhile = with(now, act.votes_meanwhile);
    return model.lends_votes
           && (any_falls_short({row, meanwhile.data(), true})
               || any_falls_short({row, with(now, act.writes).data()}));
}

}  // namespace

PropertySet quorum_violation(const Model& model, std::size_t action, const Byte* row) {
    const auto& roles = model.actions[action].roles_short_of;
    return std::any_of(roles.begin(),
                       roles.end(),
                       [&](Index role) { return breaks_quorum(model, action, role, row); })
               ? mask_of(Property::quorum)
               : PropertySet{0};
}

}  // namespace drydock::checker
