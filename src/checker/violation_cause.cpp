// Causes in plain words. Sentences about a state list the releases that run; sentences about a step
// name its action, its member and its store.
#include "checker/violation_cause.h"

#include "base/text.h"
#include "checker/transition_text.h"
#include "checker/violation_parts.h"

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

std::string misread_text(const Model& model, const Misreading& found, const Byte* row) {
    const Member& member = model.members[found.member];
    return fmt::format("{} runs {} on {}, which is {}: it {}",
                       member.name,
                       model.values.at(row[member.running]).value.show(),
                       found.store->name,
                       format_name(*found.store, found.format),
                       found.may_start ? "may start on that, and not serve clients"
                                       : "cannot read that");
}

std::string refusal_text(const Misreading& refusing) {
    return fmt::format("{} is {}{}",
                       refusing.store->name,
                       format_name(*refusing.store, refusing.format),
                       refusing.is_unclean ? ", and was not left clean" : "");
}

// A member misreads its store after the step; or a start was refused by its store.
std::string because_of_misread(const Model& model, const std::string& title, const Path& walk) {
    if (const auto found = find_misreading(model, walk)) {
        return fmt::format("after \"{}\" {}", title, misread_text(model, *found, walk.row.data()));
    }
    std::vector<std::string> refusing;
    for (const Misreading& store : refusing_stores(model, walk)) {
        refusing.push_back(refusal_text(store));
    }
    return fmt::format("\"{}\" starts a release on a store that it cannot read ({})",
                       title,
                       refusing.empty() ? stores_now(model, walk.previous_row.data())
                                        : join(refusing, ", "));
}

// Other commands under way take members down that still look ready.
std::string beside_text(const Model& model, const Path& walk) {
    auto beside = actions_beside(model, walk);
    std::erase_if(beside, [&](Index action) { return model.actions[action].leaving.empty(); });
    return beside.empty() ? "" : fmt::format(", while {} is under way", titles_of(model, beside));
}

std::string because_of_quorum(const Model& model, const std::string& title, const Path& walk) {
    std::vector<std::string> names;
    for (const Index member : members_leaving(model, walk)) {
        names.push_back(model.members[member].name);
    }
    const std::string together =
        fmt::format("{} members down together ({}), below the minimum of their group",
                    names.size(),
                    join(names, ", "));
    return fmt::format("\"{}\" takes {}{}: before it, {}",
                       title,
                       names.size() > 1 ? together : "the group below its minimum",
                       beside_text(model, walk),
                       join(running_now(model, walk.previous_row.data()), ", "));
}

std::string because_of_destruction(const Model& model, const std::string& title, const Path& walk) {
    const auto names = unverified_stores(model, walk);
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

std::string
because_of_shared_resource(const Model& model, const std::string& title, const Path& walk) {
    return fmt::format("\"{}\" must be alone, and begins beside {}",
                       title,
                       titles_of(model, actions_beside(model, walk)));
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
    // A value at rest is the pack's word, and need not be what the plan found.
    const bool was_found = model.initial[was->at] == was->value;
    return fmt::format("the plan has ended, and {} is {}; {} {}{}",
                       key,
                       to_text(model.values.at(walk.row[fact->second])),
                       was_found ? "it was" : "outside plans it is",
                       to_text(model.values.at(was->value)),
                       was_found ? " before" : "");
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
        return because_of_shared_resource(model, title, walk);
    }
    return {};
}

std::string reason_of_halt(const Model& model, const Path& walk) {
    return because_of_halt(model, walk);
}

}  // namespace drydock::checker
