// LocalHost: opens the state folder of this machine, and watches and ends the actions there.
//
// local_host_fences.cpp decides who may command, local_host_begin.cpp begins an action. The running
// index lists every attempt that may run; it may list too many and never too few.
#include "agent/local_host.h"

#include "agent/action_key.h"
#include "agent/attempt.h"
#include "agent/containment.h"
#include "agent/digest.h"
#include "agent/old_runs.h"
#include "base/text.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <csignal>

namespace drydock::agent {
namespace {

constexpr std::string_view k_version = DRYDOCK_VERSION;

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
    folders.push_back(state_folder + "/.files");
    std::unique_ptr<LocalHost> host(new LocalHost(
        std::move(state_folder), std::move(program), std::move(wake), std::move(probed)));
    host->watch(host->probe_event_.get());
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

void LocalHost::watch(int descriptor) const {
    epoll_event event = {};
    event.events = EPOLLIN;
    ::epoll_ctl(wake_.get(), EPOLL_CTL_ADD, descriptor, &event);
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

// Reads the folder first without the lock and, if that leaves a doubt, again under it. Without the
// lock, another agent may be about to start the action, so a doubt counts as running.
ActionState LocalHost::query(const ActionKey& key) {
    const std::string folder = folder_of(key);
    if (!os::exists(folder)) {
        // A person may have removed the folder by hand: the index still lists the attempt.
        const bool was_begun = is_marked(state_ + "/" + key.run) || index_.has(key);
        return {was_begun ? ActionPhase::interrupted : ActionPhase::none, {}};
    }
    if (auto state = read_attempt(folder)) {
        return std::move(*state);
    }
    const auto lock = lock_state(k_enter_soon_ms);  // another agent may be about to start it
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
        if (query(key).phase == ActionPhase::running) {
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
        if (is_recorded && !is_supervised && query(key).phase != ActionPhase::running) {
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
