// The parts are found in the two last rows of the path: before the last transition, and after it.
#include "checker/violation_parts.h"

#include "base/text.h"
#include "checker/member_effects.h"
#include "checker/transition_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::checker {

namespace {

Misreading misreading_of(const Model& model,
                         Index member,
                         const Store& store,
                         Index instance,
                         Byte release,
                         const Byte* row) {
    const Byte format = row[store.offset[instance]];
    const Byte reader = reader_of(store, member, release, row);
    return {member,
            &store,
            instance,
            reader,
            format,
            can_start_on(model, store, instance, reader, row),
            format != k_destroyed && !store.unclean.empty()
                && row[store.unclean[instance]] != k_absent};
}

}  // namespace

std::optional<Misreading> find_misreading(const Model& model, const Path& walk) {
    const Byte* row = walk.row.data();
    std::optional<Misreading> found;
    for (Index index = 0; index < model.members.size() && !found; ++index) {
        const Member& member = model.members[index];
        if (!misreads(model, member, row) || misreads(model, member, walk.previous_row.data())) {
            continue;
        }
        for_each_store(model, member, row, [&](const Store& store, Index instance) {
            const Byte reader = reader_of(store, index, row[member.running], row);
            if (!found && !can_serve_on(model, store, instance, reader, row)) {
                found = misreading_of(model, index, store, instance, row[member.running], row);
            }
        });
    }
    return found;
}

std::vector<Misreading> refusing_stores(const Model& model, const Path& walk) {
    const Byte* row = walk.row.data();
    std::vector<Misreading> refusing;
    if (!is_about_action(walk.last_transition.kind)) {
        return refusing;
    }
    const ActionModel& act = model.actions[walk.last_transition.index];
    for (const Index index : act.starting) {
        const Member& member = model.members[index];
        const Byte release = release_to_start(act, member, row);
        for_each_store(model, member, row, [&](const Store& store, Index instance) {
            const Byte reader = reader_of(store, index, release, row);
            if (!is_running(member, row) && !can_start_on(model, store, instance, reader, row)) {
                refusing.push_back(misreading_of(model, index, store, instance, release, row));
            }
        });
    }
    return refusing;
}

std::vector<Index> actions_beside(const Model& model, const Path& walk) {
    std::vector<Index> beside;
    for (Index i = 0; i < model.actions.size(); ++i) {
        const bool is_last =
            is_about_action(walk.last_transition.kind) && i == walk.last_transition.index;
        if (!is_last && run::is_open_ended(model.status(walk.previous_row.data(), i))) {
            beside.push_back(i);
        }
    }
    return beside;
}

std::vector<Index> members_leaving(const Model& model, const Path& walk) {
    return is_about_action(walk.last_transition.kind)
               ? model.actions[walk.last_transition.index].leaving
               : std::vector<Index>();
}

std::vector<std::string> unverified_stores(const Model& model, const Path& walk) {
    std::vector<std::string> names;
    const auto add = [&](Index store) {
        const Store& lost = model.stores[store];
        if (!has_verified_copy(lost, walk.previous_row.data())
            && index_in(names, lost.name) == k_no_index) {
            names.push_back(lost.name);
        }
    };
    if (is_about_action(walk.last_transition.kind)) {
        const auto& destroyed = model.actions[walk.last_transition.index].destroyed;
        std::for_each(destroyed.begin(), destroyed.end(), add);
    }
    for (const FormatTransition& rise : model.format_transitions) {
        if (names.empty() && rise.closes()) {
            add(rise.store);
        }
    }
    return names;
}

std::string format_name(const Store& store, Byte format) {
    return format == k_destroyed           ? "destroyed"
           : format < store.formats.size() ? store.formats[format]
                                           : "unknown";
}

std::string titles_of(const Model& model, const std::vector<Index>& actions) {
    std::vector<std::string> titles;
    for (const Index action : actions) {
        titles.push_back(fmt::format("\"{}\"", model.plan.actions[action].title));
    }
    return join(titles, " and ");
}

}  // namespace drydock::checker
