// Steps: all that can happen next in one world, each with the world that it leads to.
//
// The model, in words. The conductor does what run::next() says, and every answer is given that is
// possible:
// - A guard that holds and the command that it lets leave are one step, because both stand on one
//   reading; of several guards that are judged at once each is a step, and nothing else comes
//   between them and the commands. A guard that does not hold may be reported so at once.
// - Conditions over facts that nobody models hold, or, at the price of a failure, do not; `when`
//   may go either way for nothing. A host that does not answer makes them impossible to tell.
// - A command ends well, fails before or after its effect (failure), or nobody answers (unknown).
//   Who is asked afterwards says that it never began, that it ended, or cannot tell (unknown).
// - Members die, hosts fall silent and come back, a conductor dies, each within its budget; laws
//   fire at any moment once their condition holds.
// - A person approves gates, and after a halt starts members that should be up, or resumes.
#pragma once

#include "reference/laws.h"

namespace drydock::reference {

struct Step {
    std::string what;  // "done roll/m1/stop"
    World to;
    Broken broken;
};

// At the plain pace every answer, reading and beginning is a step. At the brisk pace, which is the
// checker's, what an action promised is seen in the same step if it is certain, and only commands
// that take members down wait for other guards. Both must lead to the same verdict; stories have
// the same length at the brisk one.
enum class Pace { plain, brisk };

[[nodiscard]] std::vector<Step>
steps(Model& model, const World& world, const checker::Faults& faults, Pace pace);

}  // namespace drydock::reference
