// What the use cases share: the project (cluster file and pack), the state folder with its journal,
// a run replayed.
#pragma once

#include "app/app.h"
#include "conduct/history.h"
#include "conduct/hosts.h"
#include "journal/journal.h"
#include "os/clock.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace drydock::app {

[[nodiscard]] tl::unexpected<Failure> refuse(Error error, int exit_code = k_exit_no);
// The canonical bytes of a plan, as its file holds them.
[[nodiscard]] std::string plan_bytes(const model::Plan& plan);
// Refuses, with that code, a file or folder that others than root and this account may change.
[[nodiscard]] Status check_own(const std::string& code, const std::string& path);
[[nodiscard]] tl::unexpected<Failure> refuse_input(Diagnostics diagnostics);

struct Project {
    model::Pack pack;
    model::Cluster cluster;
};

[[nodiscard]] Answer<Project> open_project(const Options& options);
// check_trust() (app/trust.h) of the cluster file, before anything is made or executed for it.
[[nodiscard]] Status check_trust(const Options& options, const Project& project);
// The folder of an agent whose host names none.
[[nodiscard]] std::string usual_state(const std::string& host, const std::string& state);
[[nodiscard]] std::map<std::string, transport::HostAddress>
addresses(const std::map<std::string, model::Host>& hosts,
          const Options& options,
          const std::string& state);
// The values of secrets, by name; an error names the one that cannot be had, never a value.
[[nodiscard]] Result<Json> read_secrets(const std::map<std::string, model::SecretSource>& secrets);

// Facts for a plan between two versions: what a survey reads, and what only plans read. Waits at
// most `quiet_ms_max` until no work is under way on the hosts; Survey::under_way tells what is.
[[nodiscard]] Answer<Survey> survey_for(const Options& options,
                                        Project project,
                                        const planner::Naming& naming,
                                        std::int64_t quiet_ms_max = 0);

// The ways from one release back to another that are left when `downgrade` is not, with what they
// cost as things are now; `forward` is the run whose copy a restore would take.
std::vector<model::WayBack> ways_left(const Options& options,
                                      const std::string& start,
                                      const std::string& target,
                                      const std::string& forward);

// Refuses a state folder that is a symbolic link, somebody else's, or writable for others; one that
// is not there yet is fine.
Status check_state(const std::string& state);

// The folder <state> with journal.db and runs/<id>.json.
class Store {
public:
    // With `create` makes what is missing; refuses what check_state() refuses.
    static Answer<Store> open(const std::string& state, bool create);
    // The same without making anything: where there is none, an empty journal in memory.
    static Answer<Store> open_to_look(const std::string& state);

    [[nodiscard]] journal::Journal& journal() const { return *journal_; }

    Status save_plan(const model::Plan& plan);
    // The run's own copy, checked against the digest in the journal.
    Result<model::Plan> load_plan(const journal::RunInfo& run);
    // The newest run that is not over; or, with `any`, the newest.
    Answer<journal::RunInfo> current_run(bool includes_over);

private:
    [[nodiscard]] Result<model::Plan> parse_plan(const journal::RunInfo& run) const;

    std::string state_;
    std::unique_ptr<journal::Journal> journal_;
    std::map<std::string, model::Plan> plans_;  // by run: a plan is parsed once
};

// The state folder of a cluster file; refuses when no run was ever begun there.
[[nodiscard]] Answer<Store> store_of(const Options& options);

// The edition of run/grammar.h that a run's events obey, told by its first event. Runs of earlier
// versions tell none, and are not held to it.
inline constexpr std::int64_t k_grammar = 1;

// A run as its journal tells it.
struct Replayed {
    journal::RunInfo info;
    model::Plan plan;
    conduct::RunHistory history;
};

// Why no way back leads from here: the run itself has closed it, whatever the facts say now.
[[nodiscard]] std::optional<Failure> refuse_closed(const Options& options, const Replayed& forward);
// The same of every run of the journal that led beyond `version`, since the cluster last returned
// to it. What cannot be read refuses, too.
[[nodiscard]] std::optional<Failure>
refuse_closed_before(const Options& options, Store& store, const std::string& version);

[[nodiscard]] Answer<Replayed> replay(Store& store, const journal::RunInfo& info);
[[nodiscard]] Answer<RunStatus>
status_of(Store& store, const Replayed& replayed, std::int64_t now_ms);

[[nodiscard]] std::string current_user();

}  // namespace drydock::app
