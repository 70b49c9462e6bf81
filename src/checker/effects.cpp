// The transitions of the modelled cluster, as operations on a row. They know facts, stores and
// members; the run (phase and statuses) is changed elsewhere.
//
// Three rules hold throughout. A start brings up the installed release, even if the step meant
// another. A fact that reports the level of a store follows the format, whoever changes it. A
// property is violated only by the step that makes it false, so the blame falls on one action.
#include "checker/effects.h"

#include <algorithm>

namespace drydock::checker {

namespace {

using run::Status;

constexpr Byte k_unverified = 1;
constexpr Byte k_verified = 2;

bool has(std::uint64_t set, Byte value) {
    return ((set >> value) & 1U) != 0;
}

// Returns the release that a start brings up: the installed one.
Byte release_of(const Member& member, const Byte* row) {
    return member.installed != k_no_offset ? row[member.installed] : row[member.running];
}

// Visits the instances of stores that this member opens: of its own role only its own one, of other
// roles all.
template <class Each>
void for_each_store(const Model& model, const Member& member, const Each& visit) {
    for (const Store& store : model.stores) {
        if (!store.opened_by[member.role]) {
            continue;
        }
        const auto& owners = model.members_of[store.role];
        for (std::size_t i = 0; i < store.at.size(); ++i) {
            const bool is_own = store.role == member.role && !store.shared;
            if (!is_own || &model.members[owners[i]] == &member) {
                visit(store, i);
            }
        }
    }
}

// An unknown format or release is readable: the pack says nothing about it, and a guess would
// report violations that do not exist.
bool can_read(const Model& model, const Store& store, Byte format, Byte release) {
    const auto law = store.laws.find(model.values.at(release).value.show());
    if (law == store.laws.end() || format >= store.formats.size()) {
        return true;
    }
    const auto& reads = law->second.reads;
    return std::find(reads.begin(), reads.end(), store.formats[format]) != reads.end();
}

// Keeps the level facts equal to the format.
void set_format(const Store& store, std::size_t instance, Byte format, Byte* row) {
    row[store.at[instance]] = format;
    for (const Offset level : store.levels[instance]) {
        row[level] = store.told[format];
    }
}

// Formats only rise: an instance that is ahead already stays.
void raise(const Store& store, std::size_t instance, Byte format, Byte* row) {
    const Byte now = row[store.at[instance]];
    if (now == k_no_format || now < format) {
        set_format(store, instance, format, row);
    }
}

// Applies the laws that raise on start to the stores of this member.
void convert(const Model& model, const Member& member, Byte release, Byte* row) {
    for (const FormatTransition& rise : model.rises) {
        if (rise.raises != model::FormatTrigger::on_start || !has(rise.runs, release)) {
            continue;
        }
        for_each_store(model, member, [&](const Store& store, std::size_t instance) {
            if (&store == &model.stores[rise.store]) {
                raise(store, instance, rise.becomes, row);
            }
        });
    }
}

void bring_up(const Model& model, const Member& member, Byte release, Byte* row) {
    row[member.running] = release;
    if (member.ready != k_no_offset) {
        row[member.ready] = model.serves;
    }
    if (member.service != k_no_offset) {
        row[member.service] = model.started;
    }
    convert(model, member, release, row);
}

// A start on an unreadable store leaves the member down, as the real process would exit.
PropertySet start(const Model& model, const Member& member, Byte* row) {
    if (member.running == k_no_offset) {
        return 0;
    }
    const Byte release = release_of(member, row);
    if (!can_read_all(model, member, release, row)) {
        die(model, member, row);
        return mask_of(Property::unreadable_start);
    }
    bring_up(model, member, release, row);
    return 0;
}

// A step that raises a store fires its laws at once.
void raise_by_command(const Model& model, Index index, Byte* row) {
    for (const FormatTransition& rise : model.rises) {
        if (rise.store == index) {
            fire(model, rise, row);
        }
    }
}

// Lowers the store to the format of the target release, and sets `hold`. Without the hold, a
// when_all law would raise the store again at once.
void lower_by_command(const Model& model, Index index, Byte* row) {
    const Store& store = model.stores[index];
    const auto law = store.laws.find(model.plan.to);
    if (law == store.laws.end()) {
        return;
    }
    row[store.held] = 1;
    const Index format = index_in(store.formats, law->second.writes);
    for (std::size_t i = 0; i < store.at.size() && format != k_no_index; ++i) {
        set_format(store, i, to_byte(format), row);
    }
}

bool has_verified_copy(const Store& store, const Byte* row) {
    return row[store.copy] == k_verified;
}

// A step that names its stores needs a verified copy of each; a step that names none needs one of
// any.
PropertySet destroy(const Model& model, const ActionModel& act, const Byte* row) {
    const bool lacks_named_copy =
        std::any_of(act.destroyed.begin(), act.destroyed.end(), [&](Index store) {
            return !has_verified_copy(model.stores[store], row);
        });
    const bool lacks_any_copy =
        act.destroyed.empty()
        && std::none_of(model.stores.begin(), model.stores.end(), [&](const auto& store) {
               return has_verified_copy(store, row);
           });
    return lacks_named_copy || lacks_any_copy ? mask_of(Property::unverified_destroy)
                                              : PropertySet{0};
}

bool takes_writes(const Model& model, const Byte* row) {
    return model.writes == k_no_offset || has(model.accepted, row[model.writes]);
}

// A downgrade may not restore an older copy. It may not turn clients back either, once the new side
// has taken writes that the old side lacks.
PropertySet lose_writes(const Model& model, const ActionModel& act, const Byte* row) {
    const bool is_downgrade = model.plan.procedure == "downgrade";
    const bool switches_back = act.moves_serving && row[model.written] != 0;
    return is_downgrade && (act.restores || switches_back) ? mask_of(Property::lost_writes)
                                                           : PropertySet{0};
}

// Closing the way back needs an approval. It also needs a verified copy of each store that rises,
// where the plan makes copies.
PropertySet close(const Model& model, const Byte* row) {
    PropertySet broken =
        is_approved(model, row) ? PropertySet{0} : mask_of(Property::unasked_return_point);
    for (const FormatTransition& rise : model.rises) {
        const Store& store = model.stores[rise.store];
        const bool now = rise.closes && !rise.holds_at_start;
        if (now && store.copy_needed && !has_verified_copy(store, row)) {
            broken |= mask_of(Property::unverified_destroy);
        }
    }
    return broken;
}

bool runs_everywhere(const Model& model, const FormatTransition& rise, const Byte* row) {
    const auto& members = model.members_of[rise.role];
    return !members.empty() && std::all_of(members.begin(), members.end(), [&](Index index) {
        const Offset running = model.members[index].running;
        return running != k_no_offset && has(rise.runs, row[running]);
    });
}

// True if one instance has reached the format. A law that has begun to raise a store counts as
// fired.
bool is_risen(const Model& model, const FormatTransition& rise, const Byte* row) {
    const auto& offsets = model.stores[rise.store].at;
    return std::any_of(offsets.begin(), offsets.end(), [&](Offset place) {
        return row[place] != k_no_format && row[place] >= rise.becomes;
    });
}

bool serves(const Model& model, const Member& member, const Byte* row) {
    return member.running != k_no_offset && row[member.running] != k_absent
           && (member.ready == k_no_offset || row[member.ready] == model.serves);
}

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

// True if a start decides the value at this offset. It brings up the installed release, even if the
// step declares another value for `running`.
bool is_told_by_start(const Model& model, const ActionModel& act, Offset offset) {
    return std::any_of(act.starting.begin(), act.starting.end(), [&](Index index) {
        const Member& member = model.members[index];
        return offset == member.running && member.installed != k_no_offset;
    });
}

}  // namespace

bool violates_skew(const Model& model, const Byte* row) {
    const auto any_runs = [&](Index role, std::uint64_t releases) {
        const auto& members = model.members_of[role];
        return std::any_of(members.begin(), members.end(), [&](Index index) {
            const Offset running = model.members[index].running;
            return running != k_no_offset && has(releases, row[running]);
        });
    };
    return std::any_of(model.skews.begin(), model.skews.end(), [&](const SkewPair& pair) {
        return any_runs(pair.role, pair.one) && any_runs(pair.with, pair.other);
    });
}

// The order is that of the real action: checks on the state before it, then declared facts, stores,
// copies, starts. Skew and the way back are compared before and after, so a state that was bad
// already is not blamed on this action.
PropertySet take_effect(const Model& model, std::size_t action, Byte* row) {
    const ActionModel& act = model.acts[action];
    if (!act.moves_world) {
        return 0;
    }
    const bool was_closing = is_closing(model, row);
    const bool violated_skew = violates_skew(model, row);
    PropertySet broken = lose_writes(model, act, row);
    broken |= act.destroys ? destroy(model, act, row) : PropertySet{0};
    if (act.ran != k_no_offset) {
        broken |= row[act.ran] != 0 ? mask_of(Property::twice) : PropertySet{0};
        row[act.ran] = 1;
    }
    for (const Write& write : act.writes) {
        if (!is_told_by_start(model, act, write.at)) {
            row[write.at] = write.value;
        }
    }
    for (const Index store : act.raises) {
        raise_by_command(model, store, row);
    }
    for (const Index store : act.lowers) {
        lower_by_command(model, store, row);
    }
    for (const Index store : act.copies) {
        Byte& copy = row[model.stores[store].copy];
        copy = std::max(copy, k_unverified);
    }
    for (const Index member : act.starting) {
        broken |= start(model, model.members[member], row);
    }
    broken |=
        !violated_skew && violates_skew(model, row) ? mask_of(Property::skew) : PropertySet{0};
    const bool forward = model.serving != k_no_offset && model.plan.procedure != "downgrade";
    if (forward && row[model.serving] != model.first[model.serving] && takes_writes(model, row)) {
        row[model.written] = 1;
    }
    return broken | (!was_closing && is_closing(model, row) ? close(model, row) : PropertySet{0});
}

void verify_copies(const Model& model, std::size_t action, Byte* row) {
    for (const Index store : model.acts[action].copies) {
        row[model.stores[store].copy] = k_verified;
    }
}

// True if the role has enough serving members now, and too few without the members that the step
// takes down. A role below its minimum already does not count: faults did that.
bool falls_short(const Model& model, std::size_t action, std::size_t role, const Byte* row) {
    int serving = 0;
    int leaving = 0;
    for (const Index index : model.members_of[role]) {
        const Member& member = model.members[index];
        const bool is_up = serves(model, member, row) && !is_going_down(model, member, action, row);
        serving += is_up ? 1 : 0;
        leaving += is_up && is_among(model.acts[action].leaving, index) ? 1 : 0;
    }
    const int minimum = model.quorum[role];
    return serving >= minimum && serving - leaving < minimum;
}

PropertySet begin(const Model& model, std::size_t action, const Byte* row) {
    for (const Index index : model.acts[action].leaving) {
        const auto role = model.members[index].role;
        if (model.quorum[role] > 0 && falls_short(model, action, role, row)) {
            return mask_of(Property::quorum);
        }
    }
    return 0;
}

// Laws that raise on start act in convert(); only when_all laws fire by themselves.
bool can_fire(const Model& model, const FormatTransition& rise, const Byte* row) {
    const Store& store = model.stores[rise.store];
    return rise.raises == model::FormatTrigger::when_all && row[store.held] == 0
           && !is_risen(model, rise, row) && runs_everywhere(model, rise, row);
}

void fire(const Model& model, const FormatTransition& rise, Byte* row) {
    const Store& store = model.stores[rise.store];
    for (std::size_t i = 0; i < store.at.size(); ++i) {
        raise(store, i, rise.becomes, row);
    }
}

bool can_read_all(const Model& model, const Member& member, Byte release, const Byte* row) {
    bool is_readable = true;
    for_each_store(model, member, [&](const Store& store, std::size_t instance) {
        is_readable = is_readable && can_read(model, store, row[store.at[instance]], release);
    });
    return is_readable;
}

void die(const Model& model, const Member& member, Byte* row) {
    if (member.running != k_no_offset) {
        row[member.running] = k_absent;
    }
    if (member.ready != k_no_offset) {
        row[member.ready] = k_absent;
    }
    if (member.service != k_no_offset) {
        row[member.service] = model.stopped;
    }
}

bool can_be_started(const Model& model, const Member& member, const Byte* row) {
    return member.running != k_no_offset && row[member.running] == k_absent
           && member.installed != k_no_offset && row[member.away] == 0
           && can_read_all(model, member, row[member.installed], row);
}

void start_by_hand(const Model& model, const Member& member, Byte* row) {
    bring_up(model, member, release_of(member, row), row);
}

// A when_all law counts as closing as soon as its condition holds: from then on it may fire at any
// moment.
bool is_closing(const Model& model, const Byte* row) {
    return std::any_of(model.rises.begin(), model.rises.end(), [&](const FormatTransition& rise) {
        const bool counts = rise.closes && !rise.holds_at_start;
        return counts
               && (is_risen(model, rise, row)
                   || (rise.raises == model::FormatTrigger::when_all
                       && runs_everywhere(model, rise, row)));
    });
}

bool is_approved(const Model& model, const Byte* row) {
    return std::any_of(model.return_gates.begin(), model.return_gates.end(), [&](std::size_t gate) {
        return model.status(row, gate) == Status::done;
    });
}

}  // namespace drydock::checker
