// FakeHost: a host in memory that keeps the agent's promises exactly. A key begins at most once and
// never after its burial; a displaced journal or epoch is refused; an action whose supervisor died
// is interrupted.
//
// Actions take simulated time: their effect comes in the middle, their result at the end. The host
// calls `changed` when an action or a probe may have ended. It lives as long as the simulation,
// over all conversations. Not thread-safe.
#pragma once

#include "agent/host.h"
#include "transport/fake/fake_clock.h"
#include "transport/fake/fake_system.h"
#include "transport/fake/faults.h"

#include <functional>
#include <map>
#include <string>

namespace drydock::transport {

class FakeHost final : public agent::Host {
public:
    // Runs a callback at a simulated time.
    using Scheduler = std::function<void(std::int64_t at_ms, std::function<void()> what)>;

    // Calls `changed` when an action or a probe may have ended, and `reboots` when the host goes
    // down by itself. All arguments must outlive the host.
    FakeHost(std::string name,
             FakeSystem& system,
             FakeClock& clock,
             Faults& faults,
             Scheduler schedule,
             std::function<void()> changed,
             std::function<void()> reboots)
        : name_(std::move(name))
        , system_(system)
        , clock_(clock)
        , faults_(faults)
        , schedule_(std::move(schedule))
        , changed_(std::move(changed))
        , reboots_(std::move(reboots)) {}

    [[nodiscard]] Json facts() override;
    [[nodiscard]] Result<std::int64_t> fence(agent::Owner owner, bool take_over) override;
    [[nodiscard]] Status check(const agent::Commander& commander) override;
    [[nodiscard]] Status begin(const agent::Permit& permit,
                               const agent::ActionKey& key,
                               const Json& request,
                               const Json& secrets) override;
    [[nodiscard]] Status bury(const agent::ActionKey& key) override;
    [[nodiscard]] agent::ActionState query(const agent::ActionKey& key) override;
    [[nodiscard]] Status cancel(const agent::Commander& commander,
                                const agent::ActionKey& key) override;
    [[nodiscard]] Result<std::vector<agent::RunningAction>> running() override;
    [[nodiscard]] std::set<agent::NotedHead> heads(const std::string& run) override;
    [[nodiscard]] std::unique_ptr<agent::ProbeRun> probe(const Json& probes) override;
    [[nodiscard]] Status put(const agent::Commander& commander,
                             const agent::PutPart& part) override;
    [[nodiscard]] Result<agent::FilePart>
    get(const std::string& path, std::int64_t offset, std::int64_t size) override;

    // Interrupts every action that runs.
    void reboot();

    // Stops the plan for actions that begin from now on. The caller then decides each step: effect,
    // failure (the result will say so), end, or interruption.
    void hold(bool is_held = true) { is_held_ = is_held; }

    // Sets the progress file of a running command, which has a cursor from then on.
    void set_progress(const agent::ActionKey& key, Json progress);
    void take_effect(const agent::ActionKey& key);
    void fail_action(const agent::ActionKey& key);
    void finish(const agent::ActionKey& key);
    void interrupt(const agent::ActionKey& key);

    [[nodiscard]] int boots() const { return boots_; }

    // Returns how often the effect of each action took place here, over all its attempts.
    [[nodiscard]] const std::map<std::string, int>& effects() const { return effects_; }

    // Counts the effects of an action anew.
    void forget_effects(const agent::ActionKey& key);

    // Returns how many requests of displaced conductors were refused.
    [[nodiscard]] int refused() const { return refused_; }

private:
    struct Attempt {
        agent::ActionPhase phase = agent::ActionPhase::running;
        Json request;
        Json progress;  // null: none
        Json result;
        std::int64_t started_ms = 0;
        std::string journal = {};
        std::optional<agent::NotedHead> head = {};
    };

    [[nodiscard]] Status admit(const agent::Commander& commander);
    [[nodiscard]] Status count(Status checked);
    [[nodiscard]] std::optional<agent::ActionKey>
    find_running_attempt(const agent::ActionKey& key) const;
    void schedule_events(const agent::ActionKey& key, const Json& request);
    void refuse(Attempt& attempt);
    void stop_attempt(const agent::ActionKey& key, Attempt& attempt, agent::ActionPhase phase);
    [[nodiscard]] bool goes_down();

    std::string name_;
    FakeSystem& system_;
    FakeClock& clock_;
    Faults& faults_;
    Scheduler schedule_;
    std::function<void()> changed_;
    std::function<void()> reboots_;
    agent::FenceRegistry fences_;
    int refused_ = 0;
    int boots_ = 1;
    bool is_held_ = false;
    std::map<agent::ActionKey, Attempt> attempts_;
    std::map<std::string, std::string> files_;
    std::map<std::string, int> effects_;
};

}  // namespace drydock::transport
