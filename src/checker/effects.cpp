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
    return member.installed != k_nowhere ? row[member.installed] : row[member.running];
}

// Visits the instances of stores that this member opens: of its own role only its own one, of other
// roles all.
template <class Each>
void for_each_store(const Site& site, const Member& member, const Each& visit) {
    for (const Store& store : site.stores) {
        if (!store.opened_by[static_cast<std::size_t>(member.role)]) {
            continue;
        }
        const auto& owners = site.members_of[static_cast<std::size_t>(store.role)];
        for (std::size_t i = 0; i < store.at.size(); ++i) {
            const bool is_own = store.role == member.role && !store.shared;
            if (!is_own || &site.members[static_cast<std::size_t>(owners[i])] == &member) {
                visit(store, i);
            }
        }
    }
}

// An unknown format or release is readable: the pack says nothing about it, and a guess would
// report violations that do not exist.
bool can_read(const Site& site, const Store& store, Byte format, Byte release) {
    const auto law = store.laws.find(site.values.at(release).value.show());
    if (law == store.laws.end() || format >= store.formats.size()) {
        return true;
    }
    const auto& reads = law->second.reads;
    return std::find(reads.begin(), reads.end(), store.formats[format]) != reads.end();
}

// Keeps the level facts equal to the format.
void set_format(const Store& store, std::size_t instance, Byte format, Byte* row) {
    row[store.at[instance]] = format;
    for (const Place level : store.levels[instance]) {
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
void convert(const Site& site, const Member& member, Byte release, Byte* row) {
    for (const Rise& rise : site.rises) {
        if (rise.raises != model::Raises::on_start || !has(rise.runs, release)) {
            continue;
        }
        for_each_store(site, member, [&](const Store& store, std::size_t instance) {
            if (&store == &site.stores[static_cast<std::size_t>(rise.store)]) {
                raise(store, instance, rise.becomes, row);
            }
        });
    }
}

void bring_up(const Site& site, const Member& member, Byte release, Byte* row) {
    row[member.running] = release;
    if (member.ready != k_nowhere) {
        row[member.ready] = site.serves;
    }
    if (member.service != k_nowhere) {
        row[member.service] = site.started;
    }
    convert(site, member, release, row);
}

// A start on an unreadable store leaves the member down, as the real process would exit.
Broken start(const Site& site, const Member& member, Byte* row) {
    if (member.running == k_nowhere) {
        return 0;
    }
    const Byte release = release_of(member, row);
    if (!can_read_all(site, member, release, row)) {
        die(site, member, row);
        return bit_of(Property::unreadable_start);
    }
    bring_up(site, member, release, row);
    return 0;
}

// A step that raises a store fires its laws at once.
void raise_by_command(const Site& site, int index, Byte* row) {
    for (const Rise& rise : site.rises) {
        if (rise.store == index) {
            fire(site, rise, row);
        }
    }
}

// Lowers the store to the format of the target release, and sets `hold`. Without the hold, a
// when_all law would raise the store again at once.
void lower_by_command(const Site& site, int index, Byte* row) {
    const Store& store = site.stores[static_cast<std::size_t>(index)];
    const auto law = store.laws.find(site.plan.to);
    if (law == store.laws.end()) {
        return;
    }
    row[store.held] = 1;
    const auto format = std::find(store.formats.begin(), store.formats.end(), law->second.writes);
    for (std::size_t i = 0; i < store.at.size() && format != store.formats.end(); ++i) {
        set_format(store, i, static_cast<Byte>(format - store.formats.begin()), row);
    }
}

bool has_verified_copy(const Store& store, const Byte* row) {
    return row[store.copy] == k_verified;
}

// A step that names its stores needs a verified copy of each; a step that names none needs one of
// any.
Broken destroy(const Site& site, const Act& act, const Byte* row) {
    const bool lacks_named_copy =
        std::any_of(act.destroyed.begin(), act.destroyed.end(), [&](int store) {
            return !has_verified_copy(site.stores[static_cast<std::size_t>(store)], row);
        });
    const bool lacks_any_copy =
        act.destroyed.empty()
        && std::none_of(site.stores.begin(), site.stores.end(), [&](const auto& store) {
               return has_verified_copy(store, row);
           });
    return lacks_named_copy || lacks_any_copy ? bit_of(Property::unverified_destroy) : Broken{0};
}

bool takes_writes(const Site& site, const Byte* row) {
    return site.writes == k_nowhere || has(site.accepted, row[site.writes]);
}

// A downgrade may not restore an older copy. It may not turn clients back either, once the new side
// has taken writes that the old side lacks.
Broken lose_writes(const Site& site, const Act& act, const Byte* row) {
    const bool is_downgrade = site.plan.procedure == "downgrade";
    const bool switches_back = act.moves_serving && row[site.written] != 0;
    return is_downgrade && (act.restores || switches_back) ? bit_of(Property::lost_writes)
                                                           : Broken{0};
}

// Closing the way back needs an approval. It also needs a verified copy of each store that rises,
// where the plan makes copies.
Broken close(const Site& site, const Byte* row) {
    Broken broken = is_approved(site, row) ? Broken{0} : bit_of(Property::unasked_return_point);
    for (const Rise& rise : site.rises) {
        const Store& store = site.stores[static_cast<std::size_t>(rise.store)];
        const bool now = rise.closes && !rise.from_the_start;
        if (now && store.copy_needed && !has_verified_copy(store, row)) {
            broken |= bit_of(Property::unverified_destroy);
        }
    }
    return broken;
}

bool runs_everywhere(const Site& site, const Rise& rise, const Byte* row) {
    const auto& members = site.members_of[static_cast<std::size_t>(rise.role)];
    return !members.empty() && std::all_of(members.begin(), members.end(), [&](int index) {
        const Place running = site.members[static_cast<std::size_t>(index)].running;
        return running != k_nowhere && has(rise.runs, row[running]);
    });
}

// True if one instance has reached the format. A law that has begun to raise a store counts as
// fired.
bool is_risen(const Site& site, const Rise& rise, const Byte* row) {
    const auto& offsets = site.stores[static_cast<std::size_t>(rise.store)].at;
    return std::any_of(offsets.begin(), offsets.end(), [&](Place place) {
        return row[place] != k_no_format && row[place] >= rise.becomes;
    });
}

bool serves(const Site& site, const Member& member, const Byte* row) {
    return member.running != k_nowhere && row[member.running] != k_absent
           && (member.ready == k_nowhere || row[member.ready] == site.serves);
}

bool is_among(const std::vector<int>& members, int member) {
    return std::find(members.begin(), members.end(), member) != members.end();
}

// True if another command in flight takes this member down.
bool is_going_down(const Site& site,
                   const Member& member,
                   std::size_t excluded_action,
                   const Byte* row) {
    return std::any_of(member.downs.begin(), member.downs.end(), [&](std::size_t i) {
        return i != excluded_action
               && run::is_open_ended(static_cast<run::Status>(site.status(row, i)));
    });
}

// True if a start decides the value at this offset. It brings up the installed release, even if the
// step declares another value for `running`.
bool is_told_by_start(const Site& site, const Act& act, Place offset) {
    return std::any_of(act.starting.begin(), act.starting.end(), [&](int index) {
        const Member& member = site.members[static_cast<std::size_t>(index)];
        return offset == member.running && member.installed != k_nowhere;
    });
}

}  // namespace

bool serve_apart(const Site& site, const Byte* row) {
    const auto any_runs = [&](int role, std::uint64_t releases) {
        const auto& members = site.members_of[static_cast<std::size_t>(role)];
        return std::any_of(members.begin(), members.end(), [&](int index) {
            const Place running = site.members[static_cast<std::size_t>(index)].running;
            return running != k_nowhere && has(releases, row[running]);
        });
    };
    return std::any_of(site.skews.begin(), site.skews.end(), [&](const SkewPair& pair) {
        return any_runs(pair.role, pair.one) && any_runs(pair.with, pair.other);
    });
}

// The order is that of the real action: checks on the state before it, then declared facts, stores,
// copies, starts. Skew and the way back are compared before and after, so a state that was bad
// already is not blamed on this action.
Broken take_effect(const Site& site, std::size_t action, Byte* row) {
    const Act& act = site.acts[action];
    if (!act.moves_world) {
        return 0;
    }
    const bool was_closing = is_closing(site, row);
    const bool violated_skew = serve_apart(site, row);
    Broken broken = lose_writes(site, act, row);
    broken |= act.destroys ? destroy(site, act, row) : Broken{0};
    if (act.ran != k_nowhere) {
        broken |= row[act.ran] != 0 ? bit_of(Property::twice) : Broken{0};
        row[act.ran] = 1;
    }
    for (const Write& write : act.writes) {
        if (!is_told_by_start(site, act, write.at)) {
            row[write.at] = write.value;
        }
    }
    for (const int store : act.raises) {
        raise_by_command(site, store, row);
    }
    for (const int store : act.lowers) {
        lower_by_command(site, store, row);
    }
    for (const int store : act.copies) {
        Byte& copy = row[site.stores[static_cast<std::size_t>(store)].copy];
        copy = std::max(copy, k_unverified);
    }
    for (const int member : act.starting) {
        broken |= start(site, site.members[static_cast<std::size_t>(member)], row);
    }
    broken |= !violated_skew && serve_apart(site, row) ? bit_of(Property::skew) : Broken{0};
    const bool forward = site.serving != k_nowhere && site.plan.procedure != "downgrade";
    if (forward && row[site.serving] != site.first[site.serving] && takes_writes(site, row)) {
        row[site.written] = 1;
    }
    return broken | (!was_closing && is_closing(site, row) ? close(site, row) : Broken{0});
}

void prove_copies(const Site& site, std::size_t action, Byte* row) {
    for (const int store : site.acts[action].copies) {
        row[site.stores[static_cast<std::size_t>(store)].copy] = k_verified;
    }
}

// True if the role has enough serving members now, and too few without the members that the step
// takes down. A role below its minimum already does not count: faults did that.
bool falls_short(const Site& site, std::size_t action, std::size_t role, const Byte* row) {
    int serving = 0;
    int leaving = 0;
    for (const int index : site.members_of[role]) {
        const Member& member = site.members[static_cast<std::size_t>(index)];
        const bool is_up = serves(site, member, row) && !is_going_down(site, member, action, row);
        serving += is_up ? 1 : 0;
        leaving += is_up && is_among(site.acts[action].leaving, index) ? 1 : 0;
    }
    const int minimum = site.quorum[role];
    return serving >= minimum && serving - leaving < minimum;
}

Broken begin(const Site& site, std::size_t action, const Byte* row) {
    for (const int index : site.acts[action].leaving) {
        const auto role =
            static_cast<std::size_t>(site.members[static_cast<std::size_t>(index)].role);
        if (site.quorum[role] > 0 && falls_short(site, action, role, row)) {
            return bit_of(Property::quorum);
        }
    }
    return 0;
}

// Laws that raise on start act in convert(); only when_all laws fire by themselves.
bool may_fire(const Site& site, const Rise& rise, const Byte* row) {
    const Store& store = site.stores[static_cast<std::size_t>(rise.store)];
    return rise.raises == model::Raises::when_all && row[store.held] == 0
           && !is_risen(site, rise, row) && runs_everywhere(site, rise, row);
}

void fire(const Site& site, const Rise& rise, Byte* row) {
    const Store& store = site.stores[static_cast<std::size_t>(rise.store)];
    for (std::size_t i = 0; i < store.at.size(); ++i) {
        raise(store, i, rise.becomes, row);
    }
}

bool can_read_all(const Site& site, const Member& member, Byte release, const Byte* row) {
    bool is_readable = true;
    for_each_store(site, member, [&](const Store& store, std::size_t instance) {
        is_readable = is_readable && can_read(site, store, row[store.at[instance]], release);
    });
    return is_readable;
}

void die(const Site& site, const Member& member, Byte* row) {
    if (member.running != k_nowhere) {
        row[member.running] = k_absent;
    }
    if (member.ready != k_nowhere) {
        row[member.ready] = k_absent;
    }
    if (member.service != k_nowhere) {
        row[member.service] = site.stopped;
    }
}

bool may_be_started(const Site& site, const Member& member, const Byte* row) {
    return member.running != k_nowhere && row[member.running] == k_absent
           && member.installed != k_nowhere && row[member.away] == 0
           && can_read_all(site, member, row[member.installed], row);
}

void start_by_hand(const Site& site, const Member& member, Byte* row) {
    bring_up(site, member, release_of(member, row), row);
}

// A when_all law counts as closing as soon as its condition holds: from then on it may fire at any
// moment.
bool is_closing(const Site& site, const Byte* row) {
    return std::any_of(site.rises.begin(), site.rises.end(), [&](const Rise& rise) {
        const bool counts = rise.closes && !rise.from_the_start;
        return counts
               && (is_risen(site, rise, row)
                   || (rise.raises == model::Raises::when_all && runs_everywhere(site, rise, row)));
    });
}

bool is_approved(const Site& site, const Byte* row) {
    return std::any_of(site.return_gates.begin(), site.return_gates.end(), [&](std::size_t gate) {
        return site.status(row, gate) == static_cast<Byte>(Status::done);
    });
}

}  // namespace drydock::checker
