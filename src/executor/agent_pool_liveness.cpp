// Lines that are late, quiet or dead: the limits of the pool that time alone applies.
//
// A broken line may look alive: the other end is gone, and no error ever comes. So a quiet line is
// pinged, and a line without an answer to its ping is closed. A request has its own deadline beside
// that. If nothing at all came since it was sent, the whole line is closed with it.
#include "base/coverage_mark.h"
#include "executor/agent_pool.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::executor {

// Returns when a ping is due, or when its answer is overdue.
std::int64_t AgentPool::ping_due_ms(const Link& link) {
    if (link.pinged_ms != 0) {
        return link.pinged_ms + k_pong_ms_max + 1;
    }
    return link.heard_ms + (link.waiting.empty() ? k_idle_ms : k_quiet_ms);
}

// Pings a quiet line, and gives up a line whose ping was not answered. A request that is lost with
// the line is asked again on another one.
void AgentPool::ping(Link& link) {
    const std::int64_t now = clock_.monotonic_ms();
    if (!link.conversation || !link.ready || now < ping_due_ms(link)) {
        return;
    }
    if (link.pinged_ms != 0) {
        COVERAGE_MARK("hosts: no answer to a ping");
        disconnect(link,
                   {"host.silent",
                    fmt::format("nothing came from the agent for {} s, and no answer to a ping",
                                (now - link.heard_ms) / 1000),
                    "see whether that host hangs, or the way to it",
                    ErrorClass::transient});
        return;
    }
    COVERAGE_MARK("hosts: a quiet line is pinged");
    link.pinged_ms = now;
    Json request;
    request.set("n", k_ping).set("do", "ping");
    if (Status sent = link.conversation->send(request); !sent) {
        disconnect(link, sent.error());
    }
}

// Ends requests whose deadline has passed. A line on which no frame came since such a request left
// is dead.
void AgentPool::expire(Link& link) {
    const std::int64_t now = clock_.monotonic_ms();
    const Error silent = {"host.silent",
                          fmt::format("host {}: no answer in time", link.address.name),
                          "see whether that host hangs, or the way to it",
                          ErrorClass::transient};
    std::erase_if(link.queued, [&](const auto& entry) {
        const bool is_late = now > entry.second.deadline_ms;
        if (is_late) {
            COVERAGE_MARK("hosts: a question could not be sent in time");
            replies_.push_back(
                {entry.first, Reply::Kind::refused, {}, silent, entry.second.asked_ms});
        }
        return is_late;
    });
    bool is_dead = false;
    std::erase_if(link.waiting, [&](const auto& entry) {
        const bool is_late = now > entry.second.deadline_ms;
        if (is_late) {
            COVERAGE_MARK("hosts: no answer by the deadline of a question");
            replies_.push_back({entry.first, Reply::Kind::lost, {}, silent, entry.second.asked_ms});
            is_dead = is_dead || entry.second.frames_before == link.frames;
        }
        return is_late;
    });
    if (is_dead && link.conversation) {
        COVERAGE_MARK("hosts: a line is dead");
        disconnect(link, silent);
    }
}

}  // namespace drydock::executor
