// ChangeWaits asks agents to tell when facts that somebody waits for may have changed.
//
// It is a wake-up and no more: the facts are read anew, as ever. Only objects of Kubernetes tell
// their changes. Each fact is asked about by itself, and questions share the wait of one fact. If
// an agent cannot tell, the questions fall back on their interval, and it is asked again later. One
// thread.
#pragma once

#include "executor/facts_reader.h"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace drydock::executor {

// An agent answers at this time though nothing changed. Questions that have ended leave their wait
// open until then.
inline constexpr std::int64_t k_change_wait_ms = 20'000;
inline constexpr std::int64_t k_change_retry_ms = 10'000;  // after an agent could not tell
inline constexpr std::size_t k_changes_max = 4;            // of one question

class ChangeWaits {
public:
    // The end of a wait, and the questions that it was for.
    struct End {
        std::set<std::size_t> actions;
        bool has_failed = false;  // nobody tells changes; else the facts are to be read anew
    };

    // Both must outlive this.
    ChangeWaits(AgentPool& hosts, os::Clock& clock) : hosts_(hosts), clock_(clock) {}

    // Waits for changes of all facts of a reading, as an action's question has `seen` them. False
    // if a change of one of them would not be told.
    bool open(std::size_t action,
              const ReadPlan& plan,
              const model::FactBook& seen,
              std::int64_t deadline_ms);
    // Returns nothing if the reply belongs to no wait.
    std::optional<End> on_reply(const Reply& reply);

private:
    struct Wait {
        bool is_open = false;
        std::int64_t retry_ms = 0;  // monotonic; not opened before
        std::set<std::size_t> actions;
    };

    [[nodiscard]] bool is_told(const Json& probe, const model::FactBook& seen) const;
    void submit(const std::string& host,
                const Json& probe,
                const model::FactBook& seen,
                std::int64_t within_ms);

    AgentPool& hosts_;
    os::Clock& clock_;
    std::map<std::string, Wait> waits_;  // by the fact's key
    std::map<RequestId, std::string> keys_by_request_;
};

}  // namespace drydock::executor
