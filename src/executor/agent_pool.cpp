// The conversations with agents: connect, queue, send, receive, wait.
//
// A link goes through these states. Without a conversation it waits for a request and for its retry
// time. Connected, it sends the fence and the hello at once and waits for the greeting; requests
// stay queued. Ready, it sends each request as it comes, and keeps its deadline.
//
//   idle -> connected (fence, hello sent) -> ready -> idle, when the line is lost
//
// A request gets exactly one final reply. If the link is lost, a request that was sent is `lost`,
// since it may have been carried out; a request that never left is `refused`, since it was not.
// agent_pool_frames.cpp makes and reads the frames; agent_pool_liveness.cpp decides when a line
// counts as dead.
#include "executor/agent_pool.h"

#include "base/check.h"
#include "base/coverage_mark.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace drydock::executor {

std::map<std::string, transport::HostAddress>
addresses_of(const std::map<std::string, model::Host>& hosts) {
    std::map<std::string, transport::HostAddress> addresses;
    for (const auto& [name, host] : hosts) {
        addresses.emplace(
            name,
            transport::HostAddress{name, host.connect, host.become, host.agent, host.state_dir});
    }
    return addresses;
}

AgentPool::AgentPool(transport::Transport& transport,
                     os::Clock& clock,
                     std::map<std::string, transport::HostAddress> addresses,
                     Identity identity,
                     Json secrets)
    : transport_(transport)
    , clock_(clock)
    , identity_(std::move(identity))
    , secrets_(std::move(secrets))
    , redactor_(secrets_) {
    for (auto& [name, address] : addresses) {
        links_[name].address = std::move(address);
    }
}

RequestId AgentPool::submit(const std::string& host, Json request, std::int64_t deadline_ms) {
    const auto link = links_.find(host);
    CHECK(link != links_.end());
    const RequestId ticket = next_ticket_++;
    link->second.queued.emplace(ticket,
                                Question{std::move(request), clock_.monotonic_ms(), deadline_ms});
    return ticket;
}

void AgentPool::extend(const std::string& host, RequestId ticket, std::int64_t deadline_ms) {
    const auto link = links_.find(host);
    CHECK(link != links_.end());
    if (const auto sent = link->second.waiting.find(ticket); sent != link->second.waiting.end()) {
        sent->second.deadline_ms = deadline_ms;
    }
    if (const auto question = link->second.queued.find(ticket);
        question != link->second.queued.end()) {
        question->second.deadline_ms = deadline_ms;
    }
}

const Json& AgentPool::greeting(const std::string& host) const {
    const auto link = links_.find(host);
    CHECK(link != links_.end());
    return link->second.greeting;
}

std::int64_t AgentPool::remembers_since(const std::string& host) const {
    for (const Json& owner : greeting(host)["owners"].items()) {
        if (owner["journal"].as_string() == identity_.journal) {
            return owner["since_epoch"].as_int();
        }
    }
    return 0;
}

const std::optional<Error>& AgentPool::trouble(const std::string& host) const {
    const auto link = links_.find(host);
    CHECK(link != links_.end());
    return link->second.trouble;
}

std::vector<std::string> AgentPool::names() const {
    std::vector<std::string> names;
    names.reserve(links_.size());
    for (const auto& [name, link] : links_) {
        names.push_back(name);
    }
    return names;
}

// Leaves out hosts that are not connected, and hosts whose clock is not known yet.
Json AgentPool::clocks() const {
    Json clocks = Json::Object{};
    for (const auto& [name, link] : links_) {
        const std::string& boot = link.greeting["boot_id"].as_string();
        if (link.conversation && link.ahead_ms && !boot.empty()) {
            clocks.set(boot, clock_.monotonic_ms() + clock_offset_now(link));
        }
    }
    return clocks;
}

// A link that is in the middle of its greeting greets again: the fence of the new identity must
// hold before anything else leaves.
void AgentPool::become(Identity identity) {
    identity_ = std::move(identity);
    for (auto& [name, link] : links_) {
        link.has_obeyed = false;
        if (link.conversation) {
            link.ready = false;
            link.deadline_ms = clock_.monotonic_ms() + k_hello_ms_max;
            greet(link);
        }
    }
}

// A failed connection is a lost one: its queued requests are refused, and the next try comes later.
void AgentPool::connect(Link& link) {
    auto opened = transport_.open(link.address);
    if (!opened) {
        disconnect(link, opened.error());
        return;
    }
    link.conversation = std::move(*opened);
    link.ready = false;
    link.frames = 0;
    link.heard_ms = clock_.monotonic_ms();
    link.pinged_ms = 0;
    link.deadline_ms = clock_.monotonic_ms() + k_hello_ms_max;
    greet(link);
}

void AgentPool::fail_all(Link& link, const Error& error, Reply::Kind kind) {
    for (const auto& [ticket, sent] : link.waiting) {
        replies_.push_back({ticket, kind, {}, error, sent.asked_ms});
    }
    link.waiting.clear();
    // A request that was never sent is refused, not lost: it surely did not happen.
    for (const auto& [ticket, question] : link.queued) {
        COVERAGE_MARK("hosts: refused before it was sent");
        replies_.push_back({ticket, Reply::Kind::refused, {}, error, question.asked_ms});
    }
    link.queued.clear();
}

// Gives up the line. The next request connects anew, at the earliest after the retry pause.
void AgentPool::disconnect(Link& link, const Error& error) {
    link.conversation.reset();
    link.ready = false;
    link.retry_at_ms = clock_.monotonic_ms() + k_reconnect_ms;
    link.trouble = error.with_context(fmt::format("host {}", link.address.name));
    fail_all(link, *link.trouble, Reply::Kind::lost);
}

// Sends queued requests in order. A failed send loses the link, and with it the rest of the queue.
void AgentPool::flush(Link& link) {
    while (link.ready && !link.queued.empty()) {
        auto [ticket, question] = std::move(*link.queued.begin());
        link.queued.erase(link.queued.begin());
        link.waiting.emplace(ticket, Sent{question.asked_ms, question.deadline_ms, link.frames});
        const Json request = outgoing(link, ticket, std::move(question));
        if (Status sent = link.conversation->send(request); !sent) {
            disconnect(link, sent.error());
        }
    }
}

void AgentPool::receive(Link& link) {
    auto frames = link.conversation->receive();
    if (!frames) {
        disconnect(link, frames.error());
        return;
    }
    for (const Json& frame : *frames) {
        if (link.conversation) {
            take_replies(link, frame);
        }
    }
}

// Makes one step on a link: connects if requests wait, sends, receives, and applies the time
// limits.
void AgentPool::step(Link& link) {
    if (!link.conversation && !link.queued.empty() && clock_.monotonic_ms() >= link.retry_at_ms) {
        connect(link);
    }
    if (link.conversation) {
        flush(link);
    }
    if (link.conversation) {
        receive(link);
    }
    if (link.conversation && !link.ready && clock_.monotonic_ms() > link.deadline_ms) {
        COVERAGE_MARK("hosts: no greeting in time");
        disconnect(link,
                   {"host.silent",
                    fmt::format("no greeting from the agent within {} s", k_hello_ms_max / 1000),
                    "try the `connect` command of that host by hand",
                    ErrorClass::transient});
    }
    expire(link);
    ping(link);
}

void AgentPool::step_all() {
    for (auto& [name, link] : links_) {
        step(link);
    }
}

// Returns when time alone will change this link.
std::int64_t AgentPool::due_ms(const Link& link, std::int64_t now_ms) const {
    std::int64_t due = std::numeric_limits<std::int64_t>::max();
    for (const auto& [ticket, sent] : link.waiting) {
        due = std::min(due, sent.deadline_ms + 1);
    }
    for (const auto& [ticket, question] : link.queued) {
        due = std::min(due, question.deadline_ms + 1);
    }
    if (!link.conversation && !link.queued.empty()) {
        due = std::min(due, std::max(link.retry_at_ms, now_ms + 1));
    }
    if (link.conversation && !link.ready) {
        due = std::min(due, link.deadline_ms + 1);
    }
    if (link.conversation && link.ready) {
        due = std::min(due, ping_due_ms(link));
    }
    return due;
}

// Waits no longer than the next time limit of any link, so that a deadline passes on time although
// no frame comes. A link on which nothing is awaited is not watched.
std::vector<Reply> AgentPool::poll(std::int64_t timeout_ms, std::int64_t linger_ms) {
    step_all();
    if (replies_.empty()) {
        const std::int64_t now = clock_.monotonic_ms();
        std::vector<transport::Conversation*> open;
        for (auto& [name, link] : links_) {
            const bool awaited = !link.waiting.empty() || !link.ready || link.pinged_ms != 0;
            if (link.conversation && awaited) {
                open.push_back(link.conversation.get());
            }
            const std::int64_t due = due_ms(link, now);
            timeout_ms = std::min(timeout_ms, std::max<std::int64_t>(due - now, 0));
        }
        transport_.wait(open, timeout_ms);
        if (linger_ms > 0 && timeout_ms > 0) {
            transport_.wait({}, linger_ms);
        }
        step_all();
    }
    return std::exchange(replies_, {});
}

}  // namespace drydock::executor
