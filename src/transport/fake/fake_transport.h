// FakeTransport: hosts, connections and time in memory, for tests and the simulator.
//
// Behind each connection is a real agent::Session over a FakeHost. Frames take simulated time.
// Connections break, hosts become unreachable, and answers come late, in another order or twice, as
// the Faults decide. wait() moves the clock to the next event and returns when a frame has arrived
// or the time-out is over. Hosts, their actions and frames on their way outlive conversations. So a
// crash of a conductor is the destruction of one and the start of another. Not thread-safe.
#pragma once

#include "agent/session.h"
#include "transport/fake/fake_host.h"
#include "transport/transport.h"

#include <memory>
#include <string>
#include <vector>

namespace drydock::transport {

class FakeTransport final : public Transport {
public:
    // All must outlive the transport.
    FakeTransport(FakeSystem& system, FakeClock& clock, Faults& faults);
    ~FakeTransport() override;

    [[nodiscard]] Result<std::unique_ptr<Conversation>> open(const HostAddress& address) override;
    void wait(const std::vector<Conversation*>& conversations, std::int64_t timeout_ms) override;

    // Runs `callback` at a simulated time, from within a wait().
    void at(std::int64_t at_ms, std::function<void()> callback);

    // Returns the host of that name, made at its first use.
    [[nodiscard]] FakeHost& host(const std::string& name);

    // Parts that host from the network: frames arrive when the partition has ended.
    void partition(const std::string& name, std::int64_t until_ms);
    // Breaks the host's connections; it cannot be reached until `back_ms`.
    void lose(const std::string& name, std::int64_t back_ms);
    // Does the same, and interrupts the actions that run on it.
    void reboot(const std::string& name, std::int64_t back_ms);

    // Calls `passes` when a request reaches its host; if it returns false, the request is lost.
    void on_request(std::function<bool(const std::string& host, const Json& frame)> passes) {
        filter_ = std::move(passes);
    }

    [[nodiscard]] std::uint64_t frames() const { return frames_; }

private:
    struct Channel;
    class FakeConversation;

    struct TimedEvent {
        std::int64_t at_ms;
        std::uint64_t order;  // events of one time come in the order of planning
        std::function<void()> callback;

        bool operator<(const TimedEvent& event) const {
            return at_ms != event.at_ms ? at_ms > event.at_ms : order > event.order;
        }
    };

    struct HostState {
        std::unique_ptr<FakeHost> host;
        std::vector<std::weak_ptr<Channel>> channels;
        std::int64_t away_until_ms = 0;
        std::int64_t partitioned_until_ms = 0;
        bool tick_planned = false;
    };

    [[nodiscard]] HostState& state_of(const std::string& name);
    void send(const std::shared_ptr<Channel>& channel, const Json& frame);
    void deliver_late(const std::shared_ptr<Channel>& channel, const Json& frame);
    void maybe_hang(Channel& channel, const Json& frame);
    void maybe_partition(const std::string& name, const Json& frame);
    void reach_host(const std::shared_ptr<Channel>& channel, const Json& frame);
    void answer(const std::shared_ptr<Channel>& channel, const Json& frame);
    void deliver(const std::shared_ptr<Channel>& channel, const Json& frame, std::int64_t after_ms);
    void tick(const std::string& name);
    void run_events_until(std::int64_t now_ms);
    void break_off(Channel& channel);
    [[nodiscard]] std::int64_t healed_ms(const std::string& name);

    FakeSystem& system_;
    FakeClock& clock_;
    Faults& faults_;
    std::map<std::string, HostState> host_states_;
    std::vector<TimedEvent> event_queue_;  // a heap: the next event is at the front
    std::uint64_t order_ = 0;
    std::uint64_t frames_ = 0;
    std::uint64_t arrived_ = 0;
    std::function<bool(const std::string& host, const Json& frame)> filter_;  // empty: all do
};

}  // namespace drydock::transport
