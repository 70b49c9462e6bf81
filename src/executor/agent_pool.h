// AgentPool: the conversations with all agents of a cluster, as one queue of requests and replies.
//
// A request goes to a host under a number and has a deadline. poll() returns answers, progress, and
// the loss of requests whose connection ended or whose deadline passed. A lost request may have
// been carried out; the caller has to ask.
//
// Connections are opened when first needed, and again after a loss. Each new one raises the fence
// for a conductor and then says hello, before anything else is sent. So a greeting reports all work
// that can still be under way there. One thread.
#pragma once

#include "agent/fences.h"
#include "agent/secrets.h"
#include "base/json.h"
#include "base/result.h"
#include "executor/noted_heads_check.h"
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

namespace drydock::executor {

using RequestId = std::uint64_t;

// Names a conductor to hosts by observed things: its journal's id and its lease's epoch.
struct Identity {
    std::string cluster;
    std::string journal;
    std::uint64_t epoch = 0;   // 0: a survey, which never fences
    std::string display_name;  // for people
    bool take_over = false;    // displaces another journal that holds a host
    std::map<std::string, std::vector<std::string>> claims;  // the things it works on, by host
    std::vector<agent::LeaseMark> leases = {};               // given by its journal, newest last
    std::string run = {};                                    // the run that it conducts or looks at
    // The heads that hosts noted of that run are compared with these. Null: none are compared.
    std::shared_ptr<const RecordHashes> heads = {};
};

struct Reply {
    enum class Kind { answer, progress, refused, lost };

    RequestId ticket = 0;
    Kind kind = Kind::answer;
    Json body;    // answer, progress
    Error error;  // refused: by the agent, without effect; lost: the outcome is unknown
    std::int64_t asked_ms = 0;  // monotonic
};

class AgentPool {
public:
    static constexpr std::int64_t k_hello_ms_max =
        15'000;  // a connection without a greeting by then is given up
    static constexpr std::int64_t k_reconnect_ms =
        200;  // pause between two attempts to connect to one host
    // A line that was quiet for this long is pinged: while an answer is awaited, and otherwise.
    static constexpr std::int64_t k_quiet_ms = 15'000;
    static constexpr std::int64_t k_idle_ms = 60'000;
    // A line that stayed quiet for this long after a ping is dead. The agent may be writing to a
    // slow disk meanwhile.
    static constexpr std::int64_t k_pong_ms_max = 30'000;
    // A kernel slows or hastens a clock by at most 500 parts in a million, and two clocks are
    // compared.
    static constexpr std::int64_t k_drift_parts = 1'000;
    // A host's clock that gains this much on ours shows that this process or its machine stood
    // still.
    static constexpr std::int64_t k_clock_slip_ms = 1'000;

    // A secret of `secrets` ({NAME: value}) goes only with a probe or action that names it.
    // `transport` and `clock` must outlive this.
    AgentPool(transport::Transport& transport,
              os::Clock& clock,
              std::map<std::string, transport::HostAddress> addresses,
              Identity identity = {},
              Json secrets = Json::Object{});

    // Queues a request. It never fails: trouble comes back as a reply. Without an answer at
    // `deadline_ms` (monotonic) it is lost, or refused if it never left. `begin_by_ms` in it means
    // our monotonic clock and is sent in the host's.
    RequestId submit(const std::string& host, Json request, std::int64_t deadline_ms);
    // Moves the deadline of a request that has no answer yet.
    void extend(const std::string& host, RequestId ticket, std::int64_t deadline_ms);
    // Returns the replies that have come. It waits at most `timeout_ms` for the first and, once one
    // has come, `linger_ms` for more.
    std::vector<Reply> poll(std::int64_t timeout_ms, std::int64_t linger_ms = 0);

    // Makes this conductor the speaker from now on. Every open conversation is fenced and greeted
    // anew; queued requests go out behind that.
    void become(Identity identity);

    // Returns the agent's latest greeting; null before the first.
    [[nodiscard]] const Json& greeting(const std::string& host) const;

    [[nodiscard]] std::vector<std::string> names() const;

    // Returns the epoch since which the host remembers this journal's actions; 0 before it said so.
    // It rises when the host's records are lost.
    [[nodiscard]] std::int64_t remembers_since(const std::string& host) const;

    // Returns why the host could not be asked at the last try; nothing while it answers.
    [[nodiscard]] const std::optional<Error>& trouble(const std::string& host) const;

    // Returns the present clocks of all greeted hosts: milliseconds by boot id.
    [[nodiscard]] Json clocks() const;

    void pass_time(std::int64_t ms) { transport_.wait({}, ms); }

    // Returns why hosts no longer obey this conductor; empty while they do.
    [[nodiscard]] const std::optional<Error>& superseded() const { return superseded_; }

    // Returns the moment (monotonic) at which the clock was last found to have stood still. Facts
    // requested before it may be older than they seem.
    [[nodiscard]] std::int64_t clock_slipped_ms() const { return slipped_ms_; }

private:
    struct Question {
        Json request;
        std::int64_t asked_ms = 0;  // monotonic, like the next
        std::int64_t deadline_ms = 0;
    };

    struct Sent {
        std::int64_t asked_ms = 0;
        std::int64_t deadline_ms = 0;
        std::uint64_t frames_before = 0;  // received on the link when it was sent
    };

    struct Link {
        transport::HostAddress address;
        std::unique_ptr<transport::Conversation> conversation;
        bool ready = false;
        bool has_obeyed = false;       // a fence of this identity held there
        std::int64_t deadline_ms = 0;  // of the greeting
        std::int64_t retry_at_ms = 0;
        std::map<RequestId, Question> queued;  // not yet sent
        std::map<RequestId, Sent> waiting;
        std::uint64_t frames = 0;    // received since it was connected
        std::int64_t heard_ms = 0;   // when a frame came last, or it was connected
        std::int64_t pinged_ms = 0;  // when it was pinged since; 0: not pinged
        // How far the host's monotonic clock was ahead of ours, at least, at `told_ms` of ours. It
        // is empty before the first report.
        std::optional<std::int64_t> ahead_ms;
        std::int64_t told_ms = 0;
        Json greeting;
        std::optional<Error> trouble;
    };

    // Returns how far the host's clock is ahead now, at least.
    [[nodiscard]] std::int64_t clock_offset_now(const Link& link) const;

    static constexpr RequestId k_ping = 3;  // below the numbers of submitted requests

    void connect(Link& link);
    void greet(Link& link);
    void disconnect(Link& link, const Error& error);
    void flush(Link& link);
    void receive(Link& link);
    void take_replies(Link& link, const Json& frame);
    void take_clock(Link& link, const Json& frame);
    void take_fence(Link& link, const Json& frame);
    void take_hello(Link& link, const Json& frame);
    [[nodiscard]] std::optional<Error> find_gone_head(const Json& greeting) const;
    void refuse_greeting(Link& link, const Error& error);
    [[nodiscard]] Json outgoing(const Link& link, RequestId ticket, Question question) const;
    void add_secrets(Json& request) const;
    void hide_secrets(Reply& reply) const;
    [[nodiscard]] Json fence_request(const Link& link) const;
    void fail_all(Link& link, const Error& error, Reply::Kind kind);
    void expire(Link& link);
    void ping(Link& link);
    [[nodiscard]] static std::int64_t ping_due_ms(const Link& link);
    void step(Link& link);
    void step_all();
    [[nodiscard]] std::int64_t due_ms(const Link& link, std::int64_t now_ms) const;

    transport::Transport& transport_;
    os::Clock& clock_;
    std::map<std::string, Link> links_;
    Identity identity_;
    Json secrets_;
    agent::Redactor redactor_;    // of all secrets: an agent hides those that it was given
    RequestId next_ticket_ = 16;  // below: greetings
    std::vector<Reply> replies_;
    std::optional<Error> superseded_;
    std::int64_t slipped_ms_ = 0;
};

[[nodiscard]] std::map<std::string, transport::HostAddress>
addresses_of(const std::map<std::string, model::Host>& hosts);

}  // namespace drydock::executor
