// Reads temporary facts at the end of a run.
#include "executor/unrestored_facts.h"

#include "executor/drift_check.h"
#include "run/temporary_facts.h"

namespace drydock::executor {

// A host that obeys another conductor answers nothing: its facts cannot be told then.
Json read_left_behind(const model::Plan& plan, AgentPool& hosts, os::Clock& clock) {
    const auto keys = run::facts_that_tell_what_is_left(plan);
    if (keys.empty()) {
        return Json(Json::Array{});
    }
    const auto facts =
        hosts.superseded() ? model::FactBook() : read_now(plan.sources, keys, hosts, clock);
    return to_json(run::find_left_behind(plan, facts));
}

}  // namespace drydock::executor
