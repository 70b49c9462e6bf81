// The conversations with agents: connect, fence, greet, send, receive.
//
// A link goes through these states. Without a conversation it waits for a request and for its retry
// time. Connected, it sends the fence and the hello at once and waits for the greeting; requests
// stay queued. Ready, it sends each request as it comes, and keeps its deadline.
//
//   idle -> connected (fence, hello sent) -> ready -> idle, when the line is lost
//
// A request gets exactly one final reply. If the link is lost, a request that was sent is `lost`,
// since it may have been carried out; a request that never left is `refused`, since it was not.
// agent_pool_liveness.cpp decides when a line counts as dead.
#include "executor/agent_pool.h"

#include "agent/action_key.h"
#include "base/check.h"
#include "base/coverage_mark.h"
#include "base/version.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace drydock::executor {

namespace {

constexpr RequestId k_hello = 1;
constexpr RequestId k_fence = 2;

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

RequestId AgentPool::ask(const std::string& host, Json request, std::int64_t deadline_ms) {
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
        lose(link, opened.error());
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

// The fence carries everything that an agent needs to decide about ownership: the cluster, the
// journal, the claims on this host and the leases. `again` says that this host obeyed the identity
// before. A host that does not know the journal then has lost its records, and remembers actions
// only from the next epoch on.
Json AgentPool::fence_request(const Link& link) const {
    Json owner;
    owner.set("cluster", identity_.cluster).set("journal", identity_.journal);
    owner.set("who", identity_.who);
    Json claims = Json::Array{};
    if (const auto of_host = identity_.claims.find(link.address.name);
        of_host != identity_.claims.end()) {
        for (const std::string& claim : of_host->second) {
            claims.push(claim);
        }
    }
    owner.set("claims", std::move(claims)).set("leases", agent::to_json(identity_.leases));
    Json fence;
    fence.set("n", k_fence).set("do", "fence").set("epoch", identity_.epoch);
    fence.set("owner", std::move(owner));
    if (link.has_obeyed) {
        fence.set("again", true);
    }
    return identity_.take_over ? fence.set("take_over", true) : fence;
}

// Sends fence and hello without waiting in between. The agent handles them in order, so a greeting
// that follows an error of the fence is of no use and is dropped with the line.
void AgentPool::greet(Link& link) {
    Status sent;
    if (identity_.epoch != 0) {
        sent = link.conversation->send(fence_request(link));
    }
    if (sent) {
        Json hello;
        hello.set("n", k_hello).set("do", "hello");
        if (identity_.heads) {
            hello.set("heads_of", identity_.run);
        }
        sent = link.conversation->send(hello);
    }
    if (!sent) {
        lose(link, sent.error());
    }
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
void AgentPool::lose(Link& link, const Error& error) {
    link.conversation.reset();
    link.ready = false;
    link.retry_at_ms = clock_.monotonic_ms() + k_reconnect_ms;
    link.trouble = error.in(fmt::format("host {}", link.address.name));
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
            lose(link, sent.error());
        }
    }
}

namespace {

// True if a string anywhere in the value contains the text.
bool mentions(const Json& value, const std::string& text) {
    const auto& items = value.items();
    const auto& members = value.members();
    return value.as_string().find(text) != std::string::npos
           || std::any_of(
               items.begin(), items.end(), [&](const Json& item) { return mentions(item, text); })
           || std::any_of(members.begin(), members.end(), [&](const auto& member) {
                  return mentions(member.second, text);
              });
}

}  // namespace

// Hides only text that came from outside. A secret such as "done" must not change an outcome.
void AgentPool::hide_secrets(Reply& reply) const {
    if (!redactor_.hides_something()) {
        return;
    }
    reply.error.message = redactor_.redact(std::string_view(reply.error.message));
    Json facts = Json::Array{};
    for (Json fact : reply.body["facts"].items()) {
        fact.set("evidence", redactor_.redact(fact["evidence"]));
        fact.set("value", redactor_.redact(fact["value"]));
        facts.push(std::move(fact));
    }
    if (!facts.items().empty()) {
        reply.body.set("facts", std::move(facts));
    }
    if (Json result = reply.body["result"]; result.is_object()) {
        result.set("evidence", redactor_.redact(result["evidence"]));
        if (Json error = result["error"]; error.is_object()) {
            result.set("error", error.set("message", redactor_.redact(error["message"])));
        }
        reply.body.set("result", std::move(result));
    }
    if (reply.kind == Reply::Kind::progress) {
        reply.body = redactor_.redact(reply.body);
    }
}

// Adds the secrets that this request names, and no others.
void AgentPool::add_secrets(Json& request) const {
    Json named = Json::Object{};
    for (const auto& [name, value] : secrets_.members()) {
        if (mentions(request, fmt::format("${{secret:{}}}", name))) {
            named.set(name, value);
        }
    }
    if (!named.members().empty()) {
        request.set("secrets", std::move(named));
    }
}

// Completes a request with its number, the conductor's identity and its secrets. `begin_by_ms` is
// translated to the host's clock; the clocks are compared by the host's own replies only.
Json AgentPool::outgoing(const Link& link, RequestId ticket, Question question) const {
    Json request = std::move(question.request);
    request.set("n", ticket);
    const std::string_view request_kind = request["do"].as_string();
    if (identity_.epoch != 0) {
        request.set("epoch", identity_.epoch).set("journal", identity_.journal);
    }
    if (request_kind == "probe" || request_kind == "exec") {
        add_secrets(request);
    }
    if (request["begin_by_ms"].is_integer() && link.ahead_ms) {
        request.set("begin_by_ms", request["begin_by_ms"].as_int() + clock_offset_now(link));
    }
    return request;
}

// An old measurement counts for less: two clocks may have drifted apart since it was taken. The
// error goes to the safe side, so that a command never seems to have more time than it has.
std::int64_t AgentPool::clock_offset_now(const Link& link) const {
    const std::int64_t since_ms = clock_.monotonic_ms() - link.told_ms;
    return *link.ahead_ms - since_ms / k_drift_parts;
}

// Measures how far the host's clock is ahead. A reply was on its way for a while, so the host's
// clock has gone on since, and the true offset is larger. A clock that gains on ours shows that
// ours stood still.
void AgentPool::take_clock(Link& link, const Json& frame) {
    if (!frame["clock_ms"].is_integer()) {
        return;
    }
    const std::int64_t now = clock_.monotonic_ms();
    const std::int64_t offset = frame["clock_ms"].as_int() - now;
    if (link.ahead_ms && offset > *link.ahead_ms + k_clock_slip_ms) {
        COVERAGE_MARK("hosts: the clock of this conductor stood still");
        slipped_ms_ = now;
    }
    if (!link.ahead_ms || offset >= clock_offset_now(link)) {
        link.ahead_ms = offset;
        link.told_ms = now;
    }
}

// Refuses all requests of the link, since no other connection to that host fares better. An error
// of displacement ends this conductor.
void AgentPool::refuse_greeting(Link& link, const Error& error) {
    if (agent::is_displacement(error)) {
        COVERAGE_MARK("hosts: another conductor has taken over");
        superseded_ = error.in(fmt::format("host {}", link.address.name));
    }
    link.retry_at_ms = clock_.monotonic_ms() + k_reconnect_ms;
    link.trouble = error.in(fmt::format("host {}", link.address.name));
    fail_all(link, *link.trouble, Reply::Kind::refused);
    link.conversation.reset();
}

// A fence that holds with another epoch than ours means a later conductor, or an older copy of the
// journal.
void AgentPool::take_fence(Link& link, const Json& frame) {
    if (frame.contains("error")) {
        refuse_greeting(link, agent::read_error(frame["error"]));
    } else if (frame["fence"].as_uint() != identity_.epoch) {
        refuse_greeting(link,
                        {"agent.fenced",
                         fmt::format("another conductor of this journal has taken over, or this "
                                     "journal is an older copy (its epoch is {}, ours {})",
                                     frame["fence"].show(),
                                     identity_.epoch),
                         "see `drydock status`; if this is an older copy and the newer one is gone "
                         "for good: the same command with --take-over",
                         ErrorClass::permanent});
    } else {
        link.has_obeyed = true;
    }
}

std::optional<Error> AgentPool::find_gone_head(const Json& greeting) const {
    return identity_.heads
               ? identity_.heads->find_gone(identity_.journal, identity_.run, greeting["heads"])
               : std::nullopt;
}

// Takes the greeting: the version must match, and the host must not remember a record that the
// journal lacks. Only then do queued requests leave.
void AgentPool::take_hello(Link& link, const Json& frame) {
    if (frame.contains("error")) {
        lose(link, agent::read_error(frame["error"]));
        return;
    }
    if (frame["version"].as_string() != version()) {
        refuse_greeting(link,
                        {"host.version",
                         fmt::format("its agent is of drydock {}, this is {}",
                                     frame["version"].show(),
                                     version()),
                         "install the same drydock on both sides",
                         ErrorClass::permanent});
        return;
    }
    if (const auto error = find_gone_head(frame)) {
        refuse_greeting(link, *error);
        superseded_ = link.trouble;
        return;
    }
    link.greeting = frame;
    link.trouble.reset();
    link.ready = true;
    flush(link);
}

// Sorts a frame by its number: greeting, fence, ping, or the reply to a request. Any frame shows
// that the line is alive.
void AgentPool::take(Link& link, const Json& frame) {
    ++link.frames;
    link.heard_ms = clock_.monotonic_ms();
    link.pinged_ms = 0;
    const RequestId ticket = frame["n"].as_uint().value_or(0);
    if (ticket == k_hello && frame["boot_id"] != link.greeting["boot_id"]) {
        link.ahead_ms.reset();  // the host has booted since: its clock began anew
    }
    if (ticket != k_fence) {  // a fence reply does not name its boot
        take_clock(link, frame);
    }
    if (ticket == k_hello) {
        return take_hello(link, frame);
    }
    if (ticket == k_fence) {
        return take_fence(link, frame);
    }
    if (ticket == k_ping) {
        return;  // its arrival is all that counts
    }
    const auto waiting = link.waiting.find(ticket);
    if (waiting == link.waiting.end()) {
        COVERAGE_MARK("hosts: an answer that nobody waits for");
        return;
    }
    Reply reply = {ticket, Reply::Kind::answer, {}, {}, waiting->second.asked_ms};
    if (frame.contains("progress")) {
        reply.kind = Reply::Kind::progress;
        reply.body = frame["progress"];
    } else if (frame.contains("error")) {
        reply.kind = Reply::Kind::refused;
        reply.error = agent::read_error(frame["error"]);
    } else {
        reply.body = frame;
    }
    if (agent::is_displacement(reply.error)) {
        COVERAGE_MARK("hosts: a request of a displaced conductor is refused");
        superseded_ = reply.error.in(fmt::format("host {}", link.address.name));
    }
    if (reply.kind != Reply::Kind::progress) {
        link.waiting.erase(waiting);
    }
    hide_secrets(reply);
    replies_.push_back(std::move(reply));
}

void AgentPool::receive(Link& link) {
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
        lose(link,
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
