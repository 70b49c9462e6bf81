// Work is an action under way on a host, whichever run of whichever journal began it.
//
// A greeting behind a fence reports all work that can still be under way there. Without a fence,
// more may come at any time. One thread.
#pragma once

#include "agent/fences.h"
#include "executor/agent_pool.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace drydock::executor {

// One attempt of an action that runs on a host.
struct AttemptOnHost {
    std::string host;
    std::string run;
    std::string action;
    std::int64_t attempt = 0;
    // The owner that began it, as registered on that host; nothing if no owner there has that
    // journal.
    std::optional<agent::Owner> owner = {};

    [[nodiscard]] std::string text() const;  // "roll/m3/stop of run X on host h3"
    bool operator==(const AttemptOnHost&) const = default;
};

// The replies of hosts to the question for their work. A silent host gave none: its work is not
// known.
struct WorkReport {
    std::vector<AttemptOnHost> running;
    std::map<std::string, Error> silent;  // by host: why
};

// The time limit for a host's reply.
inline constexpr std::int64_t k_work_answer_ms = 20'000;

// Asks every host once; returns at the deadline at the latest.
[[nodiscard]] WorkReport read_work(AgentPool& hosts, os::Clock& clock);

// Returns the work that the greetings reported, and asks only hosts that were never tried. It
// serves a caller that has just connected and has given out no work since.
[[nodiscard]] WorkReport recall_work(AgentPool& hosts, os::Clock& clock);

// Waits until no work but `allowed` is under way, or `within_ms` have passed; returns the work that
// is left. `first` is a report that the caller already has; null: none. `on_wait` is called between
// two readings and may be empty; if it returns true, the wait ends.
[[nodiscard]] WorkReport await_quiet(AgentPool& hosts,
                                     os::Clock& clock,
                                     std::int64_t within_ms,
                                     const WorkReport* first,
                                     const std::function<bool(const AttemptOnHost&)>& allowed,
                                     const std::function<bool(const AttemptOnHost&)>& on_wait);

// Returns the refusal "work.under_way", which names this work.
[[nodiscard]] Error under_way_error(const AttemptOnHost& work, std::int64_t waited_ms);

}  // namespace drydock::executor
