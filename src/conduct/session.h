// Start here: RunSession, then runner.h (the loop), judge.h (conditions), hosts.h (conversations).
//
// RunSession: all that one process does with a run. It takes the lease, replays the journal, fences
// the hosts, looks for work that is under way, compares the world with what the run expects, goes
// on, pauses, aborts, or hands over to the way back. Whoever conducts uses it: the program on real
// hosts and the simulator on simulated ones.
//
// A session holds the run's lease from take() or begin() until it is destroyed or released. Every
// step makes its events durable before the next. One thread.
#pragma once

#include "conduct/history.h"
#include "conduct/hosts.h"
#include "conduct/runner.h"
#include "conduct/work.h"
#include "run/world.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace drydock::conduct {

// What a session works with; all must outlive it.
struct SessionPorts {
    journal::Journal& journal;
    transport::Transport& transport;
    os::Clock& clock;
    Listener& listener;
};

struct SessionSettings {
    journal::Holder holder;
    std::string user;  // for people
    std::string boot_id;
    std::map<std::string, transport::HostAddress> addresses;
    Json secrets = Json::Object{};
    bool take_over = false;              // displaces another journal that holds the hosts
    std::vector<std::string> approvals;  // gates that are approved when they open
    Crash crash;
    std::int64_t turn_ms_max = 200;
    std::shared_ptr<Inquiries> inquiries;
    std::string digest;  // of the plan, if it is known already
};

// What stood in the way before the first write.
struct Obstacle {
    std::vector<run::Drift> drift;  // the world moved
    std::optional<Error> error;     // anything else

    [[nodiscard]] bool is_there() const { return error.has_value() || !drift.empty(); }
};

class RunSession {
public:
    RunSession(const model::Plan& plan, SessionPorts ports, SessionSettings settings);
    ~RunSession();
    RunSession(const RunSession&) = delete;
    RunSession& operator=(const RunSession&) = delete;

    // Looks, without a lease and without a fence, whether the plan may begin: nobody else holds its
    // hosts, no work is under way there, and the world is as it was planned. Changes nothing.
    [[nodiscard]] Obstacle look_before_begin();
    // The same for a run that goes on: what moved since. Changes nothing.
    [[nodiscard]] Obstacle look_before_resume();

    // Begins the run: one commit makes it, takes its lease, and closes the run that it takes back.
    // `follows`: the newest run of the journal as the plan was made; empty: not looked at.
    // Errors: those of Journal::begin_run().
    Status begin(const Json& created_detail, const std::string& follows = {});

    // Takes the lease of the run that is there and replays it. Errors: journal.lease.held,
    // journal.run.over, those of read_history().
    Status take();

    // From here to the end, a gate, a pause, a halt, or an abort that was asked for. What moved is
    // recorded as drift.found and told in obstacle(): then nothing else was written.
    Status conduct();

    // Lets what is in flight end and gives out nothing new; people's requests to stop are refused
    // meanwhile with `purpose`. Afterwards the run is paused or finished, or halted where nobody
    // could tell what became of something; obstacle() tells what is under way still.
    Status drain(const std::string& purpose);

    // Drains, then ends the run, unless it has finished by then. Where a host does not tell what is
    // under way, the run is not ended and obstacle() says so; with `give_up_hosts` it is.
    Status abort(bool give_up_hosts);

    // Ends the conversations with the hosts and keeps the lease. For a run that is over, whose
    // conductor prepares the next one.
    void close_hosts();

    // Records what a person says while nobody conducts.
    Status record(const run::Event& event);

    [[nodiscard]] const Obstacle& obstacle() const { return obstacle_; }

    [[nodiscard]] const RunHistory& history() const { return history_; }

    // Of the last record that is durable.
    [[nodiscard]] const journal::Head& head() const {
        return runner_ ? runner_->head() : history_.head;
    }

    // The state of the run now.
    [[nodiscard]] const run::State& state() const;

private:
    [[nodiscard]] Identity identity(std::uint64_t epoch) const;
    [[nodiscard]] Identity onlooker() const;
    [[nodiscard]] std::string digest() const;
    void open_hosts(std::uint64_t epoch);
    void make_runner();
    Status start();
    Status conduct_run();
    Status end_aborted(const journal::Request& request);
    Status stop_at_drift(std::vector<run::Drift> drift);
    Status stop_at(const Error& error);
    [[nodiscard]] drydock::Status read_leases();
    [[nodiscard]] drydock::Status take_over_journal();
    [[nodiscard]] bool is_untouched() const;
    [[nodiscard]] bool is_own(const HostWork& work) const;
    [[nodiscard]] bool is_adopted(const HostWork& work) const;
    [[nodiscard]] std::int64_t wait_limit_ms() const;
    [[nodiscard]] WorkReport await_foreign_work(const WorkReport& first);
    [[nodiscard]] WorkReport ask_silent_hosts(WorkReport report);
    [[nodiscard]] WorkReport await_all_work();
    [[nodiscard]] bool tell_wait(const HostWork& work);
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
    std::shared_ptr<Inquiries> inquiries_;
    std::uint64_t epoch_ = 0;
    std::vector<agent::LeaseMark> leases_;   // that the journal gave
    bool is_new_ = false;                    // begun by this session
    std::optional<std::int64_t> looked_ms_;  // when the world was read before it began, monotonic
    RunHistory history_;
    std::shared_ptr<RunHeads> heads_;  // of all records of the run; null before it is read or begun
    std::vector<journal::Request> stale_requests_;  // open when the lease was taken
    Obstacle obstacle_;
    std::unique_ptr<Hosts> hosts_;
    std::unique_ptr<Runner> runner_;
};

}  // namespace drydock::conduct
