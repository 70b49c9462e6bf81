// Heads: a host's notes about the journals that command it.
//
// A request to begin an action carries the head of its run's chain: the record before it, which is
// already durable. The host keeps it in the action's folder and beside the journal's owner. So a
// forger of a journal would have to change every host, too. Pure but for read_noted_heads().
#pragma once

#include "base/json.h"
#include "base/result.h"

#include <cstdint>
#include <set>
#include <string>

namespace drydock::agent {

inline constexpr std::size_t k_heads_max = 20'000;  // in one answer; some 200 bytes each

struct NotedHead {
    std::string journal;  // its id
    std::int64_t epoch = 0;
    std::string run;
    std::int64_t sequence = 0;  // of the run's last record then, from 1
    std::string hash;           // of that record: 64 hex digits

    auto operator<=>(const NotedHead&) const = default;
};

// {"journal", "epoch", "run", "sequence", "hash"}
[[nodiscard]] Json to_json(const NotedHead& head);
// The inverse of to_json(). "agent.bad_request" for a value that no head can be.
[[nodiscard]] Result<NotedHead> read_head(const Json& value);

// Returns the heads in the folders of that run's actions; with an empty run, of all runs. A folder
// that cannot be read has no heads.
[[nodiscard]] std::set<NotedHead> read_noted_heads(const std::string& state_folder,
                                                   const std::string& run);

}  // namespace drydock::agent
