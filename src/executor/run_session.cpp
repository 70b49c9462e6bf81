// The session of one process with a run, from its lease to its last record.
//
// The order of a session that goes on is fixed:
//
//   take() or begin()   lease and epoch; the journal is replayed
//   start()             conductor.started; the first request to a host fences it
//   compare()           drift against the expected facts
//   read work           of every host; foreign work is awaited
//   run_resumed         only behind a recorded halt or pause
//   Runner::run()       until the end, a gate, or a stop
//
// Everything that can refuse comes before the first write on a host. run/grammar.h decides which
// events a session may record; docs/design/0005-the-run-session.md lists them.
#include "executor/run_session.h"

#include "base/coverage_mark.h"
#include "executor/drift_check.h"
#include "executor/gate_approval.h"
#include "executor/host_ownership.h"
#include "executor/unrestored_facts.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::executor {

namespace {

using run::Event;
using run::EventType;
using run::Phase;

// Facts that were read this long before a run began count as read behind the fence.
constexpr std::int64_t k_look_ms_max = 1'000;

Event plain_event(EventType type, Json detail = {}) {
    return {{type}, std::move(detail)};
}

// Words a stop at the first difference; the record holds all of them.
Event drift_event(const std::vector<run::Drift>& drift) {
    const run::Drift& first = drift.front();
    Json detail;
    detail.set("drift", to_json(drift));
    detail.set("cause",
               fmt::format("{} is {}, expected {}", first.key, first.actual, first.expected));
    detail.set("remedy", "bring it back, then drydock resume; or plan again from here");
    return plain_event(EventType::drift_found, std::move(detail));
}

Event stop_event(const Error& error) {
    Json detail;
    detail.set("cause", error.message).set("remedy", error.remedy);
    return plain_event(EventType::drift_found, std::move(detail));
}

}  // namespace

RunSession::RunSession(const model::Plan& plan, SessionPorts ports, SessionSettings settings)
    : plan_(plan)
    , ports_(ports)
    , settings_(std::move(settings))
    , inquiries_(settings_.inquiries ? settings_.inquiries
                                     : std::make_shared<ReadPlanCache>(plan.sources)) {
    history_.state = run::State(plan.actions.size());
}

RunSession::~RunSession() {
    if (epoch_ != 0) {
        ports_.journal.release_lease(plan_.run);
    }
}

const run::State& RunSession::state() const {
    return runner_ ? runner_->state() : history_.state;
}

std::string RunSession::digest() const {
    return settings_.digest.empty() ? plan_.digest() : settings_.digest;
}

// The identity that the hosts get: the journal and its epoch, the claims of this plan, and the
// leases.
Identity RunSession::identity(std::uint64_t epoch) const {
    Identity identity;
    identity.cluster = plan_.cluster;
    identity.journal = ports_.journal.id();
    identity.epoch = epoch;
    identity.display_name = fmt::format("{} on {}", settings_.user, settings_.holder.host);
    identity.take_over = settings_.take_over;
    identity.claims = claims_of(plan_);
    identity.leases = leases_;
    identity.run = plan_.run;
    identity.heads = settings_.take_over ? nullptr : heads_;
    return identity;
}

// Returns an identity that only looks, and fences nothing.
Identity RunSession::onlooker() const {
    Identity identity;
    identity.journal = ports_.journal.id();
    identity.run = plan_.run;
    identity.heads = settings_.take_over ? nullptr : heads_;
    return identity;
}

// Opens the conversations anew; a runner on the old ones would be of no use.
void RunSession::open_hosts(std::uint64_t epoch) {
    runner_.reset();
    hosts_ = std::make_unique<AgentPool>(ports_.transport,
                                         ports_.clock,
                                         settings_.addresses,
                                         epoch == 0 ? onlooker() : identity(epoch),
                                         settings_.secrets);
}

void RunSession::make_runner() {
    if (runner_) {
        return;
    }
    if (hosts_) {  // agents that were asked before the run began
        hosts_->become(identity(epoch_));
    } else {
        open_hosts(epoch_);
    }
    Settings settings;
    settings.run = plan_.run;
    settings.head = history_.head;
    settings.heads = heads_;
    settings.boot_id = settings_.boot_id;
    settings.failures = history_.failures;
    settings.begin_epochs = history_.begin_epochs;
    settings.epoch = static_cast<std::int64_t>(epoch_);
    settings.crash = settings_.crash;
    settings.records = is_new_ ? 1 : 0;
    settings.turn_ms_max = settings_.wait_ms_max;
    settings.inquiries = inquiries_;
    settings.audit = settings_.audit;
    runner_ = std::make_unique<Runner>(plan_,
                                       history_.state,
                                       ports_.journal,
                                       *hosts_,
                                       ports_.clock,
                                       ports_.observer,
                                       std::move(settings));
}

// Reads the leases that this journal gave. A host refuses a conductor that does not know the lease
// that holds there.
drydock::Status RunSession::read_leases() {
    DRYDOCK_TRY_ASSIGN(const auto given_leases, ports_.journal.given_leases());
    leases_.clear();
    for (const journal::GivenLease& lease : given_leases) {
        leases_.push_back({static_cast<std::int64_t>(lease.epoch), lease.nonce});
    }
    return {};
}

// Gives the journal a new id before it takes hosts over: a copy of this journal may be in use.
drydock::Status RunSession::take_over_journal() {
    if (settings_.take_over) {
        DRYDOCK_TRY(ports_.journal.renew_id());
    }
    return read_leases();
}

// Creates the run. The commit also closes the run that this one takes back, so that at no moment
// both or neither of them can go on.
drydock::Status RunSession::begin(const Json& created_detail, const std::string& follows) {
    const Event created = plain_event(EventType::run_created, created_detail);
    journal::RunCreation birth;
    birth.run = {plan_.run, ports_.clock.wall_ms(), digest()};
    birth.first_entry = {ports_.clock.wall_ms(),
                         {run::EventCodec(plan_).encode(created)},
                         run_state_of(Phase::created)};
    birth.holder = settings_.holder;
    birth.reverts_run = plan_.reverts_run;
    birth.follows = follows;
    Json returned;
    returned.set("type", run::name_of(EventType::run_returned));
    returned.set("detail", Json(Json::Object{{"by", Json(plan_.run)}}));
    birth.closing_entry = {ports_.clock.wall_ms(), {returned}, run_state_of(Phase::returned)};
    crash_at(settings_.crash, 1, {created}, "before");
    DRYDOCK_TRY_ASSIGN(const journal::Lease lease, ports_.journal.begin_run(birth));
    epoch_ = lease.epoch;
    DRYDOCK_TRY(take_over_journal());
    is_new_ = true;
    history_.head = lease.head;
    heads_ = std::make_shared<RecordHashes>();
    heads_->add(lease.head);
    history_.created = created_detail;
    run::apply(run::Program(plan_), history_.state, created);
    crash_at(settings_.crash, 1, {created}, "after");
    ports_.observer.on_start(plan_, history_.state);
    if (settings_.audit) {
        settings_.audit(created, history_.head);
    }
    ports_.observer.on_event(created, plan_, history_.state);
    return {};
}

// Takes the lease first and reads the history behind it: no other conductor can add a record then.
drydock::Status RunSession::take() {
    DRYDOCK_TRY_ASSIGN(const journal::Lease lease,
                       ports_.journal.take_lease(plan_.run, settings_.holder));
    epoch_ = lease.epoch;
    DRYDOCK_TRY(take_over_journal());
    DRYDOCK_TRY_ASSIGN(history_, read_history(ports_.journal, plan_));
    heads_ = std::make_shared<RecordHashes>(history_.heads);
    DRYDOCK_TRY_ASSIGN(stale_requests_, ports_.journal.open_requests(plan_.run));
    return {};
}

// Records the new conductor. Hosts are fenced by the first request. Requests to a conductor that
// died are answered as void, since their author may no longer mean them.
drydock::Status RunSession::start() {
    make_runner();
    if (!is_new_) {
        ports_.observer.on_start(plan_, state());
    }
    Json detail;
    detail.set("epoch", epoch_).set("who", settings_.user);
    detail.set("host", settings_.holder.host).set("pid", settings_.holder.pid);
    DRYDOCK_TRY(runner_->record(plain_event(EventType::conductor_started, std::move(detail))));
    for (const journal::Request& request : std::exchange(stale_requests_, {})) {
        COVERAGE_MARK("session: a request was made to a conductor that died");
        DRYDOCK_TRY(runner_->refuse(request, "nobody conducted the run then; say it again"));
    }
    return {};
}

void RunSession::restore_soaks() {
    for (const auto& [gate, detail] : history_.soaks) {
        runner_->set_soak_started(gate, detail);
    }
}

drydock::Status RunSession::stop_at_drift(std::vector<run::Drift> drift) {
    COVERAGE_MARK("session: a run is resumed in a world that moved");
    obstacle_.drift = std::move(drift);
    return runner_->record(drift_event(obstacle_.drift));
}

drydock::Status RunSession::stop_at(const Error& error) {
    obstacle_.error = error;
    return runner_->record(stop_event(error));
}

// Returns the differences from the expected facts. A run that begins now may have been compared
// just before; that comparison counts for a second.
drydock::Status RunSession::compare(std::vector<run::Drift>& drift) {
    const bool is_fresh =
        is_new_ && looked_ms_ && ports_.clock.monotonic_ms() < *looked_ms_ + k_look_ms_max;
    if (!is_fresh) {
        drift = look_for_drift(plan_, state(), *hosts_, ports_.clock, *inquiries_);
    }
    return hosts_->superseded() ? drydock::Status(tl::unexpected(*hosts_->superseded()))
                                : drydock::Status();
}

// Goes on with the run, unless an obstacle stops it before the first write. Work that had to be
// waited for may have changed facts, so they are compared once more behind it.
drydock::Status RunSession::conduct() {
    DRYDOCK_TRY(start());
    std::vector<run::Drift> drift;
    DRYDOCK_TRY(compare(drift));
    const std::int64_t begun = ports_.clock.monotonic_ms();
    const WorkReport first = ask_silent_hosts(is_new_ ? read_work(*hosts_, ports_.clock)
                                                      : recall_work(*hosts_, ports_.clock));
    const WorkReport report = await_foreign_work(first);
    if (hosts_->superseded()) {
        return tl::unexpected(*hosts_->superseded());
    }
    if (!report.running.empty()) {
        return stop_at(
            under_way_error(report.running.front(), ports_.clock.monotonic_ms() - begun));
    }
    if (const auto silent = find_silent_host(report); silent && is_untouched()) {
        COVERAGE_MARK("session: a host is silent before anything was begun");
        return stop_at(*silent);
    }
    const Identity own_identity = identity(epoch_);
    if (std::any_of(first.running.begin(), first.running.end(), [&](const AttemptOnHost& work) {
            return !is_adopted(work) && !is_neighbours(work, own_identity);
        })) {
        looked_ms_.reset();
        DRYDOCK_TRY(compare(drift));
    }
    if (!drift.empty()) {
        return stop_at_drift(std::move(drift));
    }
    if (state().phase() == Phase::halted || state().phase() == Phase::paused) {
        COVERAGE_MARK("session: a person goes on after a halt or a pause");
        DRYDOCK_TRY(runner_->record(plain_event(EventType::run_resumed)));
    } else if (!is_new_) {
        COVERAGE_MARK("session: a dead conductor's run goes on");
    }
    restore_soaks();
    return conduct_run();
}

// Keeps state and head, so that the session can still answer.
void RunSession::close_hosts() {
    if (runner_) {
        history_.state = runner_->state();
        history_.head = runner_->head();
    }
    runner_.reset();
    hosts_.reset();
}

// Returns an open gate that was approved beforehand.
std::optional<std::size_t> RunSession::find_approved_gate() const {
    for (const std::string& name : settings_.approvals) {
        const auto gate = name.empty() ? std::nullopt : find_open_gate(plan_, state(), name);
        if (gate) {
            return gate;
        }
    }
    return std::nullopt;
}

// Runs to the end, or to a gate that was not approved beforehand.
drydock::Status RunSession::conduct_run() {
    while (true) {
        DRYDOCK_TRY(runner_->run());
        if (const auto& request = runner_->abort_request()) {
            return end_aborted(*request);
        }
        const auto gate = find_approved_gate();
        if (!gate) {
            return {};
        }
        DRYDOCK_TRY(runner_->record(approval_of(plan_, *gate, settings_.user)));
    }
}

// Ends a run that was drained for an abort. Nothing is in flight any more, unless an outcome is
// unknown; then the run is halted and stays so.
drydock::Status RunSession::end_aborted(const journal::Request& request) {
    if (state().phase() == Phase::finished) {
        return {};  // its last action was in flight
    }
    const WorkReport report = await_all_work();
    if (hosts_->superseded()) {
        return tl::unexpected(*hosts_->superseded());
    }
    obstacle_.error = find_work_left(report);
    if (obstacle_.error && !request.detail["give_up_hosts"].as_bool()) {
        return runner_->refuse(request, obstacle_.error->message);
    }
    return record_aborted(request.author);
}

// Records the abort. The record names work that was given up, and what is not as it was.
drydock::Status RunSession::record_aborted(const std::string& person) {
    Json detail;
    detail.set("who", person);
    if (Json left = read_left_behind(plan_, *hosts_, ports_.clock); !left.items().empty()) {
        detail.set("left_behind", std::move(left));
    }
    if (const auto given_up = std::exchange(obstacle_.error, std::nullopt)) {
        detail.set("given_up", given_up->message);
    }
    return runner_->record(plain_event(EventType::run_aborted, std::move(detail)));
}

// Starts like any session and then waits for the end of the work. The start fences the hosts, so
// late commands of a dead conductor are refused.
drydock::Status RunSession::drain(const std::string& purpose) {
    DRYDOCK_TRY(start());
    runner_->drain(purpose);
    DRYDOCK_TRY(runner_->run());
    const WorkReport report = await_all_work();
    if (hosts_->superseded()) {
        return tl::unexpected(*hosts_->superseded());
    }
    obstacle_.error = find_work_left(report);
    return {};
}

drydock::Status RunSession::drain_for_downgrade() {
    return drain("the run is being taken back");
}

// With `give_up_hosts`, an abort succeeds although the hosts obey another journal: they are that
// journal's for good.
drydock::Status RunSession::abort(bool give_up_hosts) {
    if (drydock::Status drained = drain("the run is being given up"); !drained) {
        if (!give_up_hosts || !hosts_ || !hosts_->superseded()) {
            return drained;
        }
        obstacle_.error = hosts_->superseded();  // the hosts belong to another journal for good
    }
    if (state().phase() == Phase::finished) {
        return {};  // its last action was in flight
    }
    if (obstacle_.error && !give_up_hosts) {
        return {};
    }
    return record_aborted(settings_.user);
}

drydock::Status RunSession::record(const Event& event) {
    make_runner();
    return runner_->record(event);
}

}  // namespace drydock::executor
