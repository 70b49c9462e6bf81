// Start here: RunSession, then runner.h (the loop), condition_poller.h (conditions), facts_reader.h
// (readings of facts), agent_pool.h (conversations with agents). Beside them stand run_history.h
// and noted_heads_check.h (the run as its journal has it), work_on_hosts.h and host_ownership.h
// (other work, other owners), drift_check.h and gate_approval.h.
//
// RunSession is everything that one process does with a run. It takes the lease, replays the
// journal, fences the hosts, looks for work under way, and compares the facts with the expected
// ones. Then it goes on, pauses, aborts, or hands over to the downgrade. The program uses it on
// real hosts, the simulator on simulated ones. docs/design/0005-the-run-session.md has the reasons.
//
// A session holds the run's lease from take() or begin() until it is destroyed. Each step makes its
// events durable before the next begins. It has one thread.
#pragma once

#include "executor/agent_pool.h"
#include "executor/run_history.h"
#include "executor/runner.h"
#include "executor/work_on_hosts.h"
#include "run/expected_facts.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace drydock::executor {

// The interfaces that a session works with. All of them must outlive it.
struct SessionPorts {
    journal::Journal& journal;
    transport::Transport& transport;
    os::Clock& clock;
    run::Observer& observer;
};

struct SessionSettings {
    journal::Holder holder;
    std::string user;  // for people
    std::string boot_id;
    std::map<std::string, transport::HostAddress> addresses;
    Json secrets = Json::Object{};
    bool take_over = false;              // displaces another journal that holds the hosts
    std::vector<std::string> approvals;  // gates that are approved when they open
    CrashPoint crash;
    std::int64_t wait_ms_max = 200;
    std::shared_ptr<ReadPlanCache> inquiries;
    std::string digest;  // of the plan; empty: not computed yet
    Audit audit = {};    // may be empty
};

// The reasons against the first write.
struct Obstacle {
    std::vector<run::Drift> drift;  // facts that differ from the expected ones
    std::optional<Error> error;     // anything else

    [[nodiscard]] bool is_there() const { return error.has_value() || !drift.empty(); }
};

class RunSession {
public:
    RunSession(const model::Plan& plan, SessionPorts ports, SessionSettings settings);
    ~RunSession();
    RunSession(const RunSession&) = delete;
    RunSession& operator=(const RunSession&) = delete;

    // Checks, without lease or fence, that the plan may begin: no other owner holds its hosts, no
    // work is under way there, and the facts are as planned. Changes nothing.
    [[nodiscard]] Obstacle look_before_begin();
    // Returns the facts that have moved since the run stopped. Changes nothing.
    [[nodiscard]] Obstacle look_before_resume();

    // Begins the run. One commit creates it, takes its lease, and closes the run that it takes
    // back. `follows` is the newest run of the journal at planning time; empty: not checked.
    // Errors: those of Journal::begin_run().
    Status begin(const Json& created_detail, const std::string& follows = {});

    // Takes the lease of an existing run and replays the run. Errors: journal.lease.held,
    // journal.run.over, those of read_history().
    Status take();

    // Runs to the end, a gate, a pause, a halt, or a requested abort. Facts that moved are recorded
    // as drift.found and returned by obstacle(); nothing else was written then.
    Status conduct();

    // Prepares the downgrade of this run. Waits for the end of work in flight, gives out no new
    // work, and refuses requests to stop meanwhile. Afterwards the run is paused or finished, or
    // halted if an outcome stays unknown. obstacle() returns work that is still under way.
    Status drain_for_downgrade();

    // Drains the run, then ends it unless it has finished. If a host does not report its work, the
    // run is not ended and obstacle() says so; `give_up_hosts` ends it all the same.
    Status abort(bool give_up_hosts);

    // Ends the conversations with the hosts and keeps the lease. It serves a run that is over, when
    // this process prepares the next one.
    void close_hosts();

    // Records a person's event while no conductor runs.
    Status record(const run::Event& event);

    [[nodiscard]] const Obstacle& obstacle() const { return obstacle_; }

    [[nodiscard]] const RunHistory& history() const { return history_; }

    // Returns the head behind the last durable record.
    [[nodiscard]] const journal::Head& head() const {
        return runner_ ? runner_->head() : history_.head;
    }

    // Returns the current state of the run.
    [[nodiscard]] const run::State& state() const;

private:
    [[nodiscard]] Identity identity(std::uint64_t epoch) const;
    [[nodiscard]] Identity onlooker() const;
    [[nodiscard]] std::string digest() const;
    void open_hosts(std::uint64_t epoch);
    void make_runner();
    Status start();
    Status drain(const std::string& purpose);
    Status conduct_run();
    Status end_aborted(const journal::Request& request);
    Status stop_at_drift(std::vector<run::Drift> drift);
    Status stop_at(const Error& error);
    [[nodiscard]] drydock::Status read_leases();
    [[nodiscard]] drydock::Status take_over_journal();
    [[nodiscard]] bool is_untouched() const;
    [[nodiscard]] bool is_own(const AttemptOnHost& work) const;
    [[nodiscard]] bool is_adopted(const AttemptOnHost& work) const;
    [[nodiscard]] std::int64_t wait_limit_ms() const;
    [[nodiscard]] WorkReport await_foreign_work(const WorkReport& first);
    [[nodiscard]] WorkReport ask_silent_hosts(WorkReport report);
    [[nodiscard]] WorkReport await_all_work();
    [[nodiscard]] bool tell_wait(const AttemptOnHost& work);
    [[nodiscard]] static std::optional<Error> find_silent_host(const WorkReport& report);
    [[nodiscard]] Status compare(std::vector<run::Drift>& drift);
    [[nodiscard]] std::optional<Error> find_refusing_host() const;
    [[nodiscard]] std::optional<Error> find_other_owner() const;
    [[nodiscard]] std::optional<Error> find_work_left(const WorkReport& report) const;
    [[nodiscard]] drydock::Status record_aborted(const std::string& person);
    [[nodiscard]] std::optional<std::size_t> find_approved_gate() const;
    void restore_soaks();

    const model::Plan& plan_;
    SessionPorts ports_;
    SessionSettings settings_;
    std::shared_ptr<ReadPlanCache> inquiries_;
    std::uint64_t epoch_ = 0;
    std::vector<agent::LeaseMark> leases_;   // given by the journal
    bool is_new_ = false;                    // begun by this session
    std::optional<std::int64_t> looked_ms_;  // when the facts were read before the begin, monotonic
    RunHistory history_;
    std::shared_ptr<RecordHashes>
        heads_;  // of all records of the run; null before it is read or begun
    std::vector<journal::Request> stale_requests_;  // open when the lease was taken
    Obstacle obstacle_;
    std::unique_ptr<AgentPool> hosts_;
    std::unique_ptr<Runner> runner_;
};

}  // namespace drydock::executor
