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

// Checks a plan by the policy of its cluster file, or of `options.policy_file`, whose cluster it
// must then be of. Returns the signer, if there is one. Errors: "plan.unsigned", "plan.signature",
// "plan.other_cluster", and those of the signers' file.
[[nodiscard]] AppResult<std::optional<std::string>> check_signature(const Options& options,
                                                                    const model::Plan& plan);

}  // namespace drydock::app
