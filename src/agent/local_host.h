// LocalHost: the machine on which this program runs, as a Host.
//
// State folder: `<state>/<run>/<action>.<attempt>/` for each action, with request.json, output,
// result.json and lock. A key that never begins has never.json instead. `.fence` holds the fence
// registry, `.running` the running index. Several agents may serve one state folder at once:
// `.fence.lock` lets one of them begin at a time. Not thread-safe.
#pragma once

#include "agent/fork_server.h"
#include "agent/host.h"
#include "agent/probe.h"
#include "agent/running_index.h"
#include "os/clock.h"
#include "os/process.h"

#include <set>

namespace drydock::agent {

inline constexpr std::size_t k_request_bytes_max = 64U << 20U;  // of a request.json

class LocalHost final : public Host {
public:
    // Files are put and got below `folders` and in `.files` of the state folder only.
    // `program` understands "agent --fork-server". Refuses a state folder that others could
    // write to (os::ensure_private_folder).
    [[nodiscard]] static Result<std::unique_ptr<LocalHost>>
    open(std::string state_folder,
         std::string program = "/proc/self/exe",
         std::vector<std::string> folders = {});

    Json facts() override;
    Result<std::int64_t> fence(Owner owner, bool take_over) override;
    Status check(const Commander& commander) override;
    Status begin(const Permit& permit,
                 const ActionKey& key,
                 const Json& request,
                 const Json& secrets) override;
    Status bury(const ActionKey& key) override;
    ActionState query(const ActionKey& key) override;
    Status cancel(const Commander& commander, const ActionKey& key) override;
    Result<std::vector<RunningAction>> running() override;
    std::set<NotedHead> heads(const std::string& run) override;
    std::unique_ptr<ProbeRun> probe(const Json& probes) override;
    Status put(const Commander& commander, const PutPart& part) override;
    Result<FilePart> get(const std::string& path, std::int64_t offset, std::int64_t size) override;

    [[nodiscard]] int wake_descriptor() const override { return wake_.get(); }

    // Must be called when the wake descriptor was readable: handles the event and clears it.
    void on_wake() override;

private:
    struct Supervisor {
        ActionKey key;
        os::Fd process;
    };

    // The lock of the state folder, and the registry as it is while the lock is held.
    struct StateLock {
        os::FileLock lock;
        FenceRegistry fences;
    };

    // The longest waits for the lock of the state folder. Others hold it for some disk writes. A
    // query that comes again anyway waits only briefly.
    static constexpr std::int64_t k_enter_within_ms = 10'000;
    static constexpr std::int64_t k_enter_soon_ms = 100;

    LocalHost(std::string state_folder, std::string program, os::Fd wake, os::Fd probed);

    // Adds a descriptor to those that wake the main loop.
    void watch(int descriptor) const;
    [[nodiscard]] std::string folder_of(const ActionKey& key) const;
    // "agent.path" for a file outside of the folders for files.
    [[nodiscard]] Status check_path(const std::string& path) const;
    [[nodiscard]] Result<os::FileLock> lock_state(std::int64_t within_ms) const;
    [[nodiscard]] Result<StateLock> lock_state_as(const Commander& commander,
                                                  const std::optional<NotedHead>& head = {}) const;
    [[nodiscard]] Result<FenceRegistry> read_fences() const;
    [[nodiscard]] std::string read_journal(const ActionKey& key) const;
    [[nodiscard]] Status write_fences(const FenceRegistry& old_fences,
                                      const FenceRegistry& new_fences) const;
    // Returns the attempt of the same action that runs here, also if its supervisor died.
    [[nodiscard]] Result<std::optional<ActionKey>> find_running_attempt(const ActionKey& key) const;
    [[nodiscard]] Result<bool> make_attempt_folder(const ActionKey& key);
    [[nodiscard]] Status start_attempt(const ActionKey& key,
                                       const Permit& permit,
                                       const Json& request,
                                       const Json& secrets);
    [[nodiscard]] Status
    launch(const ActionKey& key, const Permit& permit, const Json& request, const Json& secrets);
    void prune_index(const std::vector<ActionKey>& keys);
    [[nodiscard]] Result<os::Fd>
    start_supervisor(const std::string& folder, const os::FileLock& lock, const std::string& order);
    [[nodiscard]] Status start_fork_server();

    std::string state_;
    std::vector<std::string> folders_;  // for put() and get()
    RunningIndex index_;
    std::string program_;
    std::set<std::string> durable_runs_;  // runs with a folder that this agent has synced
    os::Fd wake_;                         // epoll of probe_event_ and of the supervisors' pidfds
    os::Fd probe_event_;                  // eventfd: a set of probes is complete
    std::optional<ForkServer>
        fork_server_;  // started for the first conductor that may begin actions
    bool wants_fork_server_ = false;
    std::vector<Supervisor> supervisors_;
    Prober prober_;
};

}  // namespace drydock::agent
