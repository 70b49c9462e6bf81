// The use cases of drydock, one function each; the one folder that names implementations (SQLite
// journal, local transport). The command line and, later, the server only call these and show what
// they answer.
//
// Answers are plain data. A Failure carries everything that stands in the way at once, and the exit
// code that scripts see.
#pragma once

#include "base/diagnostics.h"
#include "base/result.h"
#include "checker/checker.h"
#include "journal/journal.h"
#include "model/cluster.h"
#include "model/fact.h"
#include "model/pack.h"
#include "model/plan.h"
#include "planner/planner.h"
#include "run/event.h"
#include "run/state.h"
#include "run/world.h"
#include "sim/replay.h"
#include "sim/simulate.h"

#include <tl/expected.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace drydock::app {

// Exit codes, documented in docs/commands.md.
inline constexpr int k_exit_done = 0;
inline constexpr int k_exit_no = 1;       // refused, a check failed, it differs
inline constexpr int k_exit_usage = 2;    // wrong use or input
inline constexpr int k_exit_waiting = 3;  // waits for a person: a gate, a pause
inline constexpr int k_exit_halted = 4;   // halted, needs attention
inline constexpr int k_exit_moved = 5;    // the world moved

struct Failure {
    int exit_code = k_exit_no;
    std::vector<Error> errors;
    Diagnostics diagnostics;           // of input files
    std::vector<run::Drift> drift;     // exit code 5: what moved
    std::vector<model::WayBack> left;  // a way back that is closed: what is left to do
};

template <class T>
using Answer = tl::expected<T, Failure>;

// What is done about a file that would execute what is not known here (docs/security.md).
enum class Trust : std::uint8_t {
    ask,        // by Options::ask; refused without one
    remember,   // yes, and from now on
    this_time,  // yes, and nothing is remembered
};

struct Options {
    std::string cluster_file;
    std::string program;  // path of the running drydock; agents on this machine are started from it
    bool dry_run = false;
    std::string plan_file;  // apply: where the plan was read from; looked at again on resume
    // Gates that are approved when they open; the run then goes on at once. "GATE" is one of the
    // first run that is conducted, "VERSION:GATE" one of the run that leads to that version.
    std::vector<std::string> approvals;
    std::string unproved;     // apply: why a plan is run whose check failed or is missing
    std::string policy_file;  // apply: the cluster file whose policy holds; empty: the plan's own
    std::string signed_by;    // apply: who signed the plan, once that is verified
    bool take_over = false;   // displaces another journal that holds the hosts
    bool give_up_hosts = false;  // abort: also where a host does not tell what is under way
    std::string back_to;  // downgrade: no further than this version; empty: as far as it goes
    Trust trust = Trust::ask;
    // Asks a person about a file and what it would execute; true for yes. May be empty.
    std::function<bool(const std::string& file, const std::vector<std::string>& executed)> ask = {};
};

// The folder of packs: $DRYDOCK_PACKS, else ../share/drydock/packs from the program's folder, else
// /usr/share/drydock/packs; for a program in a build folder, that of its source tree. No other.
[[nodiscard]] std::string packs_folder(const std::string& program);
[[nodiscard]] std::vector<std::string> list_packs(const std::string& program);
[[nodiscard]] Answer<model::Pack> lint_pack(const std::string& folder_or_name,
                                            const std::string& program);

struct Survey {
    model::Pack pack;
    model::Cluster cluster;
    model::FactSources sources;
    model::FactBook facts;
    std::int64_t took_ms = 0;
    std::vector<Error> unreachable;  // hosts whose agent did not answer
    std::vector<Error> under_way;    // work of whatever run that is under way on hosts
};

[[nodiscard]] Answer<Survey> survey(const Options& options);

struct RouteAnswer {
    std::string from;
    std::string to;
    planner::Route route;
};

[[nodiscard]] Answer<RouteAnswer> route(const Options& options, const std::string& target);

struct PlanRequest {
    std::string to;  // several hops away: the plan is that of the first, its `route` names all
    bool rebuild = false;
    std::string restore;               // path of a copy on the hosts; empty: no restore
    std::vector<std::string> through;  // versions that the route must pass, in this order
};

[[nodiscard]] Answer<model::Plan> make_plan(const Options& options, const PlanRequest& request);
[[nodiscard]] Answer<model::Plan> read_plan(const std::string& file);
[[nodiscard]] Status write_plan(const model::Plan& plan, const std::string& file);
// Signs the plan that was read from `file` into FILE.sig, with ssh-keygen and the key of that path.
// "plan.signature" if ssh-keygen does not do it; then nothing is written.
[[nodiscard]] Status
sign_plan(const model::Plan& plan, const std::string& file, const std::string& key);
// A plan that was made here is known here: `apply` does not ask about it. Nothing is
// remembered where the yes is for this time only. Errors: "trust.memory".
[[nodiscard]] Status remember_own(const Options& options, const model::Plan& plan);

struct Checked {
    checker::Report report;
    std::int64_t took_ms = 0;
};

// Explores the plan; ways back are compiled from its cluster file and pack, if they are still
// there.
[[nodiscard]] Checked
check(const Options& options, const model::Plan& plan, checker::Options check_options);
// What `plan` does by itself: the largest of some small budgets that is looked through soon. Where
// the way back closes elsewhere than at the plan's gate, the plan is compiled again, with its gate
// there, and checked again.
[[nodiscard]] Checked check_soon(const Options& options, model::Plan& plan);
// What goes with the plan (model::Plan::check), bound to its digest.
[[nodiscard]] Json verdict_of(const Checked& checked, const model::Plan& plan);
// Refuses a plan whose check failed, did not end, or is missing.
[[nodiscard]] Status is_proved(const model::Plan& plan);
// The same of a check that is made now, for a plan that is_proved(): the verdict in a file may have
// been written by anybody.
[[nodiscard]] Status prove_again(const Options& options, const model::Plan& plan);

// A hop of a journey, with the newest runs that went there and back.
struct JourneyHop {
    std::string from;
    std::string to;
    std::string run;    // empty: not begun
    std::string state;  // its word in the journal: "finished"
    std::string back;   // the run that took it back; empty: none
    std::string back_state;
};

// What `resume` begins once the newest run of a journey is over.
enum class JourneyStep : std::uint8_t { none, forward, back };

// A route of several hops that `upgrade` runs one after the other, as its runs' first events tell.
struct Journey {
    std::string id;  // of its first run
    std::vector<JourneyHop> hops;
    std::string newest;   // run
    std::size_t hop = 0;  // of the newest run; place in `hops`
    JourneyStep next = JourneyStep::none;
    std::string reaches;  // `downgrade` leads back to this version, by the journal alone
    std::string closed;   // why no further; empty: it leads back to the first version
};

// Told of every event once it is durable, and of progress; used for the live table. Called on the
// conductor's thread.
class Observer {
public:
    Observer() = default;
    Observer(const Observer&) = delete;
    Observer& operator=(const Observer&) = delete;
    virtual ~Observer() = default;
    virtual void on_start(const model::Plan& plan, const run::State& state) = 0;
    virtual void
    on_event(const run::Event& event, const model::Plan& plan, const run::State& state) = 0;
    // About twice a second while something is awaited: what it is, in a few words ("m3: caught up
    // with the others").
    virtual void
    on_wait(const std::string& description, const model::Plan& plan, const run::State& state) = 0;

    // Up to twice a second, how far an action in flight has come: an action_progress that is not
    // durable.
    virtual void on_progress(const run::Event& /*progress*/,
                             const model::Plan& /*plan*/,
                             const run::State& /*state*/) {}

    // Before a run of a journey begins or goes on.
    virtual void on_journey(const Journey& /*journey*/) {}
};

// Where a run is.
struct RunStatus {
    model::Plan plan;
    run::State state;
    std::string run;
    std::uint64_t epoch = 0;
    std::optional<journal::Holder> conductor;  // who conducts it right now
    std::int64_t created_ms = 0;
    std::int64_t last_ms = 0;     // wall clock of the last record
    std::string open_gate;        // name of the gate that waits for a person; else empty
    std::string open_gate_words;  // what is approved
    std::int64_t soak_left_ms = 0;
    std::int64_t gate_since_ms =
        0;            // since when the run stands at its gate, wall clock; 0: at none
    Json gate_facts;  // what the gate last looked at: value by key; null: nothing yet
    std::int64_t gate_facts_ms = 0;        // when, wall clock
    std::map<std::size_t, Json> progress;  // of actions in flight, as their commands told it last
    std::string paused;                    // paused: what was cancelled, and how it goes on
    std::string cause;                     // halted: why
    std::string remedy;                    // halted: what to do
    std::string head;                      // hash of the last record, hex
    std::uint64_t records = 0;
    std::optional<Journey> journey;
    int exit_code = k_exit_done;

    // The run is over, the next one of its journey waits for a `resume`, and nobody is at it.
    [[nodiscard]] bool stands_between_runs() const {
        return journey && journey->next != JourneyStep::none && journey->newest == run
               && !conductor;
    }
};

[[nodiscard]] Answer<RunStatus>
apply(const Options& options, const model::Plan& plan, Observer& observer);

struct UpgradeRequest {
    std::string to;
    std::vector<std::string> through;  // versions that the route must pass, in this order
};

// Plans, checks and applies hop after hop until the target, a gate, a pause or a halt. A journey to
// the same target that stands between two hops goes on. Errors: those of make_plan() and apply();
// "journey.signatures": the policy asks for signed plans; "journey.moved": the cluster left the
// journey's route.
[[nodiscard]] Answer<RunStatus>
upgrade(const Options& options, const UpgradeRequest& request, Observer& observer);
// Goes on with the open run; then, or if none is open, with the rest of its journey.
[[nodiscard]] Answer<RunStatus> resume(const Options& options, Observer& observer);
// Makes the plan of the way back of the run in progress (or of the last one) and, unless
// options.dry_run, runs it. A journey is taken back hop after hop, as far as the ways back reach.
[[nodiscard]] Answer<model::Plan> plan_downgrade(const Options& options);
[[nodiscard]] Answer<RunStatus> downgrade(const Options& options, Observer& observer);
[[nodiscard]] Answer<RunStatus> approve(const Options& options, const std::string& gate);
[[nodiscard]] Answer<RunStatus> pause(const Options& options);
// Lets what is in flight end, then ends the run where it stands.
[[nodiscard]] Answer<RunStatus> abort(const Options& options, Observer& observer);
// Puts a person's words into the run's record.
[[nodiscard]] Answer<RunStatus> note(const Options& options, const std::string& text);
[[nodiscard]] Answer<RunStatus> status(const Options& options, const std::string& run = {});

// Whole runs in simulated time (sim/simulate.h), one a seed.
struct Simulation {
    std::uint64_t seed = 1;  // of the first
    std::uint64_t runs = 0;
    std::uint64_t faults = 0;  // that struck
    std::uint64_t conductors = 0;
    std::uint64_t halts = 0;
    std::uint64_t wrong = 0;            // runs in which something was that must never be
    std::vector<sim::Simulated> shown;  // the first of them
    std::int64_t took_ms = 0;
    std::vector<std::string> not_simulated;
};

// `tell` gets each run's story, a line at a time; it may be empty.
[[nodiscard]] Answer<Simulation> simulate(const model::Plan& plan,
                                          std::uint64_t seed,
                                          std::uint64_t runs,
                                          const std::function<void(const std::string&)>& tell);

// The stories of a check, made to come about in the simulator (sim/replay.h).
struct Replay {
    std::vector<sim::Replayed> stories;
    std::vector<std::string> not_simulated;
};

// `trace_file` is what `drydock check --trace` wrote for this very plan.
[[nodiscard]] Answer<Replay> replay(const model::Plan& plan,
                                    const std::string& trace_file,
                                    const std::function<void(const std::string&)>& tell);

struct LogLine {
    std::uint64_t sequence = 0;
    std::int64_t wall_ms = 0;
    Json event;
};

[[nodiscard]] Answer<std::vector<LogLine>> log(const Options& options, const std::string& run = {});

struct Verified {
    std::string run;
    std::uint64_t records = 0;
    std::string head;
};

// A host that was asked for the heads that it noted.
struct VerifiedHost {
    std::string host;
    std::size_t heads = 0;   // that this journal noted there; all are in it
    std::size_t others = 0;  // of another journal, or of this one before a take-over: not compared
};

struct VerifiedJournal {
    std::vector<Verified> runs;
    std::vector<VerifiedHost> hosts;  // empty: they were not asked
};

// `head` is empty, or a head that was noted earlier (16 hex digits of it at least): then
// "journal.head_gone" tells that no record of this journal has it any more. The same error names a
// host that noted such a head, `with_hosts`; "journal.other" one that obeys another journal.
[[nodiscard]] Answer<VerifiedJournal>
verify_journal(const Options& options, const std::string& head = {}, bool with_hosts = false);

}  // namespace drydock::app
