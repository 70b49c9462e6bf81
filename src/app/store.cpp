// The state directory and its journal: opening, plans of runs, and the status of a run.
//
// The directory holds journal.db and one file for each run's plan. The journal has the truth, and a
// plan is accepted only with the digest that the journal names. A status is computed by replaying
// the run's events; no table of states could differ from them.
#include "app/internal.h"
#include "app/journey.h"
#include "base/text.h"
#include "journal/memory/memory_journal.h"
#include "journal/sqlite/sqlite_journal.h"
#include "os/files.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>

namespace drydock::app {

namespace {

constexpr std::size_t k_plan_bytes_max = 64U << 20U;

tl::unexpected<Failure> no_run(const std::string& state) {
    return refuse({"run.none",
                   fmt::format("there is no run to speak of in {}", state),
                   "begin one: drydock plan ..., then drydock apply plan.json",
                   ErrorClass::permanent});
}

tl::unexpected<Failure> no_open_run(const journal::RunInfo& last) {
    return refuse({"run.over",
                   fmt::format("the last run, {}, is over ({})", last.run.id, last.state.word),
                   "see `drydock status`; begin another: drydock plan ..., then drydock apply",
                   ErrorClass::permanent});
}

// Maps a run to the exit code of the command that left it there. A running run without a conductor
// counts as halted, because no process drives it.
int exit_code_of(const RunStatus& status) {
    switch (status.state.phase()) {
    case run::Phase::finished:
        return status.is_between_runs() ? k_exit_waiting : k_exit_done;
    case run::Phase::returned:
    case run::Phase::aborted:
        return k_exit_done;
    case run::Phase::paused:
    case run::Phase::pausing:
        return k_exit_waiting;
    case run::Phase::halted:
        return k_exit_halted;
    case run::Phase::created:
    case run::Phase::running:
        break;
    }
    if (!status.open_gate.empty() || status.soak_left_ms > 0) {
        return k_exit_waiting;
    }
    return status.conductor ? k_exit_done : k_exit_halted;
}

// Fills in the gate that the run waits at, open or soaking. The rest of a soak is computed from the
// wall clock for people; the conductor itself does not trust that clock.
void take_gates(const ReplayedRun& replayed, std::int64_t now_ms, RunStatus& status) {
    for (std::size_t i = 0; i < replayed.plan.actions.size(); ++i) {
        const model::Action& action = replayed.plan.actions[i];
        const bool soaks = replayed.history.state.status(i) == run::Status::soaking;
        if (!soaks && replayed.history.state.status(i) != run::Status::open) {
            continue;
        }
        status.gate_facts = replayed.history.gate_facts;
        status.gate_facts_ms = replayed.history.gate_facts_ms;
        if (!soaks) {
            status.open_gate = action.gate;
            status.open_gate_words = action.reason;
        }
        if (const auto began = replayed.history.soaks.find(i);
            began != replayed.history.soaks.end()) {
            const std::int64_t since_ms = began->second["wall_ms"].as_int();
            const std::int64_t elapsed = std::max<std::int64_t>(now_ms - since_ms, 0);
            status.gate_since_ms = since_ms;
            status.soak_left_ms = soaks ? std::max<std::int64_t>(action.soak_ms - elapsed, 1) : 0;
        }
    }
}

}  // namespace

namespace {

std::string user_name(uid_t user) {
    const passwd* entry = ::getpwuid(user);  // NOLINT(concurrency-mt-unsafe): one thread asks
    return entry != nullptr ? entry->pw_name : std::to_string(user);
}

// Returns the user who logged in, as the kernel's audit id has it. Nothing for a service, or where
// the kernel does not tell.
std::optional<uid_t> login_user() {
    constexpr std::int64_t k_none = 4'294'967'295;
    const auto text = os::read_file("/proc/self/loginuid", 64);
    const auto number = text ? Json::parse(trim(*text)) : tl::unexpected(text.error());
    const std::int64_t user = number ? number->as_int(k_none) : k_none;
    return user == k_none ? std::nullopt : std::optional(static_cast<uid_t>(user));
}

}  // namespace

// Returns the person rather than the account that `sudo` led to: "alice as root". SUDO_USER is read
// only as root, since anybody can set it.
std::string current_user() {
    const std::string account = user_name(::getuid());
    const auto login = login_user();
    // NOLINTNEXTLINE(concurrency-mt-unsafe): no thread changes the environment
    const char* sudo = ::getuid() == 0 ? std::getenv("SUDO_USER") : nullptr;
    const std::string person = login ? user_name(*login) : sudo != nullptr ? sudo : account;
    return person == account ? account : fmt::format("{} as {}", person, account);
}

// symlink_status() does not follow a link, so a link in this place is seen as one.
Status check_state(const std::string& state) {
    std::error_code missing;
    const auto file_status = std::filesystem::symlink_status(state, missing);
    return std::filesystem::exists(file_status) ? os::ensure_private_folder(state) : Status();
}

AppResult<StateDir> StateDir::open(const std::string& state, bool create) {
    DRYDOCK_TRY(check_state(state));
    if (create) {
        for (const std::string& folder : {state, state + "/runs"}) {
            DRYDOCK_TRY(os::ensure_private_folder(folder));
        }
    }
    // What was checked is the real folder: from here on no link leads anywhere else.
    const std::string real = os::real_path_of(state);
    auto opened =
        journal::open_sqlite((real.empty() ? state : real) + "/journal.db",
                             create ? journal::OpenMode::create : journal::OpenMode::existing);
    if (!opened) {
        return opened.error().code == "journal.missing" ? no_run(state) : refuse(opened.error());
    }
    StateDir state_dir;
    state_dir.state_ = real.empty() ? state : real;
    state_dir.journal_ = std::move(*opened);
    return state_dir;
}

// A dry run must not make a directory, so it works on an empty journal in memory.
AppResult<StateDir> StateDir::open_read_only(const std::string& state) {
    auto state_dir = open(state, false);
    if (!state_dir && state_dir.error().errors.front().code == "run.none") {
        state_dir = StateDir();
        state_dir->state_ = state;
        state_dir->journal_ = journal::open_memory(journal::make_memory_store());
    }
    return state_dir;
}

AppResult<StateDir> store_of(const Options& options) {
    DRYDOCK_TRY_ASSIGN(auto project, open_project(options));
    return StateDir::open(project.cluster.state_dir, false);
}

Status StateDir::save_plan(const model::Plan& plan) {
    return os::write_file_durable(fmt::format("{}/runs/{}.json", state_, plan.run),
                                  plan_bytes(plan));
}

// A journey reads the plans of its runs again and again, so they are kept.
Result<model::Plan> StateDir::load_plan(const journal::RunInfo& run) {
    if (const auto entry = plans_.find(run.run.id); entry != plans_.end()) {
        return entry->second;
    }
    DRYDOCK_TRY_ASSIGN(model::Plan plan, parse_plan(run));
    return plans_.emplace(run.run.id, std::move(plan)).first->second;
}

// Compares the plan's digest with the journal's: whoever may write the file could have put another
// valid plan there.
Result<model::Plan> StateDir::parse_plan(const journal::RunInfo& run) const {
    const std::string path = fmt::format("{}/runs/{}.json", state_, run.run.id);
    DRYDOCK_TRY_ASSIGN(const std::string text, os::read_file(path, k_plan_bytes_max));
    DRYDOCK_TRY_ASSIGN(const Json json, Json::parse(text));
    auto plan = model::plan_from_json(json);
    if (!plan) {
        return tl::unexpected(plan.error().with_context(path));
    }
    if (json["digest"].as_string() != run.run.plan_digest) {  // plan_from_json has checked it
        return fail(
            "plan.other",
            fmt::format(
                "{} is not the plan that run {} began with: its digest differs from the journal's",
                path,
                run.run.id),
            "put the plan back that was applied, or plan again from here");
    }
    return plan;
}

AppResult<journal::RunInfo> StateDir::current_run(bool includes_over) {
    DRYDOCK_TRY_ASSIGN(auto runs, journal_->list_runs());
    for (auto run = runs.rbegin(); run != runs.rend(); ++run) {
        if (includes_over || !run->state.is_over) {
            return *run;
        }
    }
    return runs.empty() ? no_run(state_) : no_open_run(runs.back());
}

AppResult<ReplayedRun> replay(StateDir& state_dir, const journal::RunInfo& info) {
    DRYDOCK_TRY_ASSIGN(auto plan, state_dir.load_plan(info));
    DRYDOCK_TRY_ASSIGN(auto history, executor::read_history(state_dir.journal(), plan));
    return ReplayedRun{info, std::move(plan), std::move(history)};
}

namespace {

// Reads the list as the record of the end has it.
std::vector<run::Drift> left_behind(const Json& list) {
    std::vector<run::Drift> facts;
    for (const Json& item : list.items()) {
        facts.push_back({item["fact"].as_string(),
                         item["expected"].as_string(),
                         item["found"].as_string(),
                         item["evidence"].as_string()});
    }
    return facts;
}

}  // namespace

// Copies the parts of the history into plain data for the screens. Progress is kept only for
// actions in flight, because an old line would look like work.
AppResult<RunStatus>
status_of(StateDir& state_dir, const ReplayedRun& replayed, std::int64_t now_ms) {
    DRYDOCK_TRY_ASSIGN(auto journey, journey_of(state_dir, replayed));
    RunStatus status;
    status.journey = std::move(journey);
    status.plan = replayed.plan;
    status.state = replayed.history.state;
    status.run = replayed.info.run.id;
    status.epoch = replayed.info.epoch;
    status.conductor = replayed.info.holder;
    status.created_ms = replayed.info.run.created_ms;
    status.last_ms = replayed.history.last_ms;
    status.head = to_hex(replayed.history.head.hash);
    status.records = replayed.history.head.records;
    if (status.state.phase() == run::Phase::halted) {
        status.cause = replayed.history.halted["cause"].as_string();
        status.remedy = replayed.history.halted["remedy"].as_string();
    }
    if (status.state.phase() == run::Phase::paused) {
        status.paused = replayed.history.paused["because"].as_string();
    }
    status.left_behind = left_behind(replayed.history.left_behind);
    status.progress = replayed.history.progress;
    std::erase_if(status.progress, [&](const auto& entry) {
        return !run::is_in_flight(status.state.status(entry.first));
    });
    take_gates(replayed, now_ms, status);
    status.exit_code = replayed.history.ends_with_approval ? k_exit_waiting : exit_code_of(status);
    return status;
}

}  // namespace drydock::app
