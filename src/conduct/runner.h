// The runner: carries a run forward on real hosts. It decides nothing: run::next() says what to do,
// run::apply() what is known; the runner makes events durable, sends commands to agents, and turns
// answers and time into events.
//
// The order is always the same: events of one turn are applied, made durable in one commit, and
// only then do commands that depend on them leave. One thread; no lock.
#pragma once

#include "conduct/hosts.h"
#include "conduct/judge.h"
#include "journal/journal.h"
#include "model/plan.h"
#include "os/clock.h"
#include "run/event.h"
#include "run/run.h"
#include "run/state.h"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace drydock::conduct {

// Told of what is durable; see app::Observer.
class Listener {
public:
    Listener() = default;
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    virtual ~Listener() = default;
    virtual void on_event(const run::Event& event, const run::State& state) = 0;
    virtual void on_wait(const std::string& what, const run::State& state) = 0;
};

// Where a test ends the process: `before` and `after` the commit of a record, or when its commands
// are `sent`. The record is the n-th, or, for the first two, the first with such an event.
struct Crash {
    std::uint64_t record = 0;  // 0: `event` tells which
    std::string event;         // "run.finished"; empty: `record` does
    std::string where;
};

struct Settings {
    std::string run;
    std::uint64_t epoch = 0;
    std::function<bool()> pause_requested;  // asked about five times a second; may be empty
    Crash crash;
    std::int64_t turn_ms_max = 200;  // the longest wait between two looks at `pause_requested`
    std::shared_ptr<Inquiries> inquiries;  // for one who runs a plan many times; null: its own
};

class Runner {
public:
    // All references must outlive the runner.
    Runner(const model::Plan& plan,
           run::State state,
           journal::Journal& journal,
           Hosts& hosts,
           os::Clock& clock,
           Listener& listener,
           Settings settings);

    // Makes an event durable and applies it. For the events that a person or a start causes.
    Status record(const run::Event& event);

    // Goes on until the run finished, halted, paused, or waits for a person. The state is what
    // state() answers; an error means that the journal could not be written: nothing was sent that
    // is not recorded.
    Status run();

    [[nodiscard]] const run::State& state() const { return state_; }

    // When the soak of each gate began, from the journal; filled by the caller on a resume.
    void set_soak_started(std::size_t action, std::int64_t wall_ms);

private:
    struct InFlight {
        std::size_t action = 0;
        int attempt = 0;
        std::int64_t deadline_ms = 0;
        bool asked = false;  // attach, not exec
    };

    void apply(run::Event event);
    Status commit();
    void send();
    void crash_if(const char* where) const;
    bool carry_out(const run::Command& command);
    void begin(const run::Command& command);
    void ask(const run::Command& command);
    void soak(std::size_t action);
    bool await_soak(std::size_t action);
    [[nodiscard]] bool await_person(const std::vector<run::Command>& commands) const;
    void end(run::EventType type, std::size_t action);
    void turn_time();
    void take_replies();
    void take(const Reply& reply);
    void take_ended(const InFlight& flight, const Json& answer);
    void ask_again(const InFlight& flight);
    [[nodiscard]] Json request_of(const run::Command& command) const;
    void take_trouble(const InFlight& flight, const Reply& reply);
    void give_up_late();
    [[nodiscard]] std::int64_t next_due_ms() const;
    [[nodiscard]] std::int64_t wait_ms() const;
    [[nodiscard]] Json halt_detail(std::size_t index) const;
    void tell_wait(const std::vector<run::Command>& commands);

    const model::Plan& plan_;
    const run::Program program_;
    run::State state_;
    journal::Journal& journal_;
    Hosts& hosts_;
    os::Clock& clock_;
    Listener& listener_;
    Settings settings_;
    run::EventCodec codec_;
    Judge judge_;
    std::vector<run::Event> pending_;    // applied, not yet durable
    std::vector<run::Command> to_send_;  // leave after the commit
    std::map<Ticket, InFlight> in_flight_;
    std::map<std::size_t, std::int64_t> begin_by_;      // monotonic; of what we have sent
    std::set<std::size_t> asking_;                      // actions whose agent is being asked
    std::map<std::size_t, std::int64_t> soak_started_;  // monotonic
    std::map<std::size_t, Json> last_detail_;           // of each action's last failure
    std::uint64_t records_ = 0;
    std::int64_t told_ms_ = 0;
    bool pause_seen_ = false;
    bool ended_ = false;
    std::optional<Error> displaced_;  // a host obeys a later conductor
};

}  // namespace drydock::conduct
