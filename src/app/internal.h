// The common ground of the use cases: the project (cluster file and pack), the state directory with
// its journal, and a replayed run.
#pragma once

#include "app/app.h"
#include "executor/agent_pool.h"
#include "executor/run_history.h"
#include "journal/journal.h"
#include "os/clock.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace drydock::app {

[[nodiscard]] tl::unexpected<Failure> refuse(Error error, int exit_code = k_exit_no);
// Returns the canonical bytes of a plan, as its file holds them.
[[nodiscard]] std::string plan_bytes(const model::Plan& plan);
// Refuses, with that code, a file or folder that users other than root and this account may change.
[[nodiscard]] Status check_own(const std::string& code, const std::string& path);
[[nodiscard]] tl::unexpected<Failure> refuse_input(Diagnostics diagnostics);

struct Project {
    model::Pack pack;
    model::Cluster cluster;
};

[[nodiscard]] AppResult<Project> open_project(const Options& options);
// Asks for consent to the cluster file (app/trust.h), before anything is made or executed for it.
[[nodiscard]] Status check_trust(const Options& options, const Project& project);
// Returns the state directory of an agent whose host names none.
[[nodiscard]] std::string usual_state(const std::string& host, const std::string& state);
[[nodiscard]] std::map<std::string, transport::HostAddress>
addresses(const std::map<std::string, model::Host>& hosts,
          const Options& options,
          const std::string& state);
// Returns the values of secrets by name. An error names the secret that cannot be read, never a
// value.
[[nodiscard]] Result<Json> read_secrets(const std::map<std::string, model::SecretSource>& secrets);

// Reads the facts for a plan between two versions: those of a survey and those that only plans
// read. Waits at most `quiet_ms_max` until no work is under way on the hosts; Survey::under_way
// lists the rest.
[[nodiscard]] AppResult<Survey> survey_for(const Options& options,
                                           Project project,
                                           const planner::PlanNames& naming,
                                           std::int64_t quiet_ms_max = 0);

// Returns the recovery options that remain when `downgrade` is closed, with their costs as things
// are now. They lead from release `start` back to `target`; a restore would take the copy of run
// `forward`.
std::vector<model::RecoveryOption> ways_left(const Options& options,
                                             const std::string& start,
                                             const std::string& target,
                                             const std::string& forward);

// Refuses a state directory that is a symbolic link, belongs to another user, or is writable for
// others. A directory that does not exist yet passes.
Status check_state(const std::string& state);

// The directory <state> with journal.db and runs/<id>.json.
class StateDir {
public:
    // Opens the directory; with `create` makes missing parts. Refuses the same as check_state().
    static AppResult<StateDir> open(const std::string& state, bool create);
    // Opens the directory without making anything: a missing one gives an empty journal in memory.
    static AppResult<StateDir> open_read_only(const std::string& state);

    [[nodiscard]] journal::Journal& journal() const { return *journal_; }

    Status save_plan(const model::Plan& plan);
    // Returns the run's own copy of its plan, checked against the digest in the journal.
    Result<model::Plan> load_plan(const journal::RunInfo& run);
    // Returns the newest run that is not over; with `includes_over`, the newest of all.
    AppResult<journal::RunInfo> current_run(bool includes_over);

private:
    [[nodiscard]] Result<model::Plan> parse_plan(const journal::RunInfo& run) const;

    std::string state_;
    std::unique_ptr<journal::Journal> journal_;
    std::map<std::string, model::Plan> plans_;  // by run: a plan is parsed once
};

// Opens the state directory of a cluster file. Refuses if no run was ever begun there.
[[nodiscard]] AppResult<StateDir> store_of(const Options& options);

// The edition of run/grammar.h that the events of a run obey, written in its first event. Runs of
// earlier versions name none and are not held to it.
inline constexpr std::int64_t k_grammar = 1;

// A run, replayed from its journal.
struct ReplayedRun {
    journal::RunInfo info;
    model::Plan plan;
    executor::RunHistory history;
};

// Refuses a downgrade that the run itself has closed, whatever the facts say now.
[[nodiscard]] AppResult<void> refuse_closed(const Options& options, const ReplayedRun& forward);
// The same of every run of the journal that led beyond `version`, since the cluster last returned
// to it. What cannot be read refuses, too.
[[nodiscard]] AppResult<void>
refuse_closed_before(const Options& options, StateDir& state_dir, const std::string& version);

[[nodiscard]] AppResult<ReplayedRun> replay(StateDir& state_dir, const journal::RunInfo& info);
[[nodiscard]] AppResult<RunStatus>
status_of(StateDir& state_dir, const ReplayedRun& replayed, std::int64_t now_ms);

[[nodiscard]] std::string current_user();

}  // namespace drydock::app
