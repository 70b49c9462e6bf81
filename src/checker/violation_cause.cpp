// Causes in plain words. Sentences about a state list the releases that run; sentences about a step
// name its action, its member and its store.
#include "checker/violation_cause.h"

#include "base/text.h"
#include "checker/member_effects.h"
#include "checker/store_effects.h"
#include "checker/transition_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::checker {

namespace {

std::vector<std::string> running_now(const Model& model, const Byte* row) {
    std::vector<std::string> texts;
    for (const Member& member : model.members) {
        if (member.running != k_no_offset) {
            const auto& value = model.values.at(row[member.running]);
            texts.push_back(fmt::format("{} {}",
                                        member.name,
                                        value.status == model::ObservationStatus::known
                                            ? "runs " + value.value.show()
                                            : "is down"));
        }
    }
    return texts;
}

// Instances of one store mostly have one format, so equal texts are merged.
std::string stores_now(const Model& model, const Byte* row) {
    std::vector<std::string> texts;
    for (const Store& store : model.stores) {
        for (const Offset offset : store.offset) {
            if (row[offset] < store.formats.size()) {
                texts.push_back(fmt::format("{} is {}", store.name, store.formats[row[offset]]));
            }
        }
    }
    std::sort(texts.begin(), texts.end());
    texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
    return join(texts, ", ");
}

std::string title_of(const Model& model, const Path& walk) {
    return is_about_action(walk.last_transition.kind)
               ? model.plan.actions[walk.last_transition.index].title
               : trace_step_of(model, walk.previous_row.data(), walk.last_transition).text;
}

std::string format_name(const Store& store, Byte format) {
    return format == k_destroyed           ? "destroyed"
           : format < store.formats.size() ? store.formats[format]
                                           : "unknown";
}

// Describes the first store that the member may not serve on; empty: none.
std::string misread_store(const Model& model, const Member& member, const Byte* row) {
    std::string text;
    for_each_store(model, member, row, [&](const Store& store, Index instance) {
        const Byte reader = reader_of(store, index_of(model, member), row[member.running], row);
        if (text.empty() && !can_serve_on(model, store, instance, reader, row)) {
            text = fmt::format("{} runs {} on {}, which is {}: it {}",
                               member.name,
                               model.values.at(row[member.running]).value.show(),
                               store.name,
                               format_name(store, row[store.offset[instance]]),
                               can_start_on(model, store, instance, reader, row)
                                   ? "may start on that, and not serve clients"
                                   : "cannot read that");
        }
    });
    return text;
}

// Describes the stores that kept the members of a start down.
std::vector<std::string> refusing_stores(const Model& model, const Path& walk) {
    const Byte* row = walk.row.data();
    std::vector<std::string> texts;
    for (const Index index : is_about_action(walk.last_transition.kind)
                                 ? model.actions[walk.last_transition.index].starting
                                 : std::vector<Index>()) {
        const Member& member = model.members[index];
        for_each_store(model, member, row, [&](const Store& store, Index instance) {
            const Byte reader = reader_of(store, index, release_of(member, row), row);
            const Byte format = row[store.offset[instance]];
            if (!is_running(member, row) && !can_start_on(model, store, instance, reader, row)) {
                const bool is_unclean = format != k_destroyed && !store.unclean.empty()
                                        && row[store.unclean[instance]] != k_absent;
                texts.push_back(fmt::format("{} is {}{}",
                                            store.name,
                                            format_name(store, format),
                                            is_unclean ? ", and was not left clean" : ""));
            }
        });
    }
    return texts;
}

// A member misreads its store after the step; or a start was refused by its store.
std::string because_of_misread(const Model& model, const std::string& title, const Path& walk) {
    for (const Member& member : model.members) {
        if (misreads(model, member, walk.row.data())
            && !misreads(model, member, walk.previous_row.data())) {
            return fmt::format(
                "after \"{}\" {}", title, misread_store(model, member, walk.row.data()));
        }
    }
    const auto refusing = refusing_stores(model, walk);
    return fmt::format("\"{}\" starts a release on a store that it cannot read ({})",
                       title,
                       refusing.empty() ? stores_now(model, walk.previous_row.data())
                                        : join(refusing, ", "));
}

std::string because_of_quorum(const Model& model, const std::string& title, const Path& walk) {
    std::vector<std::string> names;
    for (const Index member : is_about_action(walk.last_transition.kind)
                                  ? model.actions[walk.last_transition.index].leaving
                                  : std::vector<Index>()) {
        names.push_back(model.members[member].name);
    }
    const std::string now = join(running_now(model, walk.row.data()), ", ");
    if (names.size() > 1) {
        return fmt::format("\"{}\" takes {} members down together ({}), below the minimum of their "
                           "group: before it, {}",
                           title,
                           names.size(),
                           join(names, ", "),
                           now);
    }
    return fmt::format("\"{}\" takes the group below its minimum: before it, {}", title, now);
}

// Names the stores that lack a verified copy: those that the step destroys, else those that rise.
std::string because_of_destruction(const Model& model, const std::string& title, const Path& walk) {
    std::vector<std::string> names;
    const auto add = [&](Index store) {
        const Store& lost = model.stores[store];
        if (!has_verified_copy(lost, walk.previous_row.data())
            && index_in(names, lost.name) == k_no_index) {
            names.push_back(lost.name);
        }
    };
    const bool is_action = is_about_action(walk.last_transition.kind);
    for (const Index store :
         is_action ? model.actions[walk.last_transition.index].destroyed : std::vector<Index>()) {
        add(store);
    }
    for (const FormatTransition& rise : model.format_transitions) {
        if (names.empty() && rise.blocks_downgrade && !rise.holds_at_start) {
            add(rise.store);
        }
    }
    return fmt::format("\"{}\" comes without a verified copy of {}",
                       title,
                       names.empty() ? "what cannot be had back" : join(names, " and "));
}

// Names the actions that have failed, and what they wait for.
std::string because_of_halt(const Model& model, const Path& walk) {
    std::vector<std::string> texts;
    for (Index i = 0; i < model.actions.size(); ++i) {
        if (!run::has_failed(model.status(walk.row.data(), i))) {
            continue;
        }
        const model::Action& action = model.plan.actions[i];
        std::string reason =
            unmet(model, action.preconditions, model.actions[i].preconditions, walk.row.data());
        if (reason.empty()) {
            reason = unmet(
                model, action.postconditions, model.actions[i].postconditions, walk.row.data());
        }
        texts.push_back(reason.empty() ? fmt::format("\"{}\" cannot be done", action.title)
                                       : fmt::format("\"{}\" waits: {}", action.title, reason));
    }
    return join(texts, "; ");
}

std::string because_of_company(const Model& model, const std::string& title, const Path& walk) {
    std::vector<std::string> titles;
    for (Index i = 0; i < model.actions.size(); ++i) {
        if (run::is_open_ended(model.status(walk.previous_row.data(), i))) {
            titles.push_back(fmt::format("\"{}\"", model.plan.actions[i].title));
        }
    }
    return fmt::format("\"{}\" must be alone, and begins beside {}", title, join(titles, " and "));
}

std::string because_of_leftover(const Model& model, const Path& walk) {
    const std::string key = left_behind(model, walk.row.data());
    const auto fact = model.offsets.find(key);
    if (fact == model.offsets.end()) {
        return "the plan has ended, and what it switched for its own time is not as it was";
    }
    const auto was = std::find_if(model.temporaries.begin(),
                                  model.temporaries.end(),
                                  [&](const auto& temporary) { return temporary.key == key; });
    return fmt::format("the plan has ended, and {} is {}, as it was not before: it was {}",
                       key,
                       to_text(model.values.at(walk.row[fact->second])),
                       to_text(model.values.at(was->value)));
}

std::string because_of_loss(const Model& model, const std::string& title) {
    const bool is_downgrade = model.plan.procedure == model::k_downgrade;
    return is_downgrade ? fmt::format("\"{}\" loses what was written since", title)
                        : fmt::format("\"{}\" starts from an old copy, and what was written to the "
                                      "newest one is lost",
                                      title);
}

}  // namespace

std::string because_of(const Model& model, Property property, const Path& walk) {
    const std::string title = title_of(model, walk);
    const std::string now = join(running_now(model, walk.row.data()), ", ");
    switch (property) {
    case Property::unreadable_start:
        return because_of_misread(model, title, walk);
    case Property::quorum:
        return because_of_quorum(model, title, walk);
    case Property::skew:
        return fmt::format("after \"{}\" releases serve together that may not: {}", title, now);
    case Property::twice:
        return fmt::format("\"{}\" may not be repeated, and happens twice", title);
    case Property::unverified_destroy:
        return because_of_destruction(model, title, walk);
    case Property::unasked_return_point:
        return fmt::format("after \"{}\" the way back is closed, or may close at any moment ({}), "
                           "and nobody was asked",
                           title,
                           now);
    case Property::lost_writes:
        return because_of_loss(model, title);
    case Property::stuck: {
        const std::string halt = because_of_halt(model, walk);
        return fmt::format("the run can never come to an end from here ({}){}{}",
                           now,
                           halt.empty() ? "" : ": ",
                           halt);
    }
    case Property::no_way_back:
        return fmt::format("from here the downgrade does not end well ({})", now);
    case Property::left_behind:
        return because_of_leftover(model, walk);
    case Property::alone:
        return because_of_company(model, title, walk);
    }
    return {};
}

namespace {

// A start that nobody asked for is kept away before its release is installed, not before a step.
std::string hint_of_restart(Property property) {
    return property == Property::unasked_return_point
               ? "put the gate before what it starts is installed, or let the role say `restarts: "
                 "never`"
               : "let it not start by itself meanwhile, and say so: `restarts: never`";
}

}  // namespace

std::string hint_of(Property property, const Path& walk) {
    if (walk.last_transition.kind == TransitionKind::member_restarts) {
        return hint_of_restart(property);
    }
    switch (property) {
    case Property::unreadable_start:
        return "let a guard see the store's level before this start, or keep an older release";
    case Property::quorum:
        return "add `quorum_without: this` to its guards, or take fewer members at a time";
    case Property::skew:
        return "stop the older (or newer) ones first, or change the order of the roles";
    case Property::twice:
        return "give it a `happened` probe that tells the truth, or make it repeatable";
    case Property::unverified_destroy:
        return "put a backup with a `then` that proves it before this step";
    case Property::unasked_return_point:
        return "put a gate before this step; the planner does it when the pack's laws are right";
    case Property::lost_writes:
        return "call it a restore, or bring the newer writes back first";
    case Property::stuck:
        return "see which condition can never hold, and say what a person can do about it";
    case Property::no_way_back:
        return "let the `downgrade` procedure take the cluster as it is then";
    case Property::left_behind:
        return "switch it back before the end, on every way there";
    case Property::alone:
        return "let one wait for the other, or take one member at a time";
    }
    return {};
}

std::string reason_of_halt(const Model& model, const Path& walk) {
    return because_of_halt(model, walk);
}

}  // namespace drydock::checker
