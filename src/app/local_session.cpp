// Builds a RunSession on real hosts: the secrets, the local transport, the clock, the crash switch
// of tests, and the system's log.
//
// Every command that conducts a run comes through open(). The consent to the plan's commands is
// checked there, before secrets are read, so a new command cannot pass it by. LocalSession outlives
// its RunSession, which borrows all of these.
#include "app/local_session.h"

#include "agent/fences.h"
#include "app/agent_program.h"
#include "app/journey.h"
#include "app/trust.h"
#include "base/text.h"
#include "os/process.h"
#include "os/syslog.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace drydock::app {

namespace {

// Reads DRYDOCK_CRASH, such as "17:before" or "run.finished:after": the record at which a test ends
// the process. A release build has no such switch.
executor::CrashPoint crash_from_environment() {
#ifdef DRYDOCK_CRASH_SWITCHES
    // NOLINTNEXTLINE(concurrency-mt-unsafe): no thread changes the environment
    const char* text = std::getenv("DRYDOCK_CRASH");
#else
    const char* text = nullptr;
#endif
    const auto parts = split(text != nullptr ? text : "", ':');
    if (parts.size() != 2) {
        return {};
    }
    const std::uint64_t record = std::strtoull(parts[0].c_str(), nullptr, 10);
    return {record, record == 0 ? parts[0] : "", parts[1]};
}

// Describes this process to people who find the lease held.
journal::Holder this_process() {
    os::RealClock clock;
    std::array<char, 256> host{};
    ::gethostname(host.data(), host.size() - 1);
    return {host.data(), ::getpid(), clock.wall_ms()};
}

// Adds the remedy of a failed session. No action is sent to a host before its record is durable, so
// a resume is safe.
tl::unexpected<Failure> refuse_record(Error error) {
    if (error.remedy.empty()) {
        error.remedy = "nothing was sent that is not recorded: cure the cause, then drydock resume";
    }
    return refuse(std::move(error), k_exit_halted);
}

constexpr std::size_t k_log_name_bytes_max = 128;  // four names fit into a line of the log

// Clips a name, so that a long one cannot push the others out of the line.
std::string for_log(const std::string& name) {
    return clip(name, k_log_name_bytes_max);
}

// Writes births and approvals to the system's log, and no other events. The hash of the record
// comes first, since a name from a file must not push it out. A head in this log shows later
// whether the journal was rewritten.
void write_log(const model::Plan& plan, const run::Event& event, const journal::Head& head) {
    const bool is_birth = event.type == run::EventType::run_created;
    if (!is_birth && event.type != run::EventType::gate_approved) {
        return;
    }
    std::string line = fmt::format("record {} {}, {} by {}: run {}",
                                   head.records,
                                   to_hex(head.hash),
                                   is_birth ? "begun" : "approved",
                                   for_log(event.detail["who"].as_string()),
                                   for_log(plan.run));
    if (!is_birth) {
        line += fmt::format(", gate `{}`", for_log(event.detail["gate"].as_string()));
    }
    os::write_syslog(line + fmt::format(" of cluster {}", for_log(plan.cluster)));
}

}  // namespace

LocalSession::LocalSession(StateDir& state_dir, model::Plan plan, const std::string& agent)
    : state_dir_(state_dir)
    , plan_(std::move(plan))
    , transport_(agent) {
}

LocalSession::~LocalSession() = default;

executor::SessionSettings LocalSession::settings(const Options& options, Json secrets) const {
    executor::SessionSettings settings;
    settings.holder = this_process();
    settings.user = current_user();
    settings.boot_id = os::boot_id();
    settings.addresses = addresses(plan_.hosts, options, plan_.state_dir);
    settings.secrets = std::move(secrets);
    settings.take_over = options.take_over;
    settings.approvals = approvals_for(options.approvals, plan_.to_version);
    settings.crash = crash_from_environment();
    settings.audit = [this](const run::Event& event, const journal::Head& head) {
        write_log(plan_, event, head);
    };
    return settings;
}

AppResult<std::unique_ptr<LocalSession>> LocalSession::open(const Options& options,
                                                            StateDir& state_dir,
                                                            model::Plan plan,
                                                            run::Observer& observer) {
    DRYDOCK_TRY(check_trust(options, plan));
    DRYDOCK_TRY_ASSIGN(auto secrets, read_secrets(plan.secrets));
    DRYDOCK_TRY(transport::LocalTransport::reserve(plan.hosts.size()));
    std::unique_ptr<LocalSession> session(
        new LocalSession(state_dir, std::move(plan), agent_program(options.program)));
    session->session_ = std::make_unique<executor::RunSession>(
        session->plan_,
        executor::SessionPorts{state_dir.journal(), session->transport_, session->clock_, observer},
        session->settings(options, std::move(secrets)));
    return session;
}

AppResult<std::unique_ptr<LocalSession>>
LocalSession::open_current(const Options& options, StateDir& state_dir, run::Observer& observer) {
    DRYDOCK_TRY_ASSIGN(auto info, state_dir.current_run(false));
    DRYDOCK_TRY_ASSIGN(auto plan, state_dir.load_plan(info));
    return open(options, state_dir, std::move(plan), observer);
}

// The journal still names this process as the run's conductor. The status shows none, because the
// session is about to end.
AppResult<RunStatus> LocalSession::status() {
    DRYDOCK_TRY_ASSIGN(auto info, state_dir_.journal().find_run(plan_.run));
    info.holder.reset();  // this session, which is about to end
    DRYDOCK_TRY_ASSIGN(const auto replayed, replay(state_dir_, info));
    return status_of(state_dir_, replayed, clock_.wall_ms());
}

AppResult<RunStatus> LocalSession::status_after(const Status& ran) {
    if (!ran) {
        return refuse_record(ran.error());
    }
    if (session_->obstacle().is_there()) {
        return refuse_obstacle(session_->obstacle());
    }
    return status();
}

// Drift and foreign work have the exit code 5. A host that another journal holds is a refusal,
// whose code is 1, because a repetition does not help.
tl::unexpected<Failure> refuse_obstacle(executor::Obstacle obstacle) {
    Failure failure;
    failure.exit_code = k_exit_moved;
    if (obstacle.error) {
        failure.exit_code = agent::is_displacement(*obstacle.error) ? k_exit_no : k_exit_moved;
        failure.errors.push_back(std::move(*obstacle.error));
        return tl::unexpected(std::move(failure));
    }
    failure.errors.push_back(
        {"run.drift", "the world moved; nothing was changed now", "", ErrorClass::permanent});
    failure.drift = std::move(obstacle.drift);
    return tl::unexpected(std::move(failure));
}

}  // namespace drydock::app
