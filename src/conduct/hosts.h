// Hosts: the conversations with all agents of a cluster, as one queue of questions and answers.
//
// A question is sent to a host under a ticket; poll() hands out answers, progress, and the loss of
// questions whose connection ended. A lost question may have been carried out: that is for the
// caller to ask. Connections are opened when first needed and again after a loss; every new one
// says hello and, for a conductor, raises the fence to its epoch before anything else is sent. One
// thread.
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "model/cluster.h"
#include "os/clock.h"
#include "transport/transport.h"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace drydock::conduct {

using Ticket = std::uint64_t;

struct Reply {
    enum class Kind { answer, progress, refused, lost };

    Ticket ticket = 0;
    Kind kind = Kind::answer;
    Json body;                  // answer, progress
    Error error;                // refused: by the agent, nothing was done; lost: nobody knows
    std::int64_t asked_ms = 0;  // monotonic
};

class Hosts {
public:
    static constexpr std::int64_t k_hello_ms_max =
        15'000;  // a connection that has not greeted by then is given up
    static constexpr std::int64_t k_reconnect_ms =
        200;  // pause between two attempts to connect to one host

    // `epoch` 0: a survey, which never fences. `secrets` ({NAME: value}) go with probes and
    // actions. `transport` and `clock` must outlive this.
    Hosts(transport::Transport& transport,
          os::Clock& clock,
          std::map<std::string, transport::HostAddress> addresses,
          std::uint64_t epoch,
          Json secrets = Json::Object{});

    // Queues a question. It never fails: what goes wrong comes back as a reply. `begin_by_ms` in it
    // is meant by our monotonic clock, and sent by the host's.
    Ticket ask(const std::string& host, Json request);
    // Answers that are there, after waiting at most `timeout_ms` for the first and, once something
    // has come, `linger_ms` for more.
    std::vector<Reply> poll(std::int64_t timeout_ms, std::int64_t linger_ms = 0);

    // What the agent said of itself when last greeted; null before.
    [[nodiscard]] const Json& greeting(const std::string& host) const;

private:
    struct Question {
        Json request;
        std::int64_t asked_ms = 0;  // monotonic
    };

    struct Link {
        transport::HostAddress address;
        std::unique_ptr<transport::Conversation> conversation;
        bool ready = false;
        std::int64_t deadline_ms = 0;  // of the greeting
        std::int64_t retry_at_ms = 0;
        std::map<Ticket, Question> queued;       // not yet sent
        std::map<Ticket, std::int64_t> waiting;  // sent: when it was asked
        // How far the host's monotonic clock is ahead of ours, at least; nothing before it told.
        std::optional<std::int64_t> ahead_ms;
        Json greeting;
    };

    void connect(Link& link);
    void greet(Link& link);
    void lose(Link& link, const Error& error);
    void flush(Link& link);
    void receive(Link& link);
    void take(Link& link, const Json& frame);
    void take_clock(Link& link, const Json& frame);
    void take_greeting(Link& link, const Json& frame);
    [[nodiscard]] Json outgoing(const Link& link, Ticket ticket, Question question) const;
    void fail_all(Link& link, const Error& error, Reply::Kind kind);
    void step_all();

    transport::Transport& transport_;
    os::Clock& clock_;
    std::map<std::string, Link> links_;
    std::uint64_t epoch_;
    Json secrets_;
    Ticket next_ticket_ = 16;  // below: greetings
    std::vector<Reply> replies_;
};

[[nodiscard]] std::map<std::string, transport::HostAddress>
addresses_of(const std::map<std::string, model::Host>& hosts);

}  // namespace drydock::conduct
