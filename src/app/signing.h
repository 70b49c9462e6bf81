// Signatures of plans: made and verified by ssh-keygen, in PLAN.sig beside the plan.
//
// A signature covers the canonical bytes of the whole plan, its check's verdict too, as `plan -o`
// writes them. The policy of the cluster file says who may sign (an allowed-signers file of
// ssh-keygen(1)) and whether a plan needs a signature. Functions run ssh-keygen and wait for it.
#pragma once

#include "app/app.h"

#include <optional>
#include <string>

namespace drydock::app {

// Passes a plan as the policy of its cluster file says; of `options.policy_file`, if that is given:
// then the plan must be one of that cluster. Returns who signed it, if somebody did.
// "plan.unsigned", "plan.signature", "plan.other_cluster", and errors of the signers' file.
[[nodiscard]] Answer<std::optional<std::string>> check_signature(const Options& options,
                                                                 const model::Plan& plan);

}  // namespace drydock::app
