// The transitions from the state under expansion, by cause. Each function adds successors.
#pragma once

#include "checker/successor_builder.h"

namespace drydock::checker {

// conductor_transitions.cpp: a command of the conductor, in every way that the model allows.
// `is_surplus`: the begin of its action is left out.
void expand_command(Expansion& expansion, const run::Command& command, bool is_surplus = false);
[[nodiscard]] bool judges_guard(const run::Command& command);
// True if an action may be skipped when its `when` evaluates to this.
[[nodiscard]] bool can_skip(const Evaluation& applicability);
void skip(Expansion& expansion, Index action);
void observe_postconditions(Expansion& expansion, Index action);
// Observes certain postconditions in the step of the end itself. Returns true if they may be missed
// as well: one is not modelled, and a failure is affordable.
bool observe_at_once(const Expansion& expansion, Successor& successor);

// host_answers.cpp: the answers of a host to the command of an action, and those of the agent to
// the question for a lost one.
void answer_command(Expansion& expansion, Index action);
void answer_question(Expansion& expansion, Index action);

// environment_transitions.cpp: answers, deaths, lost hosts, laws and elections.
// `any_member_may_die`: members also die where no step observes them.
void expand_environment(Expansion& expansion, bool any_member_may_die);
[[nodiscard]] bool is_lost(const Expansion& expansion, Index host);
void flip_host(Expansion& expansion, Index host);
// The starts of members that are down and come back by themselves.
void expand_restarts(Expansion& expansion);
// True if some member may come to lead now.
[[nodiscard]] bool can_elect(const Model& model, const Byte* row);

// operator_repairs.cpp: after a halt only the operator acts. `judges_starts`: what the operator
// starts is judged.
void expand_operator_repairs(Expansion& expansion, bool judges_starts);

// lost_local_actions.cpp: a reduction. Returns true if a lost local action was resolved; then its
// successors are the only ones.
[[nodiscard]] bool resolve_local_action(Expansion& expansion);

}  // namespace drydock::checker
