// Runner carries a run forward on real hosts. It decides nothing: run::next() returns the commands,
// run::apply() the new state. The runner makes events durable, sends commands to agents, and turns
// replies and the passage of time into events.
//
// The order never varies. Events of one turn are applied and made durable in one commit; commands
// that depend on them leave only after that commit. The runner has one thread and no lock.
#pragma once

#include "base/rate_meter.h"
#include "executor/agent_pool.h"
#include "executor/condition_poller.h"
#include "executor/noted_heads_check.h"
#include "executor/run_history.h"
#include "journal/journal.h"
#include "model/plan.h"
#include "os/clock.h"
#include "run/event.h"
#include "run/observer.h"
#include "run/run.h"
#include "run/state.h"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace drydock::executor {

// A test's order to end the process: `before` or `after` the commit of a record, or when its
// commands are `sent`. `record` counts from 1. For the first two, `event` may name the record
// instead: the first that holds such an event.
struct CrashPoint {
    std::uint64_t record = 0;  // 0: `event` names the record
    std::string event;         // "run.finished"; empty: `record` names it
    std::string moment;
};

// Ends the process if `crash` names this record and this moment.
void crash_at(const CrashPoint& crash,
              std::uint64_t record,
              const std::vector<run::Event>& events,
              std::string_view moment);

// Added to an action's own limit before the conductor stops waiting for the agent's result.
inline constexpr std::int64_t k_answer_grace_ms = 20'000;
// The shortest time between two records of one action's progress.
inline constexpr std::int64_t k_record_progress_ms = 30'000;
// A wait that lasts for less is in no record.
inline constexpr std::int64_t k_record_wait_ms = 3'000;
// The rate of a command that tells none is that of the last minute.
inline constexpr std::int64_t k_rate_window_ms = 60'000;

// Gets each durable event with the head of its record, for a log outside of the journal.
using Audit = std::function<void(const run::Event&, const journal::Head&)>;

struct Settings {
    std::string run;
    journal::Head head;                    // the next record follows it
    std::shared_ptr<RecordHashes> heads;   // of all records; null: none are kept
    std::string boot_id;                   // of this machine: clocks of one boot are comparable
    std::map<std::size_t, Json> failures;  // of earlier conductors: see RunHistory
    BeginEpochs begin_epochs;              // of earlier conductors, too
    std::int64_t epoch = 0;                // of this conductor
    CrashPoint crash;
    std::uint64_t records = 0;                 // written by this process so far
    std::int64_t turn_ms_max = 200;            // the longest wait between two looks at requests
    std::shared_ptr<ReadPlanCache> inquiries;  // of the plan; null: none is shared
    Audit audit = {};                          // may be empty
};

// Returns the word for a phase in journals and lists.
[[nodiscard]] journal::RunState run_state_of(run::Phase phase);

class Runner {
public:
    // All references must outlive the runner.
    Runner(const model::Plan& plan,
           run::State state,
           journal::Journal& journal,
           AgentPool& hosts,
           os::Clock& clock,
           run::Observer& observer,
           Settings settings);

    // Applies an event and makes it durable. It serves events that a person or a start causes.
    Status record(const run::Event& event);

    // Answers a request with a refusal and its reason.
    Status refuse(const journal::Request& request, const std::string& reason);

    // Stops giving out new work; run() returns once everything in flight has ended. If `purpose` is
    // set ("the run is being taken back"), requests to stop are refused meanwhile.
    void drain(std::string purpose = {});

    // Runs until the run has finished, halted or paused, or waits for a person; state() returns the
    // result. An error means that the journal could not be written. No command has left without its
    // record then.
    Status run();

    [[nodiscard]] const run::State& state() const { return state_; }

    // Returns a request to abort that came while the run went on. The run is drained by then, and
    // the caller ends it.
    [[nodiscard]] const std::optional<journal::Request>& abort_request() const {
        return abort_request_;
    }

    // True if the action's host has lost its records since the action began. An action that such a
    // host calls never begun may have happened, or may be under way still.
    [[nodiscard]] bool is_forgotten(std::size_t action) const;

    // Sets when the soak of a gate began, by the detail of soak.started. Callers use it on a
    // resume.
    void set_soak_started(std::size_t action, const Json& detail);

    [[nodiscard]] const journal::Head& head() const { return settings_.head; }

private:
    // The result of a guard that held: its command must begin before the guard's facts grow old.
    struct Permission {
        std::int64_t judged_ms = 0;  // monotonic, like the next
        std::int64_t until_ms = 0;
    };

    struct InFlight {
        std::size_t action = 0;
        int attempt = 0;
        std::int64_t deadline_ms = 0;
        bool is_attach = false;        // attach, not exec
        std::int64_t running_ms = -1;  // when the agent last reported it running; -1: never
    };

    // The progress reports of an action in flight.
    struct Progress {
        Json latest;    // the latest report, with a rate
        Json recorded;  // the report that the journal has
        RateMeter meter = RateMeter(k_rate_window_ms);
        std::int64_t record_ms = 0;  // monotonic: the next record is not due before
        std::int64_t wait_ms = 0;    // monotonic: since when the latest `waits` is told
    };

    // A request to an agent to end an attempt early, for a pause or an abort.
    struct Cancellation {
        int attempt = 0;
        RequestId ticket = 0;      // of the request; 0: none is open
        bool is_answered = false;  // the agent has cancelled it, or never will
        std::int64_t ask_ms = 0;   // monotonic: the next request is not due before
    };

    void apply(run::Event event);
    Status commit();
    Status append(const journal::Entry& entry);
    [[nodiscard]] journal::Entry entry_of(const std::vector<run::Event>& events) const;
    [[nodiscard]] bool send();
    void send_one(const run::Command& command);
    [[nodiscard]] bool has_lapsed(const run::Command& command) const;
    void take_judgement(Judgement judgement);
    void crash_if(std::string_view moment) const;
    bool dispatch(const run::Command& command);
    void begin(const run::Command& command);
    void submit(const run::Command& command);
    void soak(std::size_t action);
    bool await_soak(std::size_t action);
    [[nodiscard]] bool await_person(const std::vector<run::Command>& commands) const;
    void end(run::EventType type, std::size_t action);
    Status take_requests();
    void take_request(const journal::Request& request);
    void take_approval(const journal::Request& request);
    void note(const journal::Request& request, const std::string& answer);
    bool accept_new_work();
    void take_replies();
    void on_reply(const Reply& reply);
    void on_result(const InFlight& flight, const Json& answer);
    void submit_again(const InFlight& flight);
    void await_end(RequestId ticket, const InFlight& flight);
    void on_progress(RequestId ticket, InFlight& flight, const Json& body);
    [[nodiscard]] static bool is_record_due(const Progress& progress, std::int64_t now_ms);
    void cancel_in_flight();
    void take_cancellation(const Reply& reply);
    [[nodiscard]] Json detail_of_end(const InFlight& flight, const Json& result);
    [[nodiscard]] std::string cancelled_words(std::size_t action) const;
    [[nodiscard]] Json pause_detail() const;
    [[nodiscard]] Json finish_detail();
    [[nodiscard]] Json request_of(const run::Command& command) const;
    void on_failed_reply(const InFlight& flight, const Reply& reply);
    [[nodiscard]] std::int64_t next_due_ms() const;
    [[nodiscard]] std::int64_t wait_ms() const;
    [[nodiscard]] Json halt_detail(std::size_t index) const;
    [[nodiscard]] Json unreached_detail(std::size_t index) const;
    void report_wait(const std::vector<run::Command>& commands);

    const model::Plan& plan_;
    const run::Program program_;
    run::State state_;
    journal::Journal& journal_;
    AgentPool& hosts_;
    os::Clock& clock_;
    run::Observer& observer_;
    Settings settings_;
    run::EventCodec codec_;
    ConditionPoller judge_;
    std::vector<run::Event> pending_;    // applied, not yet durable
    std::vector<run::Command> to_send_;  // leave after the commit
    std::map<RequestId, InFlight> in_flight_;
    std::map<std::size_t, Progress> progress_;           // by action
    std::map<std::size_t, Cancellation> cancellations_;  // by action
    std::map<std::size_t, Json> cancelled_;          // by action: evidence of the cancelled attempt
    std::map<std::size_t, Permission> permissions_;  // by judged or sent action
    std::set<std::size_t> asking_;                   // actions with an attach request in flight
    std::map<std::size_t, std::int64_t> soak_started_;  // monotonic
    std::map<std::size_t, Json> failures_;              // by action: why its last attempt failed
    std::vector<journal::RequestAnswer> answers_;       // given with the next record
    std::vector<std::uint64_t> waiting_requests_;       // answered once the run has stopped
    std::set<std::uint64_t> heard_requests_;
    std::optional<journal::Request> abort_request_;
    std::string drained_for_;  // empty: a plain stop
    std::uint64_t records_ = 0;
    std::int64_t told_ms_ = 0;
    std::int64_t requests_due_ms_ = 0;
    run::Phase recorded_ = run::Phase::created;  // as lists show it
    bool waits_for_person_ = false;              // and for nothing else
    bool ended_ = false;
};

}  // namespace drydock::executor
