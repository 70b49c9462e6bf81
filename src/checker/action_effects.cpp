// The effect of an action on a row. Effects know facts, stores and members; the run (phase and
// statuses) is changed elsewhere.
//
// A property is violated only by the step that makes it false, so the blame falls on one action.
#include "checker/cluster_effects.h"
#include "checker/member_effects.h"

namespace drydock::checker {

namespace {

// A step that names its stores needs a verified copy of each; a step that names none needs one of
// any.
PropertySet judge_destruction(const Model& model, const ActionModel& act, const Byte* row) {
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

// A downgrade may not restore an older copy. It may not turn clients back either, once the new side
// has taken writes that the old side lacks.
PropertySet lose_writes(const Model& model, const ActionModel& act, const Byte* row) {
    const bool switches_back = act.moves_serving && row[model.new_writes] != 0;
    const bool takes_back = act.restores || switches_back;
    return takes_back && model.plan.procedure == "downgrade" ? mask_of(Property::lost_writes)
                                                             : PropertySet{0};
}

PropertySet run_once(const ActionModel& act, Byte* row) {
    if (act.ran == k_no_offset) {
        return 0;
    }
    const PropertySet broken = row[act.ran] != 0 ? mask_of(Property::twice) : PropertySet{0};
    row[act.ran] = 1;
    return broken;
}

// True if a start decides the value at this offset. It brings up the installed release, even if the
// step declares another value for `running`.
bool is_told_by_start(const Model& model, const ActionModel& act, Offset offset) {
    return std::any_of(act.starting.begin(), act.starting.end(), [&](Index index) {
        const Member& member = model.members[index];
        return offset == member.running && member.installed != k_no_offset;
    });
}

// A member that is made to lead takes the lead from another one.
void hand_over(const Model& model, const Write& write, Byte* row) {
    for (const Member& member : model.members) {
        if (write.offset == member.leads && write.value == model.value_serving) {
            lead(model, member, row);
        }
    }
}

void write_facts(const Model& model, const ActionModel& act, Byte* row) {
    for (const Write& write : act.writes) {
        if (!is_told_by_start(model, act, write.offset)) {
            row[write.offset] = write.value;
        }
    }
    for (Index i = 0; model.has_mutual_laws && i < act.writes.size(); ++i) {
        hand_over(model, act.writes[i], row);
    }
}

// Members that were down only for the time of the action start on what is installed.
PropertySet bring_back(const Model& model, const std::vector<Returning>& returning, Byte* row) {
    PropertySet broken = 0;
    for (const Returning& one : returning) {
        const Member& member = model.members[one.member];
        if (!is_running(member, row)) {
            const Byte release = member.installed == k_no_offset ? one.ran : row[member.installed];
            broken |= start_as(model, member, release, row);
        }
    }
    return broken;
}

// Members that one step starts come up together. It loses writes if the newest copy stays behind.
PropertySet start_all(const Model& model,
                      const ActionModel& act,
                      const std::vector<Returning>& returning,
                      Byte* row) {
    PropertySet broken = 0;
    for (const Index member : act.starting) {
        broken |= start(model, model.members[member], row);
    }
    broken |= bring_back(model, returning, row);
    const auto is_behind = [&](Index member) {
        return runs_without_newest(model, model.members[member], row);
    };
    const bool loses =
        model.has_mutual_laws
        && (std::any_of(act.starting.begin(), act.starting.end(), is_behind)
            || std::any_of(returning.begin(), returning.end(), [&](const Returning& one) {
                   return is_behind(one.member);
               }));
    return broken | (loses ? mask_of(Property::lost_writes) : PropertySet{0});
}

// Takes down whom the effects move. Who is down only for the time of the action went with its
// begin.
void take_down_at_end(const Model& model, const ActionModel& act, Byte* row) {
    if (act.meanwhile.empty()) {
        take_down(model, act.leaving, row);
        return;
    }
    std::vector<Index> moved;
    std::copy_if(act.leaving.begin(), act.leaving.end(), std::back_inserter(moved), [&](Index i) {
        return index_in(act.starting, i) != k_no_index
               || std::any_of(act.writes.begin(), act.writes.end(), [&](const Write& write) {
                      return write.offset == model.members[i].running;
                  });
    });
    take_down(model, moved, row);
}

}  // namespace

// The order is that of the real action: checks on the state before it, then what it had half done,
// declared facts, stores, starts, and what follows from them.
PropertySet take_effect(const Model& model, std::size_t action, Byte* row) {
    const ActionModel& act = model.actions[action];
    if (!act.moves_world) {
        return 0;
    }
    PropertySet broken = lose_writes(model, act, row);
    broken |= act.destroys ? judge_destruction(model, act, row) : PropertySet{0};
    broken |= run_once(act, row);
    const std::vector<Returning> returning = end_half_done(model, action, row);
    take_down_at_end(model, act, row);
    write_facts(model, act, row);
    for (const StoreChange& change : act.changes) {
        change_store(model, change, row);
    }
    broken |= start_all(model, act, returning, row);
    settle(model, row);
    const bool forward = model.serving != k_no_offset && model.plan.procedure != "downgrade";
    if (forward && row[model.serving] != model.initial[model.serving] && takes_writes(model, row)) {
        row[model.new_writes] = 1;
    }
    return broken;
}

void verify_copies(const Model& model, std::size_t action, Byte* row) {
    for (const Index store : model.actions[action].copies) {
        row[model.stores[store].copy] = k_verified;
    }
}

}  // namespace drydock::checker
