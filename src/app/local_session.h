// LocalSession: a conduct::RunSession of this process on real hosts, with all that it borrows.
#pragma once

#include "app/internal.h"
#include "conduct/session.h"
#include "os/clock.h"
#include "transport/local/local.h"

#include <memory>

namespace drydock::app {

class LocalSession {
public:
    // Opens a session: asks for consent and reads the plan's secrets. `state_dir` and `observer`
    // must outlive it.
    [[nodiscard]] static Answer<std::unique_ptr<LocalSession>>
    open(const Options& options, Store& state_dir, model::Plan plan, Observer& observer);
    // Opens the session of the run that is not over.
    [[nodiscard]] static Answer<std::unique_ptr<LocalSession>>
    open_current(const Options& options, Store& state_dir, Observer& observer);

    ~LocalSession();
    LocalSession(const LocalSession&) = delete;
    LocalSession& operator=(const LocalSession&) = delete;

    [[nodiscard]] conduct::RunSession& run() { return *session_; }

    [[nodiscard]] const model::Plan& plan() const { return plan_; }

    // Returns the run's status by its journal, or the failure that ended the session.
    [[nodiscard]] Answer<RunStatus> status_after(const Status& ran);
    // Returns the run's status by its journal alone.
    [[nodiscard]] Answer<RunStatus> status();

private:
    class Relay;

    LocalSession(Store& state_dir, model::Plan plan, Observer& observer);
    [[nodiscard]] conduct::SessionSettings settings(const Options& options, Json secrets) const;

    Store& store_;
    model::Plan plan_;
    os::RealClock clock_;
    transport::LocalTransport transport_;
    std::unique_ptr<Relay> relay_;
    std::unique_ptr<conduct::RunSession> session_;
};

// Turns an obstacle into a failure with its exit code.
[[nodiscard]] tl::unexpected<Failure> refuse_obstacle(conduct::Obstacle obstacle);

}  // namespace drydock::app
