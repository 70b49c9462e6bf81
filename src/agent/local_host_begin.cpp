// LocalHost: begins actions on the real machine.
//
// An action begins under the lock of the state folder, in this order. The fence admits the
// commander, and its claims are locked. No other attempt of the action runs. The attempt's folder
// is made, request.json is durable, and the key is in the running index. Then the fork server
// starts the supervisor, which holds the folder's lock. A crash between any two of these leaves a
// folder that read_attempt() and read_interrupted() can tell apart.
//
// Invariants: a folder is made once, so a key begins at most once. An attempt whose supervisor
// never ran becomes a tombstone, never a result.
//
// docs/formats/agent-protocol.md has the files of the state folder.
#include "agent/action_key.h"
#include "agent/attempt.h"
#include "agent/claim_files.h"
#include "agent/containment.h"
#include "agent/crash.h"
#include "agent/local_host.h"
#include "agent/old_runs.h"

#include <fmt/format.h>
#include <unistd.h>

namespace drydock::agent {
namespace {

constexpr int k_fork_tries = 2;                   // a server that has died is replaced
constexpr std::int64_t k_lock_within_ms = 1'000;  // others hold it while they read

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
    if (!durable_runs_.contains(key.run) || !os::exists(run)) {
        DRYDOCK_TRY(os::make_folder_durable(run));
        durable_runs_.insert(key.run);
    }
    return os::make_folder(folder_of(key));
}

// Waits for the lock only briefly, because the caller asks again on its next tick.
Status LocalHost::bury(const ActionKey& key) {
    DRYDOCK_TRY_ASSIGN(const os::FileLock lock, lock_state(k_enter_soon_ms));
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
    watch(supervisor.get());
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
    static_assert(k_fork_tries * k_fork_answer_ms < k_enter_within_ms,
                  "others wait while a fork server hangs");
    DRYDOCK_TRY_ASSIGN(fork_server_, ForkServer::start(program_));
    return {};
}

}  // namespace drydock::agent
