// LocalSession: a executor::RunSession of this process on real hosts, with all that it borrows.
#pragma once

#include "app/internal.h"
#include "executor/run_session.h"
#include "os/clock.h"
#include "transport/ssh/ssh.h"

#include <memory>

namespace drydock::app {

class LocalSession {
public:
    // Opens a session: asks for consent and reads the plan's secrets. `state_dir` and `observer`
    // must outlive it.
    [[nodiscard]] static AppResult<std::unique_ptr<LocalSession>>
    open(const Options& options, StateDir& state_dir, model::Plan plan, run::Observer& observer);
    // Opens the session of the run that is not over.
    [[nodiscard]] static AppResult<std::unique_ptr<LocalSession>>
    open_current(const Options& options, StateDir& state_dir, run::Observer& observer);

    ~LocalSession();
    LocalSession(const LocalSession&) = delete;
    LocalSession& operator=(const LocalSession&) = delete;

    [[nodiscard]] executor::RunSession& run() { return *session_; }

    [[nodiscard]] const model::Plan& plan() const { return plan_; }

    // Returns the run's status by its journal, or the failure that ended the session.
    [[nodiscard]] AppResult<RunStatus> status_after(const Status& ran);
    // Returns the run's status by its journal alone.
    [[nodiscard]] AppResult<RunStatus> status();

private:
    LocalSession(StateDir& state_dir, model::Plan plan, const std::string& agent);
    [[nodiscard]] executor::SessionSettings settings(const Options& options, Json secrets) const;

    StateDir& state_dir_;
    model::Plan plan_;
    os::RealClock clock_;
    transport::SshTransport transport_;
    std::unique_ptr<executor::RunSession> session_;
};

// Turns an obstacle into a failure with its exit code.
[[nodiscard]] tl::unexpected<Failure> refuse_obstacle(executor::Obstacle obstacle);

}  // namespace drydock::app
