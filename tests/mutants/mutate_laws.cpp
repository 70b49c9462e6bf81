#include "mutants/mutate_laws.h"

#include "mutants/law_operators.h"

namespace drydock::mutants {

namespace {

using checker::Property;

constexpr LawOperator k_operators[] = {
    {1, "migrate before the stops", Property::unreadable_start, migrate_before_stops},
    {1, "ask for a rise too early", Property::stuck, ask_for_a_rise_too_early},
    {2, "restart without the guard", Property::quorum, restart_unguarded},
    {2, "restart two at once", Property::quorum, restart_two_at_once},
    {3, "leave it switched", Property::left_behind, leave_switched},
    {3,
     "leave it switched, on the way back",
     Property::left_behind,
     leave_switched_on_the_way_back},
    {3, "a way back that leaves it switched", Property::no_way_back, forget_on_the_way_back},
    {4, "install before the gate", Property::unasked_return_point, install_before_gate},
    {4, "install before others stop", Property::skew, install_before_other_stops},
    {5, "stop without the group's guard", Property::quorum, stop_without_group},
    {5, "stop two of the groups at once", Property::quorum, stop_two_of_a_group},
    {5, "stop without the number's guard", Property::quorum, stop_without_number},
    {5, "stop two of a number at once", Property::quorum, stop_two_of_a_number},
    {5, "take a vote without the guard", Property::quorum, take_a_vote_unguarded},
    {5, "take two votes at once", Property::quorum, take_two_votes_at_once},
    {5, "give no vote back", Property::quorum, give_no_vote_back},
    {6, "stop the last before the gate", Property::unasked_return_point, stop_the_last_before_gate},
    {6, "take the leader first", Property::unreadable_start, take_leader_first},
    {6, "start one, and wait", Property::stuck, start_one_after_the_other},
    {7, "leave a restore out", Property::unreadable_start, leave_a_restore_out},
    {8, "serve without the reindex", Property::unreadable_start, serve_without_reindex},
    {8, "reindex while clients are in", Property::unreadable_start, reindex_while_served},
    {9, "give up what is half done", Property::unreadable_start, give_up_half_done},
    {9, "never repeat what is half done", Property::unreadable_start, forbid_to_repeat_half_done},
    {9, "leave a half-done mark", Property::left_behind, leave_a_mark},
    {10, "do side by side what is alone", Property::alone, do_alone_side_by_side},
    {11, "trust that stops were clean", Property::unreadable_start, read_an_unclean_store},
    {11, "leave a stop out", Property::unreadable_start, leave_a_stop_out},
    {12, "start another one first", Property::lost_writes, start_another_first},
    {12, "let clients in while all stop", Property::lost_writes, let_clients_in_meanwhile},
    {14, "install while one of the host runs", Property::skew, install_package_before_other_stops},
    {14, "install for one of the host", Property::stuck, install_package_for_one},
    {14, "change the image only", Property::unreadable_start, change_image_without_rebuild},
};

}  // namespace

std::span<const LawOperator> law_operators() {
    return k_operators;
}

}  // namespace drydock::mutants
