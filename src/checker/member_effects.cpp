// A start brings up the installed release, even if the step meant another. A member that goes down
// is not ready, leads nobody, and may have a stale copy from then on.
#include "checker/member_effects.h"

namespace drydock::checker {

namespace {

void set_if(Offset offset, Byte value, Byte* row) {
    if (offset != k_no_offset) {
        row[offset] = value;
    }
}

// Notes the release that left an instance unclean; `k_absent`: it is clean. The facts follow.
void set_unclean(const Model& model, const Store& store, Index instance, Byte release, Byte* row) {
    row[store.unclean[instance]] = release;
    for (const Offset fact : store.clean_facts[instance]) {
        row[fact] = release == k_absent ? model.value_serving : model.no;
    }
}

// While members run that open it, a store is unclean.
void note_unclean(const Model& model, Byte* row) {
    for (const Store& store : model.stores) {
        for (Index i = 0; i < store.unclean.size(); ++i) {
            if (const Byte release = last_opener(model, store, i, row); release != k_absent) {
                set_unclean(model, store, i, release, row);
            }
        }
    }
}

// A member that runs already keeps its lead; one that comes up does not lead.
void bring_up(const Model& model, const Member& member, Byte release, Byte* row) {
    end_claims_on(model, member, row);
    set_if(is_running(member, row) ? k_no_offset : member.leads, model.no, row);
    row[member.running] = release;
    set_if(member.ready, model.value_serving, row);
    set_if(member.service, model.value_started, row);
    convert(model, member, release, row);
}

void set_down(const Model& model, const Member& member, Byte* row) {
    set_if(member.ready, k_absent, row);
    set_if(member.service, model.value_stopped, row);
    set_if(member.leads, model.no, row);
}

bool is_among(const std::vector<Index>& members, Index member) {
    return std::find(members.begin(), members.end(), member) != members.end();
}

// Marks the copy of a member as stale if another one runs on and takes writes.
void mark_stale(const Model& model,
                const Member& member,
                const std::vector<Index>& leaving,
                Byte* row) {
    const auto& role = model.members_of[member.role];
    const bool runs_on = std::any_of(role.begin(), role.end(), [&](Index other) {
        return &model.members[other] != &member && !is_among(leaving, other)
               && is_running(model.members[other], row);
    });
    if (runs_on && takes_writes(model, row)) {
        for_each_own_store(model, member, [&](const Store& store, Index instance) {
            if (!store.stale.empty()) {
                row[store.stale[instance]] = 1;
            }
        });
    }
}

// Counts the current copies of members that run, or of members that are down.
bool any_current(const Model& model, const Store& store, bool running, const Byte* row) {
    const auto& owners = model.members_of[store.role];
    for (Index i = 0; i < store.stale.size(); ++i) {
        if (row[store.stale[i]] == 0 && is_running(model.members[owners[i]], row) == running) {
            return true;
        }
    }
    return false;
}

// Marks what the stopped members opened as clean, if no other member that runs opens it.
void leave_clean(const Model& model, const std::vector<Index>& stopped, Byte* row) {
    std::vector<Byte> without(row, row + (model.has_mutual_laws ? model.size : 0));
    for (Index i = 0; model.has_mutual_laws && i < stopped.size(); ++i) {
        without[model.members[stopped[i]].running] = k_absent;
    }
    for (Index i = 0; model.has_mutual_laws && i < stopped.size(); ++i) {
        const Member& member = model.members[stopped[i]];
        for_each_store(model, member, row, [&](const Store& store, Index instance) {
            if (!store.unclean.empty()
                && last_opener(model, store, instance, without.data()) == k_absent) {
                set_unclean(model, store, instance, k_absent, row);
            }
        });
    }
}

// Members that run beside a current one become current.
void catch_up(const Model& model, Byte* row) {
    for (const Store& store : model.stores) {
        if (store.stale.empty() || !any_current(model, store, true, row)) {
            continue;
        }
        const auto& owners = model.members_of[store.role];
        for (Index i = 0; i < store.stale.size(); ++i) {
            if (is_running(model.members[owners[i]], row)) {
                row[store.stale[i]] = 0;
            }
        }
    }
}

// Members of a role with `ready_with` are ready exactly while enough of them run.
void share_readiness(const Model& model, Byte* row) {
    for (Index role = 0; role < model.roles.size(); ++role) {
        if (model.ready_with[role] == 0) {
            continue;
        }
        const auto& members = model.members_of[role];
        const auto runs = [&](Index member) { return is_running(model.members[member], row); };
        const auto count = std::count_if(members.begin(), members.end(), runs);
        for (const Index member : members) {
            if (runs(member)) {
                set_if(model.members[member].ready,
                       count >= model.ready_with[role] ? model.value_serving : model.no,
                       row);
            }
        }
    }
}

}  // namespace

Byte last_opener(const Model& model, const Store& store, Index instance, const Byte* row) {
    Byte release = k_absent;
    for (Index i = 0; i < model.members.size(); ++i) {
        const Member& member = model.members[i];
        const bool is_anothers = !store.is_shared && store.role == member.role
                                 && model.members_of[store.role][instance] != i;
        if (store.opened_by[member.role] && !is_anothers && is_running(member, row)) {
            release = reader_of(store, i, row[member.running], row);
        }
    }
    return release;
}

Byte release_of(const Member& member, const Byte* row) {
    return member.installed != k_no_offset ? row[member.installed] : row[member.running];
}

Byte release_to_start(const ActionModel& act, const Member& member, const Byte* row) {
    const auto write = std::find_if(act.writes.begin(), act.writes.end(), [&](const Write& one) {
        return one.offset == member.running && one.value != k_absent;
    });
    const bool is_told = member.installed == k_no_offset && write != act.writes.end();
    return is_told ? write->value : release_of(member, row);
}

bool votes(const Model& model, const Member& member, const Byte* row) {
    return member.voter == k_no_offset || row[member.voter] == model.value_serving;
}

bool is_serving(const Model& model, const Member& member, const Byte* row) {
    return is_running(member, row)
           && (member.ready == k_no_offset || row[member.ready] == model.value_serving);
}

void settle(const Model& model, Byte* row) {
    if (model.has_mutual_laws) {
        share_readiness(model, row);
        note_unclean(model, row);
        catch_up(model, row);
    }
}

bool runs_without_newest(const Model& model, const Member& member, const Byte* row) {
    bool is_behind = false;
    for_each_own_store(model, member, [&](const Store& store, Index instance) {
        is_behind =
            is_behind
            || (!store.stale.empty() && row[store.stale[instance]] != 0 && is_running(member, row)
                && !any_current(model, store, true, row) && any_current(model, store, false, row));
    });
    return is_behind;
}

PropertySet start(const Model& model, const Member& member, Byte* row) {
    return member.running == k_no_offset ? 0
                                         : start_as(model, member, release_of(member, row), row);
}

void run_on(const Model& model, const Member& member, Byte release, Byte* row) {
    row[member.running] = release;
    set_if(member.ready, model.value_serving, row);
    set_if(member.service, model.value_started, row);
}

PropertySet start_as(const Model& model, const Member& member, Byte release, Byte* row) {
    if (!can_read_all(model, member, release, row)) {
        kill_member(model, member, row);
        return mask_of(Property::unreadable_start);
    }
    bring_up(model, member, release, row);
    return 0;
}

// Members that one command takes down go down together: none of them outlives another. What they
// leave without another that opens it, they leave clean.
void take_down(const Model& model, const std::vector<Index>& leaving, Byte* row) {
    if (leaving.empty()) {
        return;
    }
    std::vector<Index> stopped;
    std::copy_if(leaving.begin(), leaving.end(), std::back_inserter(stopped), [&](Index member) {
        return is_running(model.members[member], row);
    });
    for (Index i = 0; model.has_mutual_laws && i < stopped.size(); ++i) {
        mark_stale(model, model.members[stopped[i]], leaving, row);
    }
    for (const Index member : stopped) {
        set_down(model, model.members[member], row);
    }
    leave_clean(model, stopped, row);
    // Without a fact of what is installed, the step itself tells what the start brings up.
    for (const Index member : stopped) {
        const Member& taken = model.members[member];
        set_if(taken.installed == k_no_offset ? k_no_offset : taken.running, k_absent, row);
    }
}

bool can_read_all(const Model& model, const Member& member, Byte release, const Byte* row) {
    bool is_readable = true;
    for_each_store(model, member, row, [&](const Store& store, Index instance) {
        const Byte reader = reader_of(store, index_of(model, member), release, row);
        is_readable = is_readable && can_start_on(model, store, instance, reader, row);
    });
    return is_readable;
}

void kill_member(const Model& model, const Member& member, Byte* row) {
    end_claims_on(model, member, row);
    if (model.has_mutual_laws && is_running(member, row)) {
        mark_stale(model, member, {}, row);
    }
    set_if(member.running, k_absent, row);
    set_down(model, member, row);
    settle(model, row);
}

bool can_be_started(const Model& model, const Member& member, const Byte* row) {
    return member.running != k_no_offset && row[member.running] == k_absent
           && member.installed != k_no_offset && row[member.unreachable] == 0
           && can_read_all(model, member, row[member.installed], row);
}

bool can_restart(const Model& model, const Member& member, const Byte* row) {
    return model.restarts[member.role] && member.running != k_no_offset
           && row[member.running] == k_absent && member.installed != k_no_offset
           && row[member.installed] != k_absent
           && can_read_all(model, member, row[member.installed], row);
}

void start_by_hand(const Model& model, const Member& member, Byte* row) {
    bring_up(model, member, release_of(member, row), row);
    settle(model, row);
}

bool can_lead(const Model& model, const Member& member, const Byte* row) {
    if (member.leads == k_no_offset || !is_serving(model, member, row)) {
        return false;
    }
    const auto& role = model.members_of[member.role];
    return std::none_of(role.begin(), role.end(), [&](Index index) {
        const Member& other = model.members[index];
        return other.leads != k_no_offset && row[other.leads] == model.value_serving
               && is_running(other, row);
    });
}

void lead(const Model& model, const Member& member, Byte* row) {
    for (const Index index : model.members_of[member.role]) {
        set_if(model.members[index].leads, model.no, row);
    }
    set_if(member.leads, model.value_serving, row);
}

}  // namespace drydock::checker
