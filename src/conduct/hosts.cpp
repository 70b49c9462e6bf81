#include "conduct/hosts.h"

#include "agent/key.h"
#include "base/check.h"
#include "base/probe.h"

#include <fmt/format.h>

namespace drydock::conduct {

namespace {

constexpr Ticket k_hello = 1;
constexpr Ticket k_fence = 2;

}  // namespace

std::map<std::string, transport::HostAddress>
addresses_of(const std::map<std::string, model::Host>& hosts) {
    std::map<std::string, transport::HostAddress> addresses;
    for (const auto& [name, host] : hosts) {
        addresses.emplace(
            name, transport::HostAddress{name, host.connect, host.become, host.agent, host.state});
    }
    return addresses;
}

Hosts::Hosts(transport::Transport& transport,
             os::Clock& clock,
             std::map<std::string, transport::HostAddress> addresses,
             std::uint64_t epoch,
             Json secrets)
    : transport_(transport)
    , clock_(clock)
    , epoch_(epoch)
    , secrets_(std::move(secrets)) {
    for (auto& [name, address] : addresses) {
        links_[name].address = std::move(address);
    }
}

Ticket Hosts::ask(const std::string& host, Json request) {
    const auto link = links_.find(host);
    CHECK(link != links_.end());
    const Ticket ticket = next_ticket_++;
    link->second.queued.emplace(ticket, Question{std::move(request), clock_.monotonic_ms()});
    return ticket;
}

const Json& Hosts::greeting(const std::string& host) const {
    const auto link = links_.find(host);
    CHECK(link != links_.end());
    return link->second.greeting;
}

void Hosts::connect(Link& link) {
    auto opened = transport_.open(link.address);
    if (!opened) {
        lose(link, opened.error());
        return;
    }
    link.conversation = std::move(*opened);
    link.ready = false;
    link.ahead_ms.reset();  // it may have booted since
    link.deadline_ms = clock_.monotonic_ms() + k_hello_ms_max;
    greet(link);
}

void Hosts::greet(Link& link) {
    Json hello;
    hello.set("n", k_hello).set("do", "hello");
    Status sent = link.conversation->send(hello);
    if (sent && epoch_ != 0) {
        Json fence;
        fence.set("n", k_fence).set("do", "fence").set("epoch", epoch_);
        sent = link.conversation->send(fence);
    }
    if (!sent) {
        lose(link, sent.error());
    }
}

void Hosts::fail_all(Link& link, const Error& error, Reply::Kind kind) {
    for (const auto& [ticket, asked_ms] : link.waiting) {
        replies_.push_back({ticket, kind, {}, error, asked_ms});
    }
    link.waiting.clear();
    // What was never sent is refused, not lost: it surely did not happen.
    for (const auto& [ticket, question] : link.queued) {
        PROBE("hosts: refused before it was sent");
        replies_.push_back({ticket, Reply::Kind::refused, {}, error, question.asked_ms});
    }
    link.queued.clear();
}

void Hosts::lose(Link& link, const Error& error) {
    link.conversation.reset();
    link.ready = false;
    link.retry_at_ms = clock_.monotonic_ms() + k_reconnect_ms;
    fail_all(link, error.in(fmt::format("host {}", link.address.name)), Reply::Kind::lost);
}

void Hosts::flush(Link& link) {
    while (link.ready && !link.queued.empty()) {
        auto [ticket, question] = std::move(*link.queued.begin());
        link.queued.erase(link.queued.begin());
        link.waiting.emplace(ticket, question.asked_ms);
        const Json request = outgoing(link, ticket, std::move(question));
        if (Status sent = link.conversation->send(request); !sent) {
            lose(link, sent.error());
        }
    }
}

Json Hosts::outgoing(const Link& link, Ticket ticket, Question question) const {
    Json request = std::move(question.request);
    request.set("n", ticket);
    const std::string_view what = request["do"].as_string();
    if (!secrets_.members().empty() && (what == "probe" || what == "exec")) {
        request.set("secrets", secrets_);
    }
    if (request["begin_by_ms"].is_integer() && link.ahead_ms) {
        request.set("begin_by_ms", request["begin_by_ms"].as_int() + *link.ahead_ms);
    }
    return request;
}

// An answer was on its way for a while, so that the host's clock has gone on since.
void Hosts::take_clock(Link& link, const Json& frame) {
    if (frame["clock_ms"].is_integer()) {
        const std::int64_t ahead = frame["clock_ms"].as_int() - clock_.monotonic_ms();
        link.ahead_ms = std::max(link.ahead_ms.value_or(ahead), ahead);
    }
}

void Hosts::take_greeting(Link& link, const Json& frame) {
    if (frame.contains("error")) {
        lose(link, agent::read_error(frame["error"]));
        return;
    }
    const bool fence_answer = frame["n"].as_uint() == k_fence;
    if (!fence_answer) {
        link.greeting = frame;
    }
    if (fence_answer && frame["fence"].as_uint() != epoch_) {
        PROBE("hosts: another conductor has taken over");
        const Error taken = {
            "agent.fenced",
            fmt::format("another conductor has taken over (its epoch is {}, ours {})",
                        frame["fence"].show(),
                        epoch_),
            "see `drydock status`",
            ErrorClass::permanent};
        fail_all(link, taken, Reply::Kind::refused);
        link.conversation.reset();
        return;
    }
    link.ready = link.ready || fence_answer || epoch_ == 0;
    flush(link);
}

void Hosts::take(Link& link, const Json& frame) {
    take_clock(link, frame);
    const Ticket ticket = frame["n"].as_uint().value_or(0);
    if (ticket == k_hello || ticket == k_fence) {
        take_greeting(link, frame);
        return;
    }
    const auto waiting = link.waiting.find(ticket);
    if (waiting == link.waiting.end()) {
        PROBE("hosts: an answer that nobody waits for");
        return;
    }
    Reply reply = {ticket, Reply::Kind::answer, {}, {}, waiting->second};
    if (frame.contains("progress")) {
        reply.kind = Reply::Kind::progress;
        reply.body = frame["progress"];
    } else if (frame.contains("error")) {
        reply.kind = Reply::Kind::refused;
        reply.error = agent::read_error(frame["error"]);
    } else {
        reply.body = frame;
    }
    if (reply.kind != Reply::Kind::progress) {
        link.waiting.erase(waiting);
    }
    replies_.push_back(std::move(reply));
}

void Hosts::receive(Link& link) {
    auto frames = link.conversation->receive();
    if (!frames) {
        lose(link, frames.error());
        return;
    }
    for (const Json& frame : *frames) {
        if (link.conversation) {
            take(link, frame);
        }
    }
}

// Connects where something waits, and takes what has come.
void Hosts::step_all() {
    const std::int64_t now = clock_.monotonic_ms();
    for (auto& [name, link] : links_) {
        if (!link.conversation && !link.queued.empty() && now >= link.retry_at_ms) {
            connect(link);
        }
        if (!link.conversation) {
            continue;
        }
        flush(link);
        if (link.conversation) {
            receive(link);
        }
        if (link.conversation && !link.ready && now > link.deadline_ms) {
            PROBE("hosts: no greeting in time");
            lose(link,
                 {"host.silent",
                  fmt::format("no greeting from the agent within {} s", k_hello_ms_max / 1000),
                  "try the `connect` command of that host by hand",
                  ErrorClass::transient});
        }
    }
}

std::vector<Reply> Hosts::poll(std::int64_t timeout_ms, std::int64_t linger_ms) {
    step_all();
    if (replies_.empty()) {
        std::vector<transport::Conversation*> open;
        for (auto& [name, link] : links_) {
            const bool busy = !link.waiting.empty() || !link.ready;
            if (link.conversation && busy) {
                open.push_back(link.conversation.get());
            } else if (!link.conversation && !link.queued.empty()) {
                timeout_ms = std::min<std::int64_t>(
                    timeout_ms,
                    std::max<std::int64_t>(link.retry_at_ms - clock_.monotonic_ms(), 1));
            }
        }
        transport_.wait(open, timeout_ms);
        if (linger_ms > 0 && timeout_ms > 0) {
            transport_.wait({}, linger_ms);
        }
        step_all();
    }
    return std::exchange(replies_, {});
}

}  // namespace drydock::conduct
