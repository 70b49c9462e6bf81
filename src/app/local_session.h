// LocalSession: a conduct::RunSession of this process on real hosts, with what it needs around it.
#pragma once

#include "app/internal.h"
#include "conduct/session.h"
#include "os/clock.h"
#include "transport/local/local.h"

#include <memory>

namespace drydock::app {

class LocalSession {
public:
    // Reads the plan's secrets. `store` and `observer` must outlive the session.
    [[nodiscard]] static Answer<std::unique_ptr<LocalSession>>
    open(const Options& options, Store& store, model::Plan plan, Observer& observer);
    // The session of the run that is not over.
    [[nodiscard]] static Answer<std::unique_ptr<LocalSession>>
    open_current(const Options& options, Store& store, Observer& observer);

    ~LocalSession();
    LocalSession(const LocalSession&) = delete;
    LocalSession& operator=(const LocalSession&) = delete;

    [[nodiscard]] conduct::RunSession& run() { return *session_; }

    [[nodiscard]] const model::Plan& plan() const { return plan_; }

    // Where the run stands by its journal, after a session that came to `ran`.
    [[nodiscard]] Answer<RunStatus> status_after(const Status& ran);
    // The same without a look at what came of the session.
    [[nodiscard]] Answer<RunStatus> status();

private:
    class Relay;

    LocalSession(Store& store, model::Plan plan, Observer& observer);
    [[nodiscard]] conduct::SessionSettings settings(const Options& options, Json secrets) const;

    Store& store_;
    model::Plan plan_;
    os::RealClock clock_;
    transport::LocalTransport transport_;
    std::unique_ptr<Relay> relay_;
    std::unique_ptr<conduct::RunSession> session_;
};

// What stands in the way, as a failure with its exit code.
[[nodiscard]] tl::unexpected<Failure> refuse_obstacle(conduct::Obstacle obstacle);

}  // namespace drydock::app
