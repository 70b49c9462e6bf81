// Work: what is under way on hosts, whoever began it: every run of every journal.
//
// A greeting behind a fence tells of all work that can still be under way there; without a fence
// more may come at any time. One thread.
#pragma once

#include "agent/fences.h"
#include "conduct/hosts.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace drydock::conduct {

// One attempt of an action that runs on a host.
struct HostWork {
    std::string host;
    std::string run;
    std::string action;
    std::int64_t attempt = 0;
    // Who began it, as registered on that host; nothing: nobody who is registered there now.
    std::optional<agent::Owner> owner = {};

    [[nodiscard]] std::string text() const;  // "roll/m3/stop of run X on host h3"
    bool operator==(const HostWork&) const = default;
};

// What hosts say when asked for their work. A host that did not answer is silent: nobody knows.
struct WorkReport {
    std::vector<HostWork> running;
    std::map<std::string, Error> silent;  // by host: why
};

// How long a silent host is asked, and how often a listener hears of the wait.
inline constexpr std::int64_t k_work_answer_ms = 20'000;

// Asks every host once; ends at its deadline at the latest.
[[nodiscard]] WorkReport read_work(Hosts& hosts, os::Clock& clock);

// What the greetings told; only hosts that were never tried are asked now. For one who has just
// connected, and given no work out since.
[[nodiscard]] WorkReport recall_work(Hosts& hosts, os::Clock& clock);

// Asks until no work but `allowed` is under way, or `within_ms` have passed; returns what is left.
// `first` is what is known already; null: nothing is.
// `on_wait` hears of it between two readings and may be empty; true from it ends the wait.
[[nodiscard]] WorkReport await_quiet(Hosts& hosts,
                                     os::Clock& clock,
                                     std::int64_t within_ms,
                                     const WorkReport* first,
                                     const std::function<bool(const HostWork&)>& allowed,
                                     const std::function<bool(const HostWork&)>& on_wait);

// Refuses ("work.under_way") and names the first of them.
[[nodiscard]] Error under_way_error(const HostWork& work, std::int64_t waited_ms);

}  // namespace drydock::conduct
