// Grammar tells whether a sequence of events is one that a run may record.
//
// An event is legal if apply() gives it a meaning in the state before it, or if next() asked for it
// there. Journals of real runs, journals of simulated runs and the checker's counterexamples obey
// this grammar; tests hold all three to it.
#pragma once

#include "run/event.h"
#include "run/program.h"
#include "run/run.h"
#include "run/state.h"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace drydock::run {

// Reads the events of one run in their order. It borrows the program.
class Grammar {
public:
    explicit Grammar(const Program& program);

    // Applies the event if it is legal; otherwise returns a sentence with the reason.
    [[nodiscard]] std::optional<std::string> accept(const CompactEvent& event);

    [[nodiscard]] const State& state() const { return state_; }

private:
    [[nodiscard]] bool is_legal(const CompactEvent& event);
    [[nodiscard]] bool is_legal_for_run(const CompactEvent& event);
    [[nodiscard]] bool is_legal_for_action(const CompactEvent& event);
    [[nodiscard]] bool ends_as_asked(const CompactEvent& event);
    [[nodiscard]] bool asks_for(CommandKind kind, const CompactEvent& event);
    [[nodiscard]] bool asks_to_pause();
    [[nodiscard]] bool changes(const CompactEvent& event) const;
    [[nodiscard]] bool is_ready_to_judge(std::size_t action) const;
    const Program& program_;
    State state_;
    std::optional<EventType> last_;  // nothing: no event yet
    std::vector<Command> commands_;
};

// Returns a sentence about the first illegal event; nothing if all are legal.
[[nodiscard]] std::optional<std::string> first_violation(const Program& program,
                                                         std::span<const CompactEvent> events);

}  // namespace drydock::run
