// What the operators of the laws share.
#pragma once

#include "mutants/mutate.h"
#include "mutants/plan_edits.h"

#include <string>
#include <vector>

namespace drydock::mutants {

// Adds a copy of `plan` to be broken.
model::Plan& add(std::vector<Mutant>& mutants,
                 const char* kind,
                 const Base& base,
                 const model::Plan& plan,
                 const std::string& what);

// Returns a mutant for each action for which `test` holds. `edit` breaks its plan.
template <class Test, class Edit>
std::vector<Mutant> each(const char* kind,
                         const Base& base,
                         const model::Plan& plan,
                         const Test& test,
                         const Edit& edit) {
    std::vector<Mutant> mutants;
    for (std::size_t i = 0; i < plan.actions.size(); ++i) {
        if (test(plan.actions[i])) {
            edit(add(mutants, kind, base, plan, plan.actions[i].id), i);
        }
    }
    return mutants;
}

void drop_guard(model::Plan& plan, std::size_t index);
// It waits for no other member.
void do_side_by_side(model::Plan& plan, std::size_t index);
// The same, and no such command looks at the other members before it leaves.
void do_two_at_once(model::Plan& plan, std::size_t index);

[[nodiscard]] const model::PlanRole* role_of(const model::Plan& plan, const std::string& member);
[[nodiscard]] bool is_first_of_all(const model::Plan& plan, const std::string& member);

using MutantsOf = std::vector<Mutant>(const Base& base, const model::Plan& plan, const char* kind);

// Members: who may be taken down, and when they come back.
MutantsOf restart_unguarded, restart_two_at_once, install_before_gate, install_before_other_stops,
    stop_without_group, stop_without_number, stop_two_of_a_number, stop_two_of_a_group,
    take_leader_first, start_one_after_the_other, do_alone_side_by_side, take_a_vote_unguarded,
    take_two_votes_at_once, give_no_vote_back, stop_the_last_before_gate,
    install_package_before_other_stops, install_package_for_one;
// Stores: who reads them, and from what.
MutantsOf migrate_before_stops, ask_for_a_rise_too_early, leave_a_restore_out,
    serve_without_reindex, reindex_while_served, read_an_unclean_store, leave_a_stop_out,
    start_another_first, let_clients_in_meanwhile, change_image_without_rebuild;
// Ends: what is switched, and what is half done.
MutantsOf leave_switched, leave_switched_on_the_way_back, forget_on_the_way_back, leave_a_mark,
    give_up_half_done, forbid_to_repeat_half_done;

}  // namespace drydock::mutants
