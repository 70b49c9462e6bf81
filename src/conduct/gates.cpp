#include "conduct/gates.h"

namespace drydock::conduct {

std::optional<std::size_t>
find_open_gate(const model::Plan& plan, const run::State& state, const std::string& name) {
    const bool active =
        state.phase() == run::Phase::running || state.phase() == run::Phase::pausing;
    for (std::size_t i = 0; active && i < plan.actions.size(); ++i) {
        const bool open = state.status(i) == run::Status::open;
        if (open && (name.empty() || plan.actions[i].gate == name)) {
            return i;
        }
    }
    return std::nullopt;
}

run::Event approval_of(const model::Plan& plan, std::size_t gate, const std::string& who) {
    Json detail;
    detail.set("gate", plan.actions[gate].gate).set("who", who);
    detail.set("words", plan.actions[gate].reason);
    run::Event event = {{run::EventType::gate_approved}, std::move(detail)};
    event.action = gate;
    return event;
}

}  // namespace drydock::conduct
