// Properties of a state, asked before and after a transition: the transition that makes a state bad
// is to blame. So one question covers starts, migrations, laws, elections and restarts.
#include "checker/cluster_effects.h"
#include "checker/member_effects.h"

namespace drydock::checker {

namespace {

// Closing the way back needs an approval. It also needs a verified copy of each store that rises,
// where the plan makes copies.
PropertySet close(const Model& model, const Byte* row) {
    PropertySet broken =
        is_approved(model, row) ? PropertySet{0} : mask_of(Property::unasked_return_point);
    for (const FormatTransition& rise : model.format_transitions) {
        const Store& store = model.stores[rise.store];
        if (rise.closes() && store.copy_needed && !has_verified_copy(store, row)) {
            broken |= mask_of(Property::unverified_destroy);
        }
    }
    return broken;
}

// True if a format, or who may serve on it, has changed for members that run on.
bool has_moved_stores(const Model& model, const Byte* before, const Byte* after) {
    if (model.has_mutual_laws
        || (model.depends_on_clients
            && takes_writes(model, before) != takes_writes(model, after))) {
        return true;
    }
    return std::any_of(model.stores.begin(), model.stores.end(), [&](const Store& store) {
        return std::any_of(store.offset.begin(), store.offset.end(), [&](Offset place) {
            return before[place] != after[place];
        });
    });
}

// True if a member misreads that did not before; `excluded` does not count, if it is not null.
bool misreads_anew(const Model& model,
                   const Byte* before,
                   const Byte* after,
                   const Member* excluded = nullptr) {
    const bool has_moved = has_moved_stores(model, before, after);
    return std::any_of(model.members.begin(), model.members.end(), [&](const Member& member) {
        return &member != excluded && is_running(member, after)
               && (has_moved || before[member.running] != after[member.running])
               && misreads(model, member, after) && !misreads(model, member, before);
    });
}

// Judges what the releases that run do together: skew, and the way back.
PropertySet judge_releases(const Model& model, const Byte* before, const Byte* after) {
    PropertySet broken = 0;
    if (!model.skews.empty() && violates_skew(model, after) && !violates_skew(model, before)) {
        broken |= mask_of(Property::skew);
    }
    if (is_closing(model, after) && !is_closing(model, before)) {
        broken |= close(model, after);
    }
    return broken;
}

bool has_begun(run::Status status) {
    return run::is_in_flight(status) || run::has_failed(status) || status == run::Status::done;
}

// True if the plan has begun to move the member.
bool is_moved(const Model& model, const Member& member, const Byte* row) {
    const auto begins = [&](std::size_t action) { return has_begun(model.status(row, action)); };
    const auto& stops = member.stopping_actions;
    const auto& events = member.up_down_events;
    return std::any_of(stops.begin(), stops.end(), begins)
           || std::any_of(events.begin(), events.end(), [&](const Member::UpDownEvent& event) {
                  return begins(event.action);
              });
}

// True if the member is down with the release that it had when the plan was made. One that ran then
// has died since, and the plan has no part in it.
bool is_as_found(const Model& model, const Member& member, const Byte* row) {
    return member.running != k_no_offset && member.installed != k_no_offset
           && row[member.running] == k_absent
           && row[member.installed] == model.initial[member.installed]
           && (!is_running(member, model.initial.data()) || !is_moved(model, member, row));
}

// Returns what breaks if the member is down, or dies, before the first action, and then starts by
// itself. Nobody can be asked before that. But what would break otherwise by a death could be
// mended before the plan is made.
PropertySet found_broken(const Model& model, const Member& member) {
    std::vector<Byte> found = model.initial;
    const bool runs = member.running != k_no_offset && is_running(member, found.data());
    if (runs
        && (member.installed == k_no_offset || found[member.installed] == found[member.running])) {
        return 0;
    }
    if (runs) {
        kill_member(model, member, found.data());
    }
    if (!can_restart(model, member, found.data())) {
        return 0;
    }
    std::vector<Byte> after = found;
    start_by_hand(model, member, after.data());
    const PropertySet broken = judge_start(model, member, found.data(), after.data());
    return runs ? broken & mask_of(Property::unasked_return_point) : broken;
}

}  // namespace

bool misreads(const Model& model, const Member& member, const Byte* row) {
    if (!is_running(member, row)) {
        return false;
    }
    bool is_readable = true;
    for_each_store(model, member, row, [&](const Store& store, Index instance) {
        const Byte reader = reader_of(store, index_of(model, member), row[member.running], row);
        is_readable = is_readable && can_serve_on(model, store, instance, reader, row);
    });
    return !is_readable;
}

PropertySet judge_change(const Model& model, const Byte* before, const Byte* after) {
    const bool is_misread = misreads_anew(model, before, after);
    return judge_releases(model, before, after)
           | (is_misread ? mask_of(Property::unreadable_start) : PropertySet{0});
}

PropertySet
judge_start(const Model& model, const Member& member, const Byte* before, const Byte* after) {
    const bool is_misread =
        (model.depends_on_clients && misreads(model, member, after))
        || (has_moved_stores(model, before, after) && misreads_anew(model, before, after, &member));
    const PropertySet broken =
        judge_releases(model, before, after) | judge_resources_of_start(model, member, before)
        | (is_misread ? mask_of(Property::unreadable_start) : PropertySet{0});
    const bool is_excused = member.found_broken != 0 && is_as_found(model, member, before);
    const PropertySet excused = is_excused ? member.found_broken : 0;
    return broken & ~mask_of(Property::unverified_destroy) & ~excused;
}

void note_found_starts(Model& model) {
    for (Member& member : model.members) {
        member.found_broken = found_broken(model, member);
    }
}

bool violates_skew(const Model& model, const Byte* row) {
    const auto any_runs = [&](Index role, std::uint64_t releases) {
        const auto& members = model.members_of[role];
        return std::any_of(members.begin(), members.end(), [&](Index index) {
            const Offset running = model.members[index].running;
            return running != k_no_offset && has(releases, row[running]);
        });
    };
    return std::any_of(model.skews.begin(), model.skews.end(), [&](const SkewPair& pair) {
        return any_runs(pair.role, pair.releases) && any_runs(pair.other_role, pair.other_releases);
    });
}

// A law with a condition counts as closing as soon as its condition holds: from then on it may fire
// at any moment.
bool is_closing(const Model& model, const Byte* row) {
    return std::any_of(model.format_transitions.begin(),
                       model.format_transitions.end(),
                       [&](const FormatTransition& rise) {
                           return rise.closes()
                                  && (is_risen(model, rise, row)
                                      || (rise.waits && holds(model, rise, row)));
                       });
}

bool is_approved(const Model& model, const Byte* row) {
    return std::any_of(model.return_gates.begin(), model.return_gates.end(), [&](std::size_t gate) {
        return model.status(row, gate) == run::Status::done;
    });
}

std::string left_behind(const Model& model, const Byte* row) {
    const auto fact = std::find_if(
        model.temporaries.begin(), model.temporaries.end(), [&](const TemporaryValue& temporary) {
            return row[temporary.at] != temporary.value;
        });
    return fact == model.temporaries.end() ? "" : fact->key;
}

}  // namespace drydock::checker
