// LocalHost: begins, watches and ends actions on the real machine.
//
// An action begins under the lock of the state folder, in this order. The fence admits the
// commander, and its claims are locked. No other attempt of the action runs. The attempt's folder
// is made, request.json is durable, and the key is in the running index. Then the fork server
// starts the supervisor, which holds the folder's lock. A crash between any two of these leaves a
// folder that read_attempt() and read_interrupted() can tell apart.
//
// Invariants: a folder is made once, so a key begins at most once. An attempt whose supervisor
// never ran becomes a tombstone, never a result. The index lists every attempt that may run; it
// may list too many and never too few.
//
// docs/formats/agent-protocol.md has the files of the state folder.
#include "agent/local_host.h"

#include "agent/action_key.h"
#include "agent/attempt.h"
#include "agent/claim_files.h"
#include "agent/containment.h"
#include "agent/crash.h"
#include "agent/digest.h"
#include "agent/old_runs.h"
#include "base/text.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <filesystem>

namespace drydock::agent {
namespace {

constexpr std::int64_t k_enter_within_ms = 10'000;  // others hold it for some disk writes
constexpr int k_fork_tries = 2;                     // a server that has died is replaced
static_assert(k_fork_tries * k_fork_answer_ms < k_enter_within_ms,
              "others wait while a fork server hangs");
constexpr std::int64_t k_enter_soon_ms = 100;     // for a query that comes again anyway
constexpr std::int64_t k_lock_within_ms = 1'000;  // others hold it while they read
constexpr std::size_t k_request_bytes_max = 64U << 20U;
constexpr std::string_view k_version = DRYDOCK_VERSION;

// Adds a descriptor to the epoll set that wakes the main loop.
void watch(const os::Fd& epoll, int descriptor) {
    epoll_event event = {};
    event.events = EPOLLIN;
    ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, descriptor, &event);
}

// Closes the folder of an attempt that never started. Without a tombstone, say on a full disk, the
// folder is removed: it must not look as if its action had begun.
Status close_unstarted(const std::string& folder, std::string_view reason) {
    auto closed = write_tombstone(folder, reason).and_then([&] {
        return os::sync_folder(os::folder_of(folder));
    });
    if (!closed) {
        ::unlink((folder + "/request.json").c_str());
        ::unlink((folder + "/lock").c_str());
        ::rmdir(folder.c_str());
    }
    return closed;
}

// Kills the processes of an attempt whose supervisor died: no process could end them in good
// order. Process descriptors make sure that no reused number is hit.
Status end_left_behind(const std::string& folder) {
    DRYDOCK_TRY_ASSIGN(const auto pids, contained_processes(folder));
    for (const pid_t pid : pids) {
        const auto process = os::open_process(pid);
        if (process) {
            (void)os::signal_process(*process, SIGKILL);
        }
    }
    return {};
}

tl::unexpected<Error> fence_damaged(const std::string& state, const std::string& cause) {
    return fail("agent.fence_damaged",
                fmt::format("nobody knows who owns this host: {}/.fence: {}", state, cause),
                "see that nobody works on it; then the same command with --take-over");
}

// True if an action was begun here and its run is not removed yet, or if that is unknown.
bool has_begun_actions(const std::string& state) {
    std::error_code error;
    std::filesystem::recursive_directory_iterator entry(state, error);
    for (; !error && entry != std::filesystem::recursive_directory_iterator();
         entry.increment(error)) {
        if (entry.depth() == 2 && entry->path().filename() == "request.json") {
            return true;
        }
    }
    return static_cast<bool>(error);
}

// A key stands for one request for ever. If the stored request cannot be read, it cannot be
// compared, and the key is accepted.
Status check_request(const std::string& folder, const Json& request) {
    const auto text = os::read_file(folder + "/request.json", k_request_bytes_max);
    const auto stored = text ? Json::parse(*text) : tl::unexpected(text.error());
    if (!stored || (*stored)["request"] == request) {
        return {};
    }
    return fail("agent.request_differs",
                fmt::format("{} is known on this host with another request", os::name_of(folder)),
                "plan again; a run and its actions are never changed");
}

}  // namespace

Result<std::unique_ptr<LocalHost>>
LocalHost::open(std::string state_folder, std::string program, std::vector<std::string> folders) {
    DRYDOCK_TRY(os::ensure_private_folder(state_folder));
    folders.push_back(state_folder + "/.files");
    // The check was made on the real folder: from here on no link can lead elsewhere.
    state_folder = os::real_path_of(state_folder);
    keep_digests_in(state_folder + "/.digests");
    os::Fd wake(::epoll_create1(EPOLL_CLOEXEC));
    os::Fd probed(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!wake || !probed) {
        return fail_errno("os.epoll", "making a wake-up", errno);
    }
    watch(wake, probed.get());
    folders.push_back(state_folder + "/.files");
    std::unique_ptr<LocalHost> host(new LocalHost(
        std::move(state_folder), std::move(program), std::move(wake), std::move(probed)));
    host->folders_ = std::move(folders);
    return host;
}

LocalHost::LocalHost(std::string state_folder, std::string program, os::Fd wake, os::Fd probed)
    : state_(std::move(state_folder))
    , index_(state_)
    , program_(std::move(program))
    , wake_(std::move(wake))
    , probe_event_(std::move(probed))
    , prober_([descriptor = probe_event_.get()] { ::eventfd_write(descriptor, 1); }) {
}

Json LocalHost::facts() {
    Json facts;
    std::array<char, 256> name = {};
    ::gethostname(name.data(), name.size() - 1);
    facts.set("host", to_utf8(name.data()));
    facts.set("version", k_version);
    facts.set("boot_id", os::boot_id());
    facts.set("wall_ms", os::RealClock().wall_ms());
    facts.set("protocol", k_protocol);
    const auto fences = read_fences();
    if (!fences) {
        return facts.set("fence_error", to_json(fences.error()));
    }
    return facts.set("owners", fences->owners()).set("fence", fences->highest());
}

std::string LocalHost::folder_of(const ActionKey& key) const {
    return state_ + "/" + key.run + "/" + folder_name(key);
}

// Takes the lock of the state folder. Its holder is the only agent that begins, fences or writes
// on this host.
Result<os::FileLock> LocalHost::enter(std::int64_t within_ms) const {
    return os::FileLock::take_within(
        state_ + "/.fence.lock", fmt::format("agent {}", ::getpid()), within_ms);
}

// Returns the registry. A missing file is an error if actions were begun here: then it is unknown
// which conductor this host obeyed.
Result<FenceRegistry> LocalHost::read_fences() const {
    const auto text = os::read_file(state_ + "/.fence", k_fence_file_max);
    if (!text && text.error().code != "os.missing") {
        return tl::unexpected(text.error());
    }
    if (!text) {
        return has_begun_actions(state_)
                   ? fence_damaged(state_, "it is missing, and actions were begun here")
                   : Result<FenceRegistry>(FenceRegistry());
    }
    auto fences = FenceRegistry::parse(*text);
    return fences ? std::move(fences) : fence_damaged(state_, fences.error().message);
}

// Writes nothing if nothing changed: most commands come from a conductor that is registered.
Status LocalHost::write_fences(const FenceRegistry& old_fences,
                               const FenceRegistry& new_fences) const {
    if (old_fences == new_fences) {
        return {};
    }
    const std::string text = new_fences.text();
    if (text.size() > k_fence_file_max) {
        return fail("agent.owners_full",
                    fmt::format("the owners of this host need over {} bytes", k_fence_file_max),
                    "claim less for each cluster");
    }
    return os::write_file_durable(state_ + "/.fence", text);
}

// Registers the owner, first at its claims and then here. If this agent dies in between, the
// claims name an owner that fences again on its next try.
//
// A damaged registry is replaced only by a take-over, since a person has looked then. Cleaning up
// comes last and without the lock.
Result<std::int64_t> LocalHost::fence(Owner owner, bool take_over) {
    std::int64_t epoch = 0;
    {
        DRYDOCK_TRY_ASSIGN(const os::FileLock lock, enter(k_enter_within_ms));
        const auto stored_fences = read_fences();
        if (!stored_fences && !(take_over && stored_fences.error().code == "agent.fence_damaged")) {
            return tl::unexpected(stored_fences.error());
        }
        const FenceRegistry old_fences = stored_fences.value_or(FenceRegistry());
        FenceRegistry new_fences = old_fences;
        DRYDOCK_TRY_ASSIGN(epoch, new_fences.fence(owner, take_over));
        if (epoch == owner.epoch) {
            DRYDOCK_TRY(claim_paths(owner, take_over));
        }
        DRYDOCK_TRY(write_fences(old_fences, new_fences));
        mark_old_runs(state_, os::RealClock().wall_ms());
    }
    wants_fork_server_ = !fork_server_;
    ::eventfd_write(probe_event_.get(), 1);  // on_wake() starts it, after this answer
    remove_marked_runs(state_);
    prune_index(index_.keys().value_or(std::vector<ActionKey>()));
    return epoch;
}

// Reads without the lock: the file is replaced by rename, and a reader changes nothing.
Status LocalHost::check(const Commander& commander) {
    DRYDOCK_TRY_ASSIGN(const FenceRegistry fences, read_fences());
    return fences.check(commander);
}

// Takes the lock and admits the commander. While the result lives, no later conductor can fence.
Result<LocalHost::StateLock> LocalHost::lock_state_as(const Commander& commander,
                                                      const std::optional<NotedHead>& head) const {
    DRYDOCK_TRY_ASSIGN(os::FileLock lock, enter(k_enter_within_ms));
    DRYDOCK_TRY_ASSIGN(const FenceRegistry old_fences, read_fences());
    FenceRegistry new_fences = old_fences;
    DRYDOCK_TRY(new_fences.admit(commander, os::RealClock().wall_ms()));
    if (head) {
        new_fences.note(*head);
    }
    DRYDOCK_TRY(write_fences(old_fences, new_fences));
    return StateLock{std::move(lock), std::move(new_fences)};
}

// Returns success for a known key, so that a conductor may repeat a request whose answer was lost.
Status LocalHost::begin(const Permit& permit,
                        const ActionKey& key,
                        const Json& request,
                        const Json& secrets) {
    DRYDOCK_TRY_ASSIGN(const StateLock state_lock, lock_state_as(permit.commander, permit.head));
    DRYDOCK_TRY_ASSIGN(
        const ClaimLocks claims,
        hold_claims(state_lock.fences.claims_of(permit.commander.journal), permit.commander));
    if (os::exists(folder_of(key))) {
        return check_request(folder_of(key), request);
    }
    DRYDOCK_TRY_ASSIGN(const auto running_attempt, find_running_attempt(key));
    if (running_attempt) {
        return attempt_running(*running_attempt);
    }
    DRYDOCK_TRY_ASSIGN(const bool is_new, make_attempt_folder(key));
    if (!is_new) {
        return {};
    }
    const std::string folder = folder_of(key);
    // The check comes here and not earlier: another agent may have held the lock for long.
    if (permit.is_late(os::RealClock().monotonic_ms())) {
        return close_unstarted(folder, "the request to begin came too late");
    }
    return start_attempt(key, permit, request, secrets);
}

// Returns the attempt of the same action that runs here. Must be called under the lock: then no
// other agent is about to start one, and read_interrupted() is allowed.
Result<std::optional<ActionKey>> LocalHost::find_running_attempt(const ActionKey& key) const {
    DRYDOCK_TRY_ASSIGN(auto keys, index_.keys());
    for (ActionKey& candidate : keys) {
        if (candidate.run != key.run || candidate.action != key.action) {
            continue;
        }
        const std::string folder = folder_of(candidate);
        const auto state = read_attempt(folder);
        const auto phase = state ? state->phase : read_interrupted(folder).phase;
        if (phase == ActionPhase::running) {
            return std::move(candidate);
        }
    }
    return std::nullopt;
}

// Returns false if the folder was there. The folder is not durable yet: its content must be
// durable first, then its name.
Result<bool> LocalHost::make_attempt_folder(const ActionKey& key) {
    const std::string run = state_ + "/" + key.run;
    if (is_marked(run) && !os::exists(folder_of(key))) {
        return fail("agent.run_removed",
                    fmt::format("this host has removed the records of run {}", key.run),
                    "plan again; a run that old cannot be continued");
    }
    if (durable_runs_.count(key.run) == 0 || !os::exists(run)) {
        DRYDOCK_TRY(os::make_folder_durable(run));
        durable_runs_.insert(key.run);
    }
    return os::make_folder(folder_of(key));
}

// Waits for the lock only briefly, because the caller asks again on its next tick.
Status LocalHost::bury(const ActionKey& key) {
    DRYDOCK_TRY_ASSIGN(const os::FileLock lock, enter(k_enter_soon_ms));
    DRYDOCK_TRY_ASSIGN(const bool is_new, make_attempt_folder(key));
    return is_new ? close_unstarted(folder_of(key), "a conductor was told that it never began")
                  : Status();
}

// Stores the request, lists the key in the index, and starts the supervisor. If any of these
// fails, the attempt is closed without having begun.
Status LocalHost::start_attempt(const ActionKey& key,
                                const Permit& permit,
                                const Json& request,
                                const Json& secrets) {
    const std::string folder = folder_of(key);
    Json stored = to_json(key);
    stored.set("epoch", permit.commander.epoch).set("request", request);
    if (!permit.commander.journal.empty()) {
        stored.set("journal", permit.commander.journal);
    }
    if (permit.head) {
        stored.set("head", to_json(*permit.head));
    }
    auto started = os::write_file_durable(folder + "/request.json", stored.dump()).and_then([&] {
        return os::sync_folder(os::folder_of(folder));
    });
    if (started) {
        crash_here("after_mkdir");
        started = index_.add(key);
    }
    if (started) {
        started = launch(key, permit, request, secrets);
    }
    if (!started) {
        (void)close_unstarted(folder, started.error().message);
        index_.remove(key);
    }
    return started;
}

// Takes the folder's lock and hands it to the supervisor. The lock passes by its descriptor, so
// there is no moment at which the folder looks interrupted.
Status LocalHost::launch(const ActionKey& key,
                         const Permit& permit,
                         const Json& request,
                         const Json& secrets) {
    const std::string folder = folder_of(key);
    DRYDOCK_TRY_ASSIGN(
        const os::FileLock lock,
        os::FileLock::take_within(folder + "/lock", "a supervisor that starts", k_lock_within_ms));
    Json order;
    order.set("request", request);
    order.set("secrets", secrets);
    if (permit.begin_by_ms) {
        order.set("begin_by_ms", *permit.begin_by_ms);
    }
    DRYDOCK_TRY_ASSIGN(os::Fd supervisor, start_supervisor(folder, lock, order.dump()));
    watch(wake_, supervisor.get());
    supervisors_.push_back({key, std::move(supervisor)});
    return {};
}

// Returns the process descriptor of the new supervisor. The order lies in a memory file, since it
// holds secrets. A fork server that has died is replaced once: none of its errors leaves a
// supervisor behind.
Result<os::Fd> LocalHost::start_supervisor(const std::string& folder,
                                           const os::FileLock& lock,
                                           const std::string& order) {
    DRYDOCK_TRY_ASSIGN(const os::Fd input, os::memory_file(order));
    const os::Fd group = make_containment(folder);
    const ForkServer::Order fork_order = {folder, input.get(), lock.descriptor(), group.get()};
    for (int tries_left = k_fork_tries;; --tries_left) {
        if (!fork_server_) {
            DRYDOCK_TRY(start_fork_server());
        }
        auto supervisor = fork_server_->fork(fork_order);
        if (supervisor) {
            return supervisor;
        }
        fork_server_.reset();  // a late answer of it would belong to no order
        if (tries_left == 1) {
            return supervisor;
        }
    }
}

Status LocalHost::start_fork_server() {
    DRYDOCK_TRY_ASSIGN(fork_server_, ForkServer::start(program_));
    return {};
}

// Reads the folder first without the lock and, if that leaves a doubt, again under it. Without the
// lock, another agent may be about to start the action, so a doubt counts as running.
ActionState LocalHost::look(const ActionKey& key) {
    const std::string folder = folder_of(key);
    if (!os::exists(folder)) {
        // A person may have removed the folder by hand: the index still lists the attempt.
        const bool was_begun = is_marked(state_ + "/" + key.run) || index_.has(key);
        return {was_begun ? ActionPhase::torn : ActionPhase::none, {}};
    }
    if (auto state = read_attempt(folder)) {
        return std::move(*state);
    }
    const auto lock = enter(k_enter_soon_ms);  // another agent may be about to start it
    auto state = read_attempt(folder);
    return state  ? std::move(*state)
           : lock ? read_interrupted(folder)
                  : ActionState{ActionPhase::running, {}};
}

// Sends SIGTERM to the supervisor that the lock file names. Number and start time must both fit,
// so that no other process is hit.
Status LocalHost::cancel(const Commander& commander, const ActionKey& key) {
    DRYDOCK_TRY_ASSIGN(const StateLock state_lock, lock_state_as(commander));
    const std::string folder = folder_of(key);
    if (!os::is_locked(folder + "/lock").value_or(true)) {
        return is_closed(folder) ? Status() : end_left_behind(folder);
    }
    const auto words = split(trim(os::read_file(folder + "/lock", 256).value_or("")), ' ');
    const pid_t pid = std::atoi(words.front().c_str());
    const auto process = os::find_process(pid);
    if (words.size() != 2 || !process || !*process
        || words[1] != std::to_string((*process)->start_ticks)) {
        return fail("agent.cancel_later",
                    fmt::format("{} is only just starting or ending", key.action),
                    "try again",
                    ErrorClass::transient);
    }
    DRYDOCK_TRY_ASSIGN(const os::Fd supervisor, os::open_process(pid));
    return os::signal_process(supervisor, SIGTERM);
}

// Returns the journal whose conductor began the action; empty if it is unknown.
std::string LocalHost::read_journal(const ActionKey& key) const {
    const auto text = os::read_file(folder_of(key) + "/request.json", k_request_bytes_max);
    const auto request = Json::parse(text.value_or(""));
    return request ? (*request)["journal"].as_string() : std::string();
}

Result<std::vector<RunningAction>> LocalHost::running() {
    DRYDOCK_TRY_ASSIGN(auto keys, index_.keys());
    std::vector<RunningAction> actions;
    for (ActionKey& key : keys) {
        if (look(key).phase == ActionPhase::running) {
            std::string journal = read_journal(key);
            actions.push_back({std::move(key), std::move(journal)});
        }
    }
    return actions;
}

// Returns the heads in the folders if the registry cannot be read; facts() reports that error.
std::set<NotedHead> LocalHost::heads(const std::string& run) {
    auto heads = read_noted_heads(state_, run);
    const auto fences = run.empty() ? read_fences() : Result<FenceRegistry>(FenceRegistry());
    if (fences) {
        heads.merge(fences->heads());
    }
    return heads;
}

// Removes ended attempts from the index. Only fence() and on_wake() call it, and no query does: a
// dry run must leave the state folder as it is.
void LocalHost::prune_index(const std::vector<ActionKey>& keys) {
    for (const auto& key : keys) {
        const std::string folder = folder_of(key);
        const bool is_recorded = os::exists(folder) || is_marked(os::folder_of(folder));
        const bool is_supervised = os::is_locked(folder + "/lock").value_or(true);
        if (is_recorded && !is_supervised && look(key).phase != ActionPhase::running) {
            remove_containment(folder);
            index_.remove(key);
        }
    }
}

std::unique_ptr<ProbeRun> LocalHost::probe(const Json& probes) {
    return prober_.start(probes);
}

void LocalHost::on_wake() {
    eventfd_t count = 0;
    ::eventfd_read(probe_event_.get(), &count);
    if (std::exchange(wants_fork_server_, false) && !fork_server_) {
        (void)start_fork_server();  // it loads while its first order is on its way
    }
    std::vector<ActionKey> ended;
    // A supervisor that has ended goes, and its descriptor with it.
    std::erase_if(supervisors_, [&ended](Supervisor& supervisor) {
        const bool has_ended = os::wait_gone(supervisor.process, 0);
        if (has_ended) {
            ended.push_back(supervisor.key);
        }
        return has_ended;
    });
    prune_index(ended);
}

}  // namespace drydock::agent
