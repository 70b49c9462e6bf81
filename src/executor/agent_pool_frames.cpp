// The frames of a conversation: what is said to an agent, and what its frames mean.
//
// Fence and hello carry the identity of this conductor. A request is completed with its number, the
// identity, its secrets, and times in the host's clock. An incoming frame is sorted by its number.
// Its text may hold a secret, which is hidden before anybody reads it.
#include "agent/action_key.h"
#include "base/coverage_mark.h"
#include "base/version.h"
#include "executor/agent_pool.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::executor {

namespace {

constexpr RequestId k_hello = 1;
constexpr RequestId k_fence = 2;

}  // namespace

// The fence carries everything that an agent needs to decide about ownership: the cluster, the
// journal, the claims on this host and the leases. `again` says that this host obeyed the identity
// before. A host that does not know the journal then has lost its records, and remembers actions
// only from the next epoch on.
Json AgentPool::fence_request(const Link& link) const {
    Json owner;
    owner.set("cluster", identity_.cluster).set("journal", identity_.journal);
    owner.set("who", identity_.display_name);
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
        disconnect(link, sent.error());
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
        superseded_ = error.with_context(fmt::format("host {}", link.address.name));
    }
    link.retry_at_ms = clock_.monotonic_ms() + k_reconnect_ms;
    link.trouble = error.with_context(fmt::format("host {}", link.address.name));
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
        disconnect(link, agent::read_error(frame["error"]));
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
void AgentPool::take_replies(Link& link, const Json& frame) {
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
        superseded_ = reply.error.with_context(fmt::format("host {}", link.address.name));
    }
    if (reply.kind != Reply::Kind::progress) {
        link.waiting.erase(waiting);
    }
    hide_secrets(reply);
    replies_.push_back(std::move(reply));
}

}  // namespace drydock::executor
