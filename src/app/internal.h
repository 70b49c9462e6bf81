// What the use cases share: the project (cluster file and pack), the state folder with its journal,
// a run replayed.
#pragma once

#include "app/app.h"
#include "conduct/drift.h"
#include "conduct/hosts.h"
#include "conduct/runner.h"
#include "journal/journal.h"
#include "os/clock.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace drydock::app {

[[nodiscard]] tl::unexpected<Failure> refuse(Error error, int exit_code = k_exit_no);
[[nodiscard]] tl::unexpected<Failure> refuse_input(Diagnostics diagnostics);

struct Project {
    model::Pack pack;
    model::Cluster cluster;
};

[[nodiscard]] Answer<Project> open_project(const Options& options);
[[nodiscard]] std::map<std::string, transport::HostAddress>
addresses(const std::map<std::string, model::Host>& hosts,
          const Options& options,
          const std::string& state);
// The values of secrets, by name; an error names the one that cannot be had, never a value.
[[nodiscard]] Result<Json> read_secrets(const std::map<std::string, model::SecretSource>& secrets);

// Facts for a plan between two versions: what a survey reads, and what only plans read.
[[nodiscard]] Answer<Survey>
survey_for(const Options& options, Project project, const planner::Naming& naming);

// The ways from one release back to another that are left when `downgrade` is not, with what they
// cost as things are now; `forward` is the run whose copy a restore would take.
std::vector<model::WayBack> ways_left(const Options& options,
                                      const std::string& from,
                                      const std::string& to,
                                      const std::string& forward);

// Refuses a state folder that is a symbolic link, somebody else's, or writable for others; one that
// is not there yet is fine.
Status check_state(const std::string& state);

// The folder <state> with journal.db, runs/<id>.json and the request files.
class Store {
public:
    // With `create` makes what is missing; refuses what check_state() refuses.
    static Answer<Store> open(const std::string& state, bool create);

    [[nodiscard]] journal::Journal& journal() { return *journal_; }

    [[nodiscard]] std::string pause_file() const { return state_ + "/pause"; }

    Status save_plan(const model::Plan& plan);
    // The run's own copy, checked against the digest in the journal.
    Result<model::Plan> load_plan(const journal::RunInfo& run);
    // The newest run that is not over; or, with `any`, the newest.
    Answer<journal::RunInfo> current_run(bool any);
    // Whether its last record ends it, though its conductor died before it could say so in lists.
    [[nodiscard]] bool ended_unseen(const journal::RunInfo& run);

private:
    std::string state_;
    std::unique_ptr<journal::Journal> journal_;
};

// The state folder of a cluster file; refuses when no run was ever begun there.
[[nodiscard]] Answer<Store> store_of(const Options& options);

[[nodiscard]] bool is_over(const std::string& run_state);

// A run as its journal tells it.
struct Replayed {
    journal::RunInfo info;
    model::Plan plan;
    run::State state;
    std::map<std::size_t, std::int64_t> soak_started;
    Json gate_facts;  // what a gate last looked at
    std::int64_t gate_facts_ms = 0;
    Json created;   // detail of run.created
    Json halted;    // detail of the last run.halted or drift.found
    Json approved;  // detail of the last gate.approved, with its time
    std::int64_t last_ms = 0;
    bool may_go_on =
        false;  // the last word was a person's approval: a resume is all that is missing
};

[[nodiscard]] Answer<Replayed> replay(Store& store, const journal::RunInfo& info);
[[nodiscard]] RunStatus status_of(const Replayed& replayed, std::int64_t now_ms);

// Waits until nothing of the run is under way on any host; an error names what may still be, where
// a host does not tell for longer than the work may take.
[[nodiscard]] Status let_work_end(const Options& options, const Replayed& run, Observer& observer);

}  // namespace drydock::app
