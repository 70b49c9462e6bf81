// The hosts of a cluster file, looked at one by one: reached or not, how fast, as whom, with what.
//
// Nothing is changed on them, but that an agent is copied to a host of ssh that has none.
#pragma once

#include "app/app.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace drydock::app {

struct HostReport {
    std::string name;
    std::string way;    // "this machine", or the words that lead there
    std::string state;  // the agent's folder there
    std::vector<std::string> members;
    bool is_reached = false;
    double connect_ms = 0;     // to the agent's greeting, with the copying of the agent
    double call_ms = 0;        // a request and its answer
    std::string version;       // of the agent
    std::int64_t skew_ms = 0;  // its clock minus ours
    std::string user;          // whom the agent runs as
    std::string machine;       // as `uname -m` has it
    std::string services;      // "systemd", or "none" that drydock knows
    std::string packages;      // "dpkg", "rpm", or "none"
    std::optional<std::int64_t> state_free_bytes;
    std::optional<std::int64_t> backup_free_bytes;  // missing: the folder is not there yet
    std::vector<Error> problems;
};

// Lists the hosts without asking them.
[[nodiscard]] AppResult<std::vector<HostReport>> list_hosts(const Options& options);
// Asks all hosts at once. A host that cannot be reached has a problem and holds up no other.
[[nodiscard]] AppResult<std::vector<HostReport>> check_hosts(const Options& options);

}  // namespace drydock::app
