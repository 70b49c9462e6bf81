// Remedies for a release on a store that it does not read.
//
// The sentence depends on what made the store unreadable. Was it so when the plan was made, then
// the plan is to be refused. Did a step, a law or an election make it so, then that is to come
// later, or the members that cannot read it are to be gone by then.
#include "base/text.h"
#include "checker/member_effects.h"
#include "checker/remedies.h"
#include "checker/transition_text.h"
#include "checker/violation_parts.h"
#include "model/effect_kinds.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::checker {

namespace {

using model::EffectKind;

// Returns the name of a fact without its member.
std::string fact_name(const std::string& key) {
    return key.substr(key.rfind('/') + 1);
}

const model::PlanStore& planned(const Model& model, const Store& store) {
    return *std::find_if(model.plan.stores.begin(), model.plan.stores.end(), [&](const auto& one) {
        return one.name == store.name;
    });
}

bool is_read(const Store& store, Byte reader, Byte format) {
    return reader >= store.reads.size() || store.reads[reader][format];
}

// Returns the formats that the release reads: "1 or 2".
std::string formats_read(const Misreading& found) {
    std::vector<std::string> formats;
    for (Byte format = 0; format < found.store->formats.size(); ++format) {
        if (is_read(*found.store, found.reader, format)) {
            formats.push_back(found.store->formats[format]);
        }
    }
    return join(formats, " or ");
}

// Returns the condition on the store's level, in words. Without a level there is nothing to ask.
std::string condition_on(const Model& model, const Misreading& found) {
    const auto& levels = planned(model, *found.store).levels;
    return levels.empty() || fact_name(levels.front()).empty()
               ? fmt::format("{} is at {} (give the store a `level` that tells it)",
                             found.store->name,
                             formats_read(found))
               : fmt::format("{} is {}", fact_name(levels.front()), formats_read(found));
}

// Returns an action before the last one that moves the format of the store; k_no_index: none.
Index find_migration(const Model& model, const Misreading& found, const Path& walk) {
    for (Index i = 0; i < walk.last_transition.index; ++i) {
        const auto& changes = model.actions[i].changes;
        const bool moves = std::any_of(changes.begin(), changes.end(), [&](const auto& change) {
            return &model.stores[change.store] == found.store && model::converts(change.kind);
        });
        if (moves) {
            return i;
        }
    }
    return k_no_index;
}

bool is_as_planned(const Model& model, const Misreading& found) {
    return model.initial[found.store->offset[found.instance]] == found.format;
}

// True if another member runs on a store that they share: it keeps the store unclean.
bool runs_beside(const Model& model, const Misreading& found, const Byte* row) {
    const Index role = model.members[found.member].role;
    const auto& members = model.members_of[role];
    return found.store->is_shared && std::any_of(members.begin(), members.end(), [&](Index member) {
               return member != found.member && is_running(model.members[member], row);
           });
}

// A guard can ask for a clean store only where nobody runs on it any more. A command that stops and
// starts its member never finds it so.
std::string remedy_of_unclean(const Model& model, const Misreading& found, const Path& walk) {
    const auto& facts = planned(model, *found.store).clean_stop;
    const std::string clean = facts.empty() ? "its `clean_stop`" : fact_name(facts.front());
    if (runs_beside(model, found, walk.previous_row.data())) {
        return fmt::format("stop all members that open {} before the first of them starts, as in a "
                           "procedure of the kind `offline`, and let a guard of the step of {} "
                           "between the stops and the starts ask that {} is true, as in `{{fact: "
                           "{}, is: true}}`: one that runs keeps it from being clean",
                           found.store->name,
                           model.members[found.member].name,
                           clean,
                           clean);
    }
    if (index_in(members_leaving(model, walk), found.member) != k_no_index) {
        return fmt::format("stop {} in a step of its own before this one, and let a guard of this "
                           "one ask that {} is true; its `remedy`: start the old release again, "
                           "and stop it",
                           model.members[found.member].name,
                           clean);
    }
    return fmt::format("let a guard of this start, or of the step before it, ask that {} is true; "
                       "its `remedy`: start the old release again, and stop it",
                       clean);
}

// True if the store has no level that a condition could ask, and a step is to raise it for the
// release.
bool is_to_be_raised(const Model& model, const Misreading& found) {
    const model::PlanStore& store = planned(model, *found.store);
    if (found.reader == k_absent
        || (!store.levels.empty() && !fact_name(store.levels.front()).empty())) {
        return false;
    }
    const auto law = store.laws.find(model.values.at(found.reader).value.show());
    return law != store.laws.end() && law->second.trigger == model::FormatTrigger::on_migrate
           && is_as_planned(model, found);
}

std::string remedy_of_refused_start(const Model& model, const Misreading& found, const Path& walk) {
    const std::string& store = found.store->name;
    if (found.format == k_destroyed) {
        return fmt::format("restore {} before this start, with the effect `restores: {}`, from a "
                           "copy that a step made before it was destroyed",
                           store,
                           store);
    }
    if (found.is_unclean) {
        return remedy_of_unclean(model, found, walk);
    }
    if (const Index migration = find_migration(model, found, walk); migration != k_no_index) {
        return fmt::format("let \"{}\" move {} before this start, in every case",
                           model.plan.actions[migration].title,
                           store);
    }
    if (is_to_be_raised(model, found)) {
        return fmt::format("raise {} before this start, while {} is down: a step with the effect "
                           "`raises: {}`",
                           store,
                           model.members[found.member].name,
                           store);
    }
    const std::string condition = condition_on(model, found);
    return is_as_planned(model, found)
               ? fmt::format("`require` before the first step that {}: the plan is refused then, "
                             "and nothing is stopped",
                             condition)
               : fmt::format("let a guard of this start, or of the step before it, ask that {}",
                             condition);
}

// Returns an optional step that would have raised the member's store, and is over without that;
// k_no_index: none. What is skipped may count as done where nothing tells the difference.
Index find_optional_raise(const Model& model, const Misreading& found, const Path& walk) {
    for (Index i = 0; i < model.actions.size(); ++i) {
        const auto status = model.status(walk.row.data(), i);
        const auto& changes = model.actions[i].changes;
        const bool raises = std::any_of(changes.begin(), changes.end(), [&](const auto& change) {
            return &model.stores[change.store] == found.store && change.kind == EffectKind::raises
                   && index_in(change.instances, found.instance) != k_no_index;
        });
        if (raises && model.plan.actions[i].optional
            && (run::is_over(status) || run::has_failed(status))) {
            return i;
        }
    }
    return k_no_index;
}

// True if the member runs on through the step: it is no start.
bool runs_through(const Model& model, const Misreading& found, const Path& walk) {
    return is_running(model.members[found.member], walk.previous_row.data())
           && index_in(members_leaving(model, walk), found.member) == k_no_index;
}

bool starts_by_itself(const Model& model, const Misreading& found) {
    return model.restarts[model.members[found.member].role];
}

// Returns the fact of the axis by which the store is read; empty: it is read by the member's
// release.
std::string reading_fact(const Model& model, const Store& store) {
    const auto& stores = model.plan.stores;
    const auto planned = std::find_if(
        stores.begin(), stores.end(), [&](const auto& one) { return one.name == store.name; });
    return planned == stores.end() ? "" : planned->read_by;
}

// A member that may start by itself does so with what is there: its release, or what else reads
// the store.
std::string last_place_to_close(const Model& model, const Misreading& found, const Path& walk) {
    if (runs_through(model, found, walk)) {
        return "before this step";
    }
    if (!starts_by_itself(model, found)) {
        return "before this start";
    }
    const std::string fact = reading_fact(model, *found.store);
    return fact.empty() ? "before the step that installs what it starts"
                        : fmt::format("before the step that changes {}", fact);
}

// Clients are let in unless a fact bound to `writes` says otherwise.
std::string
remedy_of_admitted_clients(const Model& model, const Misreading& found, const Path& walk) {
    const std::string& store = found.store->name;
    if (runs_through(model, found, walk) && !starts_by_itself(model, found)) {
        return fmt::format("stop {} before this step, and raise {} before it serves clients again",
                           model.members[found.member].name,
                           store);
    }
    if (model.writes == k_no_offset) {
        return fmt::format("bind a fact of the system to `writes`, let it be `refused` {}, and let "
                           "clients in when {} is raised",
                           last_place_to_close(model, found, walk),
                           store);
    }
    return fmt::format("keep clients out {} (`becomes: refused` on the fact bound to `writes`), "
                       "and let them in when {} is raised",
                       last_place_to_close(model, found, walk),
                       store);
}

std::string remedy_of_serving(const Model& model, const Misreading& found, const Path& walk) {
    const std::string& store = found.store->name;
    if (model.writes == k_no_offset || takes_writes(model, walk.previous_row.data())) {
        return remedy_of_admitted_clients(model, found, walk);
    }
    if (const Index raise = find_optional_raise(model, found, walk); raise != k_no_index) {
        return fmt::format("take `optional` away from \"{}\": {} must be raised before this step",
                           model.plan.actions[raise].title,
                           store);
    }
    return fmt::format("raise {} before this step: an effect `raises: {}`", store, store);
}

std::string remedy_of_misread(const Model& model, const Misreading& found, const Path& walk) {
    const std::string& store = found.store->name;
    const std::string& member = model.members[found.member].name;
    if (found.format == k_destroyed) {
        return fmt::format("let this step leave {} alone, or stop {} before it", store, member);
    }
    const std::string format = format_name(*found.store, found.format);
    if (walk.last_transition.kind == TransitionKind::elected
        && walk.last_transition.index == found.member) {
        return fmt::format("let every member that may come to lead read {} before {} rises: take "
                           "the one that leads last (`last` of `each`)",
                           format,
                           store);
    }
    return is_about_action(walk.last_transition.kind)
               ? fmt::format("stop {} before this step, or do it when {} runs a release that reads "
                             "{}",
                             member,
                             member,
                             format)
               : fmt::format("stop {}, and all that cannot read {}, before {} may rise; or go to a "
                             "release that does not raise it while they run",
                             member,
                             format,
                             store);
}

}  // namespace

std::string remedy_of_misreading(const Model& model, const Path& walk) {
    if (const auto found = find_misreading(model, walk)) {
        return found->may_start ? remedy_of_serving(model, *found, walk)
                                : remedy_of_misread(model, *found, walk);
    }
    const auto refusing = refusing_stores(model, walk);
    return refusing.empty() ? "let a guard see the store's level before this start"
                            : remedy_of_refused_start(model, refusing.front(), walk);
}

bool is_misread_at_start(const Model& model, const Path& walk) {
    const auto found = find_misreading(model, walk);
    return found && found->may_start && found->member == walk.last_transition.index;
}

std::string remedy_of_refusal(const Model& model, Index action, const Path& walk) {
    Path start = walk;
    start.last_transition = {TransitionKind::begun, action};
    start.previous_row = walk.row;
    const auto refusing = refusing_stores(model, start);
    return refusing.empty() ? "" : remedy_of_refused_start(model, refusing.front(), start);
}

}  // namespace drydock::checker
