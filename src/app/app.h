// Start here: this file has the use cases of drydock, one function each. Then internal.h (project,
// state directory, replayed run), planning.h (plans), local_session.h and begin_run.h (one run),
// journey.h and travel.h (runs one after the other). trust.h and signing.h guard what is executed.
// block_store.h, vfolders.h, extract.h, chain.h and updates.h serve commands that ask no cluster.
//
// This folder alone names implementations: the SQLite journal and the local transport. The command
// line calls these functions and shows their results. Results are plain data. A Failure carries all
// errors at once, and the exit code for scripts.
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
#include "run/expected_facts.h"
#include "run/journey.h"
#include "run/observer.h"
#include "run/state.h"
#include "sim/replay_counterexample.h"
#include "sim/simulate_seed.h"

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

// A refused or failed use case. An Error of a lower folder becomes a Failure by itself, so
// DRYDOCK_TRY passes errors through app.
struct Failure {
    Failure() = default;

    Failure(int code, std::vector<Error> all) : exit_code(code), errors(std::move(all)) {}

    // NOLINTNEXTLINE(google-explicit-constructor): errors pass through app as they are
    Failure(Error error, int code = k_exit_no) : exit_code(code), errors{std::move(error)} {}

    int exit_code = k_exit_no;
    std::vector<Error> errors;
    Diagnostics diagnostics;                              // of input files
    std::vector<run::Drift> drift;                        // exit code 5: the facts that moved
    std::vector<model::RecoveryOption> recovery_options;  // remain after a refused downgrade
};

template <class T>
using AppResult = tl::expected<T, Failure>;

// How to treat a file that would execute commands which this account has not agreed to yet
// (docs/security.md).
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
    // Gates that are approved when they open; the run then continues at once. "GATE" names a gate
    // of the first run, "VERSION:GATE" one of the run that leads to that version.
    std::vector<std::string> approvals;
    std::string allow_unchecked;  // apply: why a plan is run whose check failed or is missing
    std::string policy_file;  // apply: the cluster file whose policy holds; empty: the plan's own
    std::string signed_by;    // apply: the signer of the plan, once verified
    bool take_over = false;   // displaces another journal that holds the hosts
    bool give_up_hosts = false;  // abort: even if a host does not list its work
    std::string back_to;  // downgrade: no further than this version; empty: as far as it goes
    Trust trust = Trust::ask;
    // Asks a person about a file and the commands that it would execute. Returns true for yes. May
    // be empty.
    std::function<bool(const std::string& file, const std::vector<std::string>& executed)> ask = {};
};

// Returns the folder of packs: $DRYDOCK_PACKS, else ../share/drydock/packs from the program's
// folder, else /usr/share/drydock/packs. A program in a build folder uses its source tree.
// $DRYDOCK_PACKS may be one pack itself.
[[nodiscard]] std::string packs_folder(const std::string& program);
[[nodiscard]] std::vector<std::string> list_packs(const std::string& program);

// A pack without errors, and what its author is warned of.
struct LintedPack {
    model::Pack pack;
    Diagnostics warnings;
};

[[nodiscard]] AppResult<LintedPack> lint_pack(const std::string& folder_or_name,
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

[[nodiscard]] AppResult<Survey> survey(const Options& options);

struct RouteAnswer {
    std::string start;
    std::string target;
    planner::Route route;
};

[[nodiscard]] AppResult<RouteAnswer> route(const Options& options, const std::string& target);

struct PlanRequest {
    std::string target;  // several hops away: the plan is that of the first, its `route` names all
    bool rebuild = false;
    std::string restore;               // path of a copy on the hosts; empty: no restore
    std::vector<std::string> through;  // versions that the route must pass, in this order
    // The facts, in the place of a survey: no host is asked, and the plan cannot be applied.
    std::string facts_file = {};
};

[[nodiscard]] AppResult<model::Plan> make_plan(const Options& options, const PlanRequest& request);
[[nodiscard]] AppResult<model::Plan> read_plan(const std::string& file);
[[nodiscard]] Status write_plan(const model::Plan& plan, const std::string& file);
// Signs the plan that was read from `file` into FILE.sig, with ssh-keygen and the key at that path.
// Error "plan.signature": ssh-keygen refused, and nothing was written.
[[nodiscard]] Status
sign_plan(const model::Plan& plan, const std::string& file, const std::string& key);
// Remembers the consent to a plan that was made here, so that `apply` does not ask. Remembers
// nothing where the consent is for this time only. Errors: "trust.memory".
[[nodiscard]] Status remember_own(const Options& options, const model::Plan& plan);

struct CheckResult {
    checker::Report report;
    std::int64_t took_ms = 0;
};

// Explores the plan. Downgrades are compiled from its cluster file and pack, if both are still
// there.
[[nodiscard]] CheckResult
check(const Options& options, const model::Plan& plan, checker::Options check_options);
// Checks the plan as `plan` does by itself: with the largest of some small budgets that can be
// explored soon. If the point of no return differs from the plan's gate, compiles the plan again
// with the gate there and checks it again.
[[nodiscard]] CheckResult quick_check(const Options& options, model::Plan& plan);
// Returns the verdict that is stored with the plan (model::Plan::check), bound to its digest.
[[nodiscard]] Json verdict_of(const CheckResult& checked, const model::Plan& plan);
// Refuses a plan whose check failed, did not end, or is missing.
[[nodiscard]] Status require_passed_check(const model::Plan& plan);
// Checks the plan now, for a plan that has passed require_passed_check(): anybody may have written
// the verdict into the file.
[[nodiscard]] Status check_again(const Options& options, const model::Plan& plan);

// The state of a run for screens: its plan, its conductor, and what it waits for.
struct RunStatus {
    model::Plan plan;
    run::State state;
    std::string run;
    std::uint64_t epoch = 0;
    std::optional<journal::Holder> conductor;  // the process that holds the lease
    std::int64_t created_ms = 0;
    std::int64_t last_ms = 0;     // wall clock of the last record
    std::string open_gate;        // name of the gate that waits for a person; else empty
    std::string open_gate_words;  // the words that a person approves
    std::int64_t soak_left_ms = 0;
    std::int64_t gate_since_ms =
        0;            // since when the run stands at its gate, wall clock; 0: at none
    Json gate_facts;  // value by key, of the gate's last look; null: none yet
    std::int64_t gate_facts_ms = 0;        // when, wall clock
    std::map<std::size_t, Json> progress;  // of actions in flight, as their commands told it last
    std::string paused;                    // paused: the cancelled work, and the way to resume
    std::string cause;                     // halted: why
    std::string remedy;                    // halted: the advice for a person
    std::vector<run::Drift> left_behind;   // over: temporary facts that are not as they were
    std::string head;                      // hash of the last record, hex
    std::uint64_t records = 0;
    std::optional<run::Journey> journey;
    int exit_code = k_exit_done;

    // True if the run is over, its journey waits for a `resume`, and no process conducts it.
    [[nodiscard]] bool is_between_runs() const {
        return journey && journey->next != run::JourneyStep::none && journey->newest == run
               && !conductor;
    }
};

[[nodiscard]] AppResult<RunStatus>
apply(const Options& options, const model::Plan& plan, run::Observer& observer);

struct UpgradeRequest {
    std::string target;
    std::vector<std::string> through;  // versions that the route must pass, in this order
};

// Plans, checks and applies hop after hop until the target, a gate, a pause or a halt. A journey to
// the same target that stands between two hops goes on. Errors: those of make_plan() and apply();
// "journey.signatures": the policy asks for signed plans; "journey.moved": the cluster left the
// journey's route.
[[nodiscard]] AppResult<RunStatus>
upgrade(const Options& options, const UpgradeRequest& request, run::Observer& observer);
// Continues the open run; then, or if none is open, the rest of its journey.
[[nodiscard]] AppResult<RunStatus> resume(const Options& options, run::Observer& observer);
// Plans the downgrade of the open run, or of the last one; downgrade() also runs it, unless
// options.dry_run. A journey is taken back hop after hop, as far as downgrades reach.
[[nodiscard]] AppResult<model::Plan> plan_downgrade(const Options& options);
[[nodiscard]] AppResult<RunStatus> downgrade(const Options& options, run::Observer& observer);
[[nodiscard]] AppResult<RunStatus> approve(const Options& options, const std::string& gate);
[[nodiscard]] AppResult<RunStatus> pause(const Options& options);
// Waits for work in flight to end, then ends the run where it stands.
[[nodiscard]] AppResult<RunStatus> abort(const Options& options, run::Observer& observer);
// Records a person's words in the run.
[[nodiscard]] AppResult<RunStatus> note(const Options& options, const std::string& text);
[[nodiscard]] AppResult<RunStatus> status(const Options& options, const std::string& run = {});

// The sums of whole runs in simulated time (sim/simulate_seed.h), one for each seed.
struct Simulation {
    std::uint64_t seed = 1;  // of the first
    std::uint64_t runs = 0;
    std::uint64_t faults = 0;  // that struck
    std::uint64_t conductors = 0;
    std::uint64_t halts = 0;
    std::uint64_t failed_runs = 0;                 // runs in which something was that must never be
    std::vector<sim::SimulationSummary> examples;  // the first of them
    std::int64_t took_ms = 0;
    std::vector<std::string> not_simulated;
};

// `tell` gets each run's story, line by line; it may be empty.
[[nodiscard]] AppResult<Simulation> simulate(const model::Plan& plan,
                                             std::uint64_t seed,
                                             std::uint64_t runs,
                                             const std::function<void(const std::string&)>& tell);

// The counterexamples of a check, replayed in the simulator (sim/replay_counterexample.h).
struct Replay {
    std::vector<sim::ReplayResult> stories;
    std::vector<std::string> not_simulated;
};

// `trace_file` was written by `drydock check --trace` for this very plan.
[[nodiscard]] AppResult<Replay> replay(const model::Plan& plan,
                                       const std::string& trace_file,
                                       const std::function<void(const std::string&)>& tell);

struct LogLine {
    std::uint64_t sequence = 0;
    std::int64_t wall_ms = 0;
    Json event;
};

[[nodiscard]] AppResult<std::vector<LogLine>> log(const Options& options,
                                                  const std::string& run = {});

struct VerifiedRun {
    std::string run;
    std::uint64_t records = 0;
    std::string head;
};

// A host and the heads that it noted.
struct VerifiedHost {
    std::string host;
    std::size_t heads = 0;  // that this journal noted there; all are in it
    std::size_t other_heads =
        0;  // of another journal, or of this one before a take-over: not compared
};

struct VerifiedJournal {
    std::vector<VerifiedRun> runs;
    std::vector<VerifiedHost> hosts;  // empty: they were not asked
};

// Verifies every run. `head` is empty, or a head that was noted earlier (at least 16 hex digits of
// it). Errors: "journal.head_gone" if no record has that head, or a head that a host noted;
// "journal.other" if a host obeys another journal.
[[nodiscard]] AppResult<VerifiedJournal>
verify_journal(const Options& options, const std::string& head = {}, bool with_hosts = false);

}  // namespace drydock::app
