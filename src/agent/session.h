// Session: one conversation between a conductor and a host, without any I/O of its own.
//
// Each request carries a number and gets exactly one answer with that number. Answers come in the
// order in which they are ready: exec and attach when their action has ended, probes when all facts
// are there. docs/formats/agent-protocol.md has the requests. Not thread-safe.
#pragma once

#include "agent/host.h"
#include "agent/secrets.h"
#include "os/clock.h"

#include <map>

namespace drydock::agent {

inline constexpr std::int64_t k_progress_every_ms = 500;
inline constexpr std::size_t k_pending_max = 4096;  // requests without an answer; then: refused

class Session {
public:
    // Both must outlive the session.
    Session(Host& host, os::Clock& clock) : host_(host), clock_(clock) {}

    // Returns the answers that are ready at once; the others come from tick().
    [[nodiscard]] std::vector<Json> handle(const Json& frame);
    // Returns answers and progress that have become ready since.
    [[nodiscard]] std::vector<Json> tick();

    [[nodiscard]] bool has_pending() const {
        return !pending_actions_.empty() || !pending_probes_.empty();
    }

    // Returns the monotonic time at which tick() has an answer at the latest; nothing if unknown.
    [[nodiscard]] std::optional<std::int64_t> next_deadline_ms() const;

private:
    using Answers = std::vector<Json>;

    struct PendingAction {
        ActionKey key;
        std::int64_t progress_ms;  // when progress was last shown
        std::int64_t begin_by_ms;  // the action may begin until then
    };

    // Probes that run, and the secrets that must not be in their answer.
    struct PendingProbes {
        std::unique_ptr<ProbeRun> run;
        Redactor redactor;

        [[nodiscard]] std::optional<Json> poll() const;
    };

    [[nodiscard]] Result<std::optional<Json>> answer(std::int64_t number, const Json& frame);
    [[nodiscard]] Result<std::optional<Json>> handle_action(std::int64_t number, const Json& frame);
    [[nodiscard]] Result<std::optional<Json>>
    attach(std::int64_t number, const Json& frame, const ActionKey& key);
    [[nodiscard]] Result<std::optional<Json>> probe(std::int64_t number, const Json& frame);
    [[nodiscard]] Result<Json> fence(const Json& frame);
    [[nodiscard]] Status check(const Json& frame);
    [[nodiscard]] Result<Json> move_file(const Json& frame, bool write);
    [[nodiscard]] std::optional<Json> wait_for(std::int64_t number, PendingAction wait);
    [[nodiscard]] std::optional<Json> poll(PendingAction& wait);
    [[nodiscard]] std::optional<Json> final_answer(const ActionKey& key, ActionState state);
    [[nodiscard]] bool is_awaited(const PendingAction& wait, ActionPhase phase) const;
    [[nodiscard]] Result<Json> hello(const Json& frame);
    [[nodiscard]] Json with_clock(Json answer) const;

    Host& host_;
    os::Clock& clock_;
    std::map<std::int64_t, PendingAction> pending_actions_;
    std::map<std::int64_t, PendingProbes> pending_probes_;
};

}  // namespace drydock::agent
