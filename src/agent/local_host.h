// LocalHost: the machine this program runs on, as a Host.
//
// State folder: `<state>/<run>/<action>.<attempt>/` for each action, with request.json, output,
// result.json and lock; `.fence` holds the lowest epoch that is obeyed. Several agents may serve
// one state folder at once: `.fence.lock` makes what they begin take turns. Not thread-safe.
#pragma once

#include "agent/host.h"
#include "agent/probe.h"
#include "os/clock.h"
#include "os/process.h"

namespace drydock::agent {

class LocalHost final : public Host {
public:
    // `program` understands "agent --run-action FOLDER". Refuses a state folder that others could
    // write to (os::ensure_private_folder).
    [[nodiscard]] static Result<std::unique_ptr<LocalHost>>
    open(std::string state_folder, std::string program = "/proc/self/exe");

    Json facts() override;
    Result<std::int64_t> fence(std::int64_t epoch) override;
    Status begin(std::int64_t epoch,
                 const ActionKey& key,
                 const Json& request,
                 const Json& secrets) override;
    ActionState look(const ActionKey& key) override;
    Status cancel(std::int64_t epoch, const ActionKey& key) override;
    std::vector<ActionKey> running() override;
    std::unique_ptr<ProbeRun> probe(const Json& probes) override;
    Status put(std::int64_t epoch, const PutPart& part) override;
    Result<FilePart> get(const std::string& path, std::int64_t offset, std::int64_t size) override;

    [[nodiscard]] int wake_descriptor() const override { return wake_.get(); }

    // To be called when the wake descriptor was readable: takes note and makes it quiet again.
    void on_wake() override;

private:
    LocalHost(std::string state_folder, std::string program, os::Fd wake, os::Fd probed);

    [[nodiscard]] std::string folder_of(const ActionKey& key) const;
    [[nodiscard]] Result<os::FileLock> enter() const;
    [[nodiscard]] Result<os::FileLock> enter_as(std::int64_t epoch) const;
    [[nodiscard]] Result<std::int64_t> read_fence() const;
    [[nodiscard]] Status
    launch(const std::string& folder, const Json& request, const Json& secrets);
    [[nodiscard]] Result<os::Child> start_supervisor(const std::string& folder,
                                                     const os::FileLock& lock,
                                                     const std::string& order) const;

    std::string state_;
    std::string program_;
    os::Fd wake_;    // epoll of probed_ and of the supervisors' pidfds
    os::Fd probed_;  // eventfd: a set of probes is complete
    std::vector<os::Child> supervisors_;
    Prober prober_;
};

}  // namespace drydock::agent
