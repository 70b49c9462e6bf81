// Formats and copies. A fact that reports the level of a store follows the format, whoever changes
// it. A destroyed store has a format that no release opens, and no level.
#include "checker/store_effects.h"

namespace drydock::checker {

namespace {

bool is_leader_of(const Model& model, const Member& member, const Byte* row) {
    return member.leads != k_no_offset && row[member.leads] == model.value_serving;
}

// True if another release than the reader's has left the instance unclean. A plan names facts of
// clean stops only if its two releases are of different series, so another release is another
// series.
bool is_foreign(const Store& store, Index instance, Byte reader, const Byte* row) {
    const Byte left_by = store.unclean.empty() ? k_absent : row[store.unclean[instance]];
    return left_by != k_absent && reader != k_absent && left_by != reader;
}

bool is_listed(const std::vector<std::vector<bool>>& formats, Byte release, Byte format) {
    return format != k_destroyed
           && (release >= formats.size() || format >= formats[release].size()
               || formats[release][format]);
}

// Lowers the store, or a member's own instance, to the format of the target release, and sets
// `hold` for the whole store. Without the hold, a when_all law would raise it again at once.
void lower_by_command(const Model& model, const StoreChange& change, Byte* row) {
    const Store& store = model.stores[change.store];
    const auto law = store.laws.find(model.plan.to_version);
    if (law == store.laws.end()) {
        return;
    }
    row[store.hold] = 1;
    const Index format = index_in(store.formats, law->second.writes);
    for (const Index instance : change.instances) {
        if (format != k_no_index && row[store.offset[instance]] != k_destroyed) {
            set_format(store, instance, to_byte(format), row);
        }
    }
}

// True if a law that raises to this format changes the instance. Formats only rise; an instance
// that is ahead, or destroyed, stays.
bool is_below(const Store& store, Index instance, Byte format, const Byte* row) {
    const Byte now = row[store.offset[instance]];
    return now == k_no_format || now < format;
}

// Visits the instances that a start of the release raises, with their laws.
template <class Each>
void for_each_raised(
    const Model& model, const Member& member, Byte release, const Byte* row, const Each& visit) {
    for (const FormatTransition& rise : model.format_transitions) {
        const Store& raised = model.stores[rise.store];
        if (rise.raises != model::FormatTrigger::on_start
            || !has(rise.running_values,
                    reader_of(raised, index_of(model, member), release, row))) {
            continue;
        }
        for_each_store(model, member, row, [&](const Store& store, Index instance) {
            if (&store == &raised && is_below(store, instance, rise.becomes, row)) {
                visit(store, instance, rise.becomes);
            }
        });
    }
}

// What was destroyed is made anew by a command, and by no law.
void make_anew(const Store& store, const std::vector<Index>& instances, Byte format, Byte* row) {
    for (const Index instance : instances) {
        if (row[store.offset[instance]] == k_destroyed) {
            set_format(store, instance, format, row);
        }
    }
}

void raise(const Store& store, Index instance, Byte format, Byte* row) {
    if (is_below(store, instance, format, row)) {
        set_format(store, instance, format, row);
    }
}

// Returns the releases of the axis that the owner of the instance has, as values; of a shared
// store, those of all members of its role.
std::vector<Byte>
releases_of_axis(const Model& model, const Store& store, Index instance, const Byte* row) {
    const auto& owners = model.members_of[store.role];
    std::vector<Byte> releases;
    for (Index i = 0; i < owners.size(); ++i) {
        const Offset place = store.axis[owners[i]];
        if ((store.is_shared || i == instance) && place != k_no_offset) {
            releases.push_back(row[place]);
        }
    }
    return releases;
}

// A tool that makes an instance of an axis anew writes what its member's release writes, whether
// that release raises or not. Of several the newest format counts.
void make_anew_by_axis(const Model& model, const StoreChange& change, Byte* row) {
    const Store& store = model.stores[change.store];
    for (const Index instance : change.instances) {
        Index newest = k_no_index;
        for (const Byte release : releases_of_axis(model, store, instance, row)) {
            const auto law = store.laws.find(model.values.at(release).value.show());
            const Index format =
                law == store.laws.end() ? k_no_index : index_in(store.formats, law->second.writes);
            newest =
                newest == k_no_index || (format != k_no_index && format > newest) ? format : newest;
        }
        if (newest != k_no_index) {
            make_anew(store, {instance}, to_byte(newest), row);
        }
    }
}

// True if the law is of the release whose laws the instance has.
bool is_law_of(const Model& model, const FormatTransition& rise, Index instance, const Byte* row) {
    const Store& store = model.stores[rise.store];
    if (store.axis.empty()) {
        return true;
    }
    const auto releases = releases_of_axis(model, store, instance, row);
    return std::any_of(releases.begin(), releases.end(), [&](Byte release) {
        return has(rise.running_values, release);
    });
}

// A step that raises a store fires its laws at once, if their conditions hold. A step that raises a
// member's own instance leaves the others. On an axis each instance has the laws of its member.
void raise_by_command(const Model& model, const StoreChange& change, Byte* row) {
    const Store& store = model.stores[change.store];
    if (!store.axis.empty()) {
        make_anew_by_axis(model, change, row);
    }
    for (const FormatTransition& rise : model.format_transitions) {
        if (rise.store != change.store || (rise.waits && !holds(model, rise, row))) {
            continue;
        }
        if (store.axis.empty()) {
            make_anew(store, change.instances, rise.becomes, row);
        }
        for (Index i = 0; i < store.offset.size(); ++i) {
            const bool is_meant = !change.own || index_in(change.instances, i) != k_no_index;
            if (is_meant && is_law_of(model, rise, i, row)) {
                raise(store, i, rise.becomes, row);
            }
        }
    }
}

void copy(const Store& store, Byte* row) {
    row[store.copy] = std::max(row[store.copy], k_unverified);
    for (Index i = 0; i < store.copied.size(); ++i) {
        row[store.copied[i]] = row[store.offset[i]];
    }
}

// Without a copy there is nothing to restore.
void restore(const Store& store, const std::vector<Index>& instances, Byte* row) {
    for (const Index instance : instances) {
        const Byte format = row[store.copied[instance]];
        if (row[store.copy] != 0 && format != k_no_format) {
            set_format(store, instance, format, row);
        }
    }
}

}  // namespace

void set_format(const Store& store, Index instance, Byte format, Byte* row) {
    row[store.offset[instance]] = format;
    for (const Offset level : store.levels[instance]) {
        row[level] = format < store.level_values.size() ? store.level_values[format] : k_absent;
    }
}

void convert(const Model& model, const Member& member, Byte release, Byte* row) {
    for_each_raised(
        model, member, release, row, [&](const Store& store, Index instance, Byte format) {
            set_format(store, instance, format, row);
        });
}

bool would_raise(const Model& model, const Member& member, Byte release, const Byte* row) {
    bool is_raised = false;
    for_each_raised(
        model, member, release, row, [&](const Store&, Index, Byte) { is_raised = true; });
    return is_raised;
}

void change_store(const Model& model, const StoreChange& change, Byte* row) {
    const Store& store = model.stores[change.store];
    if (change.kind == model::EffectKind::raises) {
        raise_by_command(model, change, row);
    } else if (change.kind == model::EffectKind::lowers) {
        lower_by_command(model, change, row);
    } else if (change.kind == model::EffectKind::copies) {
        copy(store, row);
    } else if (change.kind == model::EffectKind::restores) {
        restore(store, change.instances, row);
    } else if (change.kind == model::EffectKind::destroys) {
        for (const Index instance : change.instances) {
            set_format(store, instance, k_destroyed, row);
        }
    }
}

bool has_verified_copy(const Store& store, const Byte* row) {
    return row[store.copy] == k_verified;
}

bool is_risen(const Model& model, const FormatTransition& rise, const Byte* row) {
    const auto& offsets = model.stores[rise.store].offset;
    return std::any_of(offsets.begin(), offsets.end(), [&](Offset place) {
        return row[place] < k_destroyed && row[place] >= rise.becomes;
    });
}

bool holds(const Model& model, const FormatTransition& rise, const Byte* row) {
    const auto& members = model.members_of[rise.role];
    const auto runs_it = [&](Index index) {
        const Member& member = model.members[index];
        return is_running(member, row)
               && has(rise.running_values,
                      reader_of(model.stores[rise.store], index, row[member.running], row));
    };
    const auto any_of_members = [&](const auto& test) {
        return std::any_of(members.begin(), members.end(), test);
    };
    const auto runs_another = [&](Index index) {
        return is_running(model.members[index], row) && !runs_it(index);
    };
    const auto leads_it = [&](Index index) {
        return runs_it(index) && is_leader_of(model, model.members[index], row);
    };
    if (rise.raises == model::FormatTrigger::when_all) {
        return !members.empty() && std::all_of(members.begin(), members.end(), runs_it);
    }
    if (rise.raises == model::FormatTrigger::when_all_running) {
        return any_of_members(runs_it) && !any_of_members(runs_another);
    }
    return rise.raises == model::FormatTrigger::on_lead && any_of_members(leads_it);
}

// Laws that raise on start act in convert(). A store that is destroyed as a whole cannot rise.
bool can_fire(const Model& model, const FormatTransition& rise, const Byte* row) {
    const Store& store = model.stores[rise.store];
    return rise.waits && row[store.hold] == 0 && !is_risen(model, rise, row)
           && holds(model, rise, row)
           && std::any_of(store.offset.begin(), store.offset.end(), [&](Offset place) {
                  return row[place] != k_destroyed;
              });
}

void fire(const Model& model, const FormatTransition& rise, Byte* row) {
    const Store& store = model.stores[rise.store];
    for (Index i = 0; i < store.offset.size(); ++i) {
        raise(store, i, rise.becomes, row);
    }
}

bool can_start_on(
    const Model& /*model*/, const Store& store, Index instance, Byte reader, const Byte* row) {
    return is_listed(store.starts_on, reader, row[store.offset[instance]])
           && !is_foreign(store, instance, reader, row);
}

bool can_serve_on(
    const Model& model, const Store& store, Index instance, Byte reader, const Byte* row) {
    const Byte format = row[store.offset[instance]];
    return is_listed(store.reads, reader, format)
           || (is_listed(store.starts_on, reader, format) && !takes_writes(model, row));
}

bool takes_writes(const Model& model, const Byte* row) {
    return model.writes == k_no_offset || has(model.accepted, row[model.writes]);
}

}  // namespace drydock::checker
