// Finds open gates and builds approvals.
//
// A gate is open only while its run goes on: an approval of a halted or paused run has no meaning,
// and the grammar of events refuses it. The event repeats the gate's words, so that the journal
// shows which sentence the person approved.
#include "executor/gate_approval.h"

namespace drydock::executor {

std::optional<std::size_t>
find_open_gate(const model::Plan& plan, const run::State& state, const std::string& name) {
    const bool is_active =
        state.phase() == run::Phase::running || state.phase() == run::Phase::pausing;
    for (std::size_t i = 0; is_active && i < plan.actions.size(); ++i) {
        const bool is_open = state.status(i) == run::Status::open;
        if (is_open && (name.empty() || plan.actions[i].gate == name)) {
            return i;
        }
    }
    return std::nullopt;
}

run::Event approval_of(const model::Plan& plan, std::size_t gate, const std::string& person) {
    Json detail;
    detail.set("gate", plan.actions[gate].gate).set("who", person);
    detail.set("words", plan.actions[gate].reason);
    run::Event event = {{run::EventType::gate_approved}, std::move(detail)};
    event.action = gate;
    return event;
}

}  // namespace drydock::executor
