// Actions, and starts of members, that must be alone. They take resources: stores, roles or the
// system. Two that take the same one at a time violate `alone`.
#include "checker/cluster_effects.h"
#include "checker/member_effects.h"

namespace drydock::checker {

namespace {

// True if a start of the member on the release would raise the store by a law that must be alone.
bool converts_alone(const Model& model,
                    const FormatTransition& rise,
                    const Member& member,
                    Byte release,
                    const Byte* row) {
    const Store& store = model.stores[rise.store];
    const Byte reader = reader_of(store, index_of(model, member), release, row);
    return rise.alone && rise.raises == model::FormatTrigger::on_start
           && has(rise.running_values, reader) && store.opened_by[member.role]
           && !is_risen(model, rise, row) && row[store.offset.front()] != k_destroyed;
}

// Adds the resources that a start of the member takes.
void add_resources_of_start(const Model& model,
                            const Member& member,
                            Byte release,
                            const Byte* row,
                            std::vector<Index>& resources) {
    for (const FormatTransition& rise : model.format_transitions) {
        if (converts_alone(model, rise, member, release, row)) {
            resources.push_back(index_in(model.resources, model.stores[rise.store].name));
        }
    }
}

// The resources of an action. The start of `excluded` does not count, if it is a member: a member
// that comes up by itself and by a command is one process.
std::vector<Index>
resources_of(const Model& model, std::size_t action, const Byte* row, Index excluded = k_no_index) {
    const ActionModel& act = model.actions[action];
    std::vector<Index> resources = act.alone;
    for (const Index member : act.starting) {
        if (member != excluded) {
            const Member& started = model.members[member];
            const Byte release = release_to_start(act, started, row);
            add_resources_of_start(model, started, release, row, resources);
        }
    }
    return resources;
}

// A start of a member, or the begin of an action, that takes resources; k_no_index: it is the
// other.
struct ResourceUser {
    std::size_t action = k_no_index;
    Index member = k_no_index;
};

// True if another action that uses one of the resources is in flight: its command has left, and its
// end is not known.
bool is_resource_in_use(const Model& model,
                        const std::vector<Index>& resources,
                        const ResourceUser& newcomer,
                        const Byte* row) {
    for (Index i = 0; !resources.empty() && i < model.actions.size(); ++i) {
        if (i == newcomer.action || !run::is_open_ended(model.status(row, i))) {
            continue;
        }
        const auto others = resources_of(model, i, row, newcomer.member);
        if (std::any_of(others.begin(), others.end(), [&](Index other) {
                return std::find(resources.begin(), resources.end(), other) != resources.end();
            })) {
            return true;
        }
    }
    return false;
}

}  // namespace

PropertySet alone_violation(const Model& model, std::size_t action, const Byte* row) {
    return model.has_alone
                   && is_resource_in_use(
                       model, resources_of(model, action, row), {.action = action}, row)
               ? mask_of(Property::alone)
               : PropertySet{0};
}

PropertySet judge_resources_of_start(const Model& model, const Member& member, const Byte* row) {
    std::vector<Index> resources;
    if (model.has_alone) {
        add_resources_of_start(model, member, release_of(member, row), row, resources);
    }
    return is_resource_in_use(model, resources, {.member = index_of(model, member)}, row)
               ? mask_of(Property::alone)
               : PropertySet{0};
}

}  // namespace drydock::checker
