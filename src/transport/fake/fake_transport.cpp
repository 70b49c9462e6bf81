// FakeTransport: an event queue in simulated time, and the faults of a network.
//
// Every delay is an event: a frame on its way, a tick of a host, the end of a hang. wait() takes
// events in order of time, and of planning within one time, so a seed always gives the same run.
// Nothing happens outside of wait().
//
// Four faults can hit a request, in this order: the network parts; the connection breaks; the
// agent hangs; the request comes late on a dead connection. An answer can be lost, late, or
// doubled. A channel outlives its conversation, because frames on their way do.
#include "transport/fake/fake_transport.h"

#include "base/coverage_mark.h"

#include <algorithm>

namespace drydock::transport {

namespace {

constexpr std::int64_t k_trip_ms = 1;         // one way
constexpr std::int64_t k_late_ms_max = 8000;  // of a late answer
constexpr std::int64_t k_outlived_ms_max = 20'000;
constexpr std::int64_t k_away_ms_max = 30'000;
constexpr std::int64_t k_boot_ms_min = 5'000;
constexpr std::int64_t k_boot_ms_max = 40'000;
constexpr std::int64_t k_cut_ms_max = 120'000;  // longer than a conductor waits for an answer
constexpr std::int64_t k_hang_ms_max = 20'000;
constexpr std::int64_t k_never_ms = 1'000'000'000;

}  // namespace

// Both ends of one connection. It outlives the conversation while frames are on their way.
struct FakeTransport::Channel {
    Channel(std::string host_name, FakeHost& host, FakeClock& clock)
        : name(std::move(host_name))
        , session(host, clock) {}

    std::string name;
    agent::Session session;
    std::vector<Json> inbox;
    std::uint64_t sent = 0;          // answers
    std::uint64_t last_arrived = 0;  // the latest of them that has arrived
    std::int64_t hangs_until_ms = 0;
    bool broken = false;
};

class FakeTransport::FakeConversation final : public Conversation {
public:
    FakeConversation(FakeTransport& transport, std::shared_ptr<Channel> channel)
        : transport_(transport)
        , channel_(std::move(channel)) {}

    [[nodiscard]] Status send(const Json& frame) override {
        transport_.send(channel_, frame);
        return {};
    }

    [[nodiscard]] Result<std::vector<Json>> receive() override {
        if (channel_->inbox.empty() && channel_->broken) {
            return fail("transport.lost",
                        "the connection broke",
                        "it is tried again",
                        ErrorClass::transient);
        }
        return std::exchange(channel_->inbox, {});
    }

    [[nodiscard]] int descriptor() const override { return -1; }

    [[nodiscard]] bool wants_write() const override { return false; }

private:
    FakeTransport& transport_;
    std::shared_ptr<Channel> channel_;
};

FakeTransport::FakeTransport(FakeSystem& system, FakeClock& clock, Faults& faults)
    : system_(system)
    , clock_(clock)
    , faults_(faults) {
}

FakeTransport::~FakeTransport() = default;

// Returns the state of a host, made at its first use. Wake-ups at one moment are merged into one
// tick.
FakeTransport::HostState& FakeTransport::state_of(const std::string& name) {
    HostState& host_state = host_states_[name];
    if (!host_state.host) {
        host_state.host = std::make_unique<FakeHost>(
            name,
            system_,
            clock_,
            faults_,
            [this](std::int64_t at_ms, std::function<void()> callback) {
                at(at_ms, std::move(callback));
            },
            [this, name, &host_state] {
                if (!std::exchange(host_state.tick_planned, true)) {
                    at(clock_.monotonic_ms(), [this, name] { tick(name); });
                }
            },
            [this, name] {
                reboot(name, clock_.monotonic_ms() + faults_.between(k_boot_ms_min, k_boot_ms_max));
            });
    }
    return host_state;
}

FakeHost& FakeTransport::host(const std::string& name) {
    return *state_of(name).host;
}

Result<std::unique_ptr<Conversation>> FakeTransport::open(const HostAddress& address) {
    HostState& host_state = state_of(address.name);
    if (faults_.should_inject(Fault::host_away)) {
        host_state.away_until_ms = clock_.monotonic_ms() + faults_.between(1000, k_away_ms_max);
    }
    auto channel = std::make_shared<Channel>(address.name, *host_state.host, clock_);
    channel->broken = clock_.monotonic_ms() < host_state.away_until_ms;
    ++arrived_;  // a broken connection is something to look at
    std::erase_if(host_state.channels,
                  [](const auto& weak_channel) { return weak_channel.expired(); });
    host_state.channels.push_back(channel);
    return std::make_unique<FakeConversation>(*this, std::move(channel));
}

// Plans an event; a time that is past means now. The number keeps events of one time in order.
void FakeTransport::at(std::int64_t at_ms, std::function<void()> callback) {
    event_queue_.push_back({std::max(at_ms, clock_.monotonic_ms()), ++order_, std::move(callback)});
    std::push_heap(event_queue_.begin(), event_queue_.end());
}

// Breaks a connection. That counts as an arrival, since the conversation must notice.
void FakeTransport::break_off(Channel& channel) {
    channel.broken = true;
    ++arrived_;  // something to look at
}

// Returns the time at which the network leads to the host: now, or the end of its partition.
std::int64_t FakeTransport::healed_ms(const std::string& name) {
    return std::max(state_of(name).partitioned_until_ms, clock_.monotonic_ms());
}

void FakeTransport::partition(const std::string& name, std::int64_t until_ms) {
    state_of(name).partitioned_until_ms = until_ms;
}

void FakeTransport::lose(const std::string& name, std::int64_t back_ms) {
    HostState& host_state = state_of(name);
    host_state.away_until_ms = back_ms;
    for (const auto& weak_channel : host_state.channels) {
        if (const auto channel = weak_channel.lock()) {
            break_off(*channel);
        }
    }
}

void FakeTransport::reboot(const std::string& name, std::int64_t back_ms) {
    lose(name, std::max(state_of(name).away_until_ms, back_ms));
    host(name).reboot();
}

void FakeTransport::send(const std::shared_ptr<Channel>& channel, const Json& frame) {
    ++frames_;
    maybe_partition(channel->name, frame);
    at(healed_ms(channel->name) + k_trip_ms,
       [this, channel, frame] { reach_host(channel, frame); });
}

// Delivers a request although its connection broke, as a network may. It is lost if the host
// reboots before that. Its answer reaches no one.
void FakeTransport::deliver_late(const std::shared_ptr<Channel>& channel, const Json& frame) {
    const int boots = host(channel->name).boots();
    const std::int64_t late = faults_.between(k_trip_ms, k_outlived_ms_max);
    at(healed_ms(channel->name) + late, [this, channel, frame, boots] {
        if (host(channel->name).boots() == boots) {
            (void)channel->session.handle(frame);
        }
    });
}

// Parts the network only around `exec`: there a lost request or answer hurts most. It is called on
// the way to the host and again on the way back.
void FakeTransport::maybe_partition(const std::string& name, const Json& frame) {
    if (frame["do"].as_string() == "exec" && faults_.should_inject(Fault::host_cut)) {
        partition(name, clock_.monotonic_ms() + faults_.between(1'000, k_cut_ms_max));
    }
}

// Delivers a request to the agent, or lets a fault strike first. An `exec` with a limit plans a
// tick after it: the answer "never begun" is ready only then.
void FakeTransport::reach_host(const std::shared_ptr<Channel>& channel, const Json& frame) {
    if (filter_ && !filter_(channel->name, frame)) {
        return;
    }
    if (channel->broken || faults_.should_inject(Fault::request_lost)) {
        break_off(*channel);
        return;
    }
    maybe_hang(*channel, frame);
    if (const std::int64_t until = channel->hangs_until_ms; until > clock_.monotonic_ms()) {
        at(until, [this, channel, frame] { reach_host(channel, frame); });
        return;
    }
    const bool exec = frame["do"].as_string() == "exec";
    if (exec && faults_.should_inject(Fault::request_late)) {
        break_off(*channel);
        deliver_late(channel, frame);
        return;
    }
    maybe_partition(channel->name, frame);
    for (const Json& reply : channel->session.handle(frame)) {
        answer(channel, reply);
    }
    if (frame["begin_by_ms"].is_integer()) {
        at(frame["begin_by_ms"].as_int() + 1, [this, name = channel->name] { tick(name); });
    }
}

// Stops the agent behind this connection for a while, or for ever. Another connection leads to
// another agent.
void FakeTransport::maybe_hang(Channel& channel, const Json& frame) {
    const std::string& verb = frame["do"].as_string();
    const bool greets = verb == "hello" || verb == "fence";
    if (faults_.should_inject(greets ? Fault::connect_slow : Fault::agent_hangs)) {
        COVERAGE_MARK("network: an agent hangs");
        const bool for_ever = faults_.between(0, 3) == 0;
        channel.hangs_until_ms =
            clock_.monotonic_ms() + (for_ever ? k_never_ms : faults_.between(1, k_hang_ms_max));
    }
}

// Sends an answer back: in time, late, twice, or not at all.
void FakeTransport::answer(const std::shared_ptr<Channel>& channel, const Json& frame) {
    if (faults_.should_inject(Fault::answer_lost)) {
        break_off(*channel);
        return;
    }
    std::int64_t trip = k_trip_ms;
    if (faults_.should_inject(Fault::answer_late)) {
        trip = faults_.between(k_trip_ms, k_late_ms_max);
    }
    deliver(channel, frame, trip);
    if (faults_.should_inject(Fault::answer_twice)) {
        deliver(channel, frame, trip + faults_.between(0, k_late_ms_max));
    }
}

// Plans the arrival of an answer. Answers may overtake each other, which the coverage mark counts.
void FakeTransport::deliver(const std::shared_ptr<Channel>& channel,
                            const Json& frame,
                            std::int64_t after_ms) {
    const std::uint64_t number = ++channel->sent;
    at(healed_ms(channel->name) + after_ms, [this, channel, frame, number] {
        if (!channel->broken) {
            if (number < channel->last_arrived) {
                COVERAGE_MARK("network: an answer comes after a later one");
            }
            channel->last_arrived = std::max(channel->last_arrived, number);
            channel->inbox.push_back(frame);
            ++arrived_;
        }
    });
}

// Lets every session of a host send the answers that have become ready. A session that hangs ticks
// when its hang ends.
void FakeTransport::tick(const std::string& name) {
    HostState& host_state = host_states_.at(name);
    host_state.tick_planned = false;
    const auto channels = host_state.channels;
    for (const auto& weak_channel : channels) {
        const auto channel = weak_channel.lock();
        if (!channel || channel->broken) {
            continue;
        }
        if (channel->hangs_until_ms > clock_.monotonic_ms()) {
            at(channel->hangs_until_ms, [this, name] { tick(name); });
            continue;
        }
        for (const Json& frame : channel->session.tick()) {
            answer(channel, frame);
        }
    }
}

// Runs all events until that time, also events that another event plans.
void FakeTransport::run_events_until(std::int64_t now_ms) {
    clock_.advance_to(now_ms);
    while (!event_queue_.empty() && event_queue_.front().at_ms <= now_ms) {
        std::pop_heap(event_queue_.begin(), event_queue_.end());
        const auto callback = std::move(event_queue_.back().callback);
        event_queue_.pop_back();
        callback();
    }
}

// Runs events until a frame has arrived or the time is over. Each step goes to the next event, so
// the clock never passes an arrival.
void FakeTransport::wait(const std::vector<Conversation*>& conversations, std::int64_t timeout_ms) {
    const std::int64_t end = clock_.monotonic_ms() + std::max<std::int64_t>(timeout_ms, 0);
    const auto has_come = [&] { return !conversations.empty() && arrived_ > 0; };
    while (!has_come() && !event_queue_.empty() && event_queue_.front().at_ms <= end) {
        run_events_until(event_queue_.front().at_ms);
    }
    if (!has_come()) {
        clock_.advance_to(end);
    }
    arrived_ = 0;
}

}  // namespace drydock::transport
