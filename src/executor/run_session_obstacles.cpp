// The obstacles of a session: other owners, work under way, silent hosts, hosts without records.
//
// Work on a host falls into four kinds. Adopted work belongs to this run and is in flight by its
// journal: the runner asks for its result. A neighbour's work shares nothing with this cluster. Any
// other work is foreign and is waited for, because it may change facts after they were read. On a
// silent host the work is unknown, and unknown never counts as none.
#include "base/coverage_mark.h"
#include "executor/drift_check.h"
#include "executor/host_ownership.h"
#include "executor/run_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace drydock::executor {

namespace {

using run::Status;

constexpr std::int64_t k_silent_ms_max = 3'000;   // a broken line is back by then
constexpr std::int64_t k_wait_grace_ms = 20'000;  // on top of the longest action's limit

// True if the journal has no outcome of the action: the command may be under way.
bool is_unsettled(Status status) {
    return status == Status::intended || status == Status::lost || status == Status::agent_silent
           || status == Status::unreachable;
}

Error silent_host_error(const model::Action& action, const std::string& run) {
    return {"work.unknown",
            fmt::format("\"{}\" of run {} may still be under way on host {}, which does not tell",
                        action.title,
                        run,
                        action.host),
            fmt::format("bring host {} back, or the way to it; then again", action.host),
            ErrorClass::transient};
}

Error forgotten_error(const model::Action& action, const std::string& run) {
    return {"work.forgotten",
            fmt::format("\"{}\" of run {} may still be under way on host {}, which has lost its "
                        "records since",
                        action.title,
                        run,
                        action.host),
            fmt::format("see on host {} what became of it, and that nothing works there; then "
                        "`drydock resume`, or abort with --give-up-hosts",
                        action.host)};
}

}  // namespace

bool RunSession::is_own(const AttemptOnHost& work) const {
    return work.run == plan_.run;
}

// True for work that the journal knows to be in flight: the runner asks for its result.
bool RunSession::is_adopted(const AttemptOnHost& work) const {
    if (!is_own(work)) {
        return false;
    }
    for (std::size_t i = 0; i < plan_.actions.size(); ++i) {
        if (plan_.actions[i].id == work.action) {
            return is_unsettled(state().status(i)) && state().attempt(i) == work.attempt;
        }
    }
    return false;
}

// Returns how long foreign work is waited for: as long as the longest action of this plan may be
// silent.
std::int64_t RunSession::wait_limit_ms() const {
    std::int64_t longest = 0;
    for (const model::Action& action : plan_.actions) {
        longest = std::max(longest, action.host.empty() ? 0 : action.silence_ms());
    }
    return longest + k_wait_grace_ms;
}

WorkReport RunSession::await_foreign_work(const WorkReport& first) {
    const Identity own_identity = identity(epoch_);
    return await_quiet(
        *hosts_,
        ports_.clock,
        wait_limit_ms(),
        &first,
        [&](const AttemptOnHost& work) {
            return is_adopted(work) || is_neighbours(work, own_identity);
        },
        [this](const AttemptOnHost& work) { return tell_wait(work); });
}

// Asks silent hosts again for a few seconds. Before anything is begun every host must report; a
// broken line is tried again.
WorkReport RunSession::ask_silent_hosts(WorkReport report) {
    const std::int64_t end = ports_.clock.monotonic_ms() + k_silent_ms_max;
    while (!report.silent.empty() && is_untouched() && !hosts_->superseded()
           && ports_.clock.monotonic_ms() < end) {
        hosts_->pass_time(AgentPool::k_reconnect_ms);
        report = read_work(*hosts_, ports_.clock);
    }
    return report;
}

// Waits for all work of this cluster: nothing of it is adopted.
WorkReport RunSession::await_all_work() {
    const Identity own_identity = identity(epoch_);
    return await_quiet(
        *hosts_,
        ports_.clock,
        wait_limit_ms(),
        nullptr,
        [&](const AttemptOnHost& work) { return is_neighbours(work, own_identity); },
        [this](const AttemptOnHost& work) { return tell_wait(work); });
}

// Reports the wait. True if waiting is over because the hosts obey another conductor.
bool RunSession::tell_wait(const AttemptOnHost& work) {
    ports_.observer.on_wait("the end of " + work.text(), plan_, state());
    return hosts_->superseded().has_value();
}

// Asks as the latest conductor of this journal: only another journal can stand in its way.
std::optional<Error> RunSession::find_other_owner() const {
    const Identity own_identity = identity(std::numeric_limits<std::int64_t>::max());
    for (const std::string& host : hosts_->names()) {
        if (const auto error =
                ownership_conflict(hosts_->greeting(host), owner_on(host, own_identity))) {
            return error->with_context(fmt::format("host {}", host));
        }
    }
    return std::nullopt;
}

// Returns the trouble of a silent host. A host that was not fenced may obey another owner by now.
std::optional<Error> RunSession::find_silent_host(const WorkReport& report) {
    if (report.silent.empty()) {
        return std::nullopt;
    }
    Error error = report.silent.begin()->second;
    error.message += "; a run begins only when each of its hosts obeys it";
    return error;
}

// True if no action of the run was begun or judged.
bool RunSession::is_untouched() const {
    for (std::size_t i = 0; i < plan_.actions.size(); ++i) {
        if (state().status(i) != Status::waiting) {
            return false;
        }
    }
    return true;
}

// Returns an error for work that is still under way after the longest wait, or may be on a host
// that does not report.
std::optional<Error> RunSession::find_work_left(const WorkReport& report) const {
    if (!report.running.empty()) {
        return under_way_error(report.running.front(), wait_limit_ms());
    }
    for (std::size_t i = 0; i < plan_.actions.size(); ++i) {
        const model::Action& action = plan_.actions[i];
        if (state().status(i) == Status::unreachable && runner_->is_forgotten(i)) {
            return forgotten_error(action, plan_.run);
        }
        if (is_unsettled(state().status(i)) && report.silent.contains(action.host)) {
            return silent_host_error(action, plan_.run);
        }
    }
    return std::nullopt;
}

// Returns a host's error that no other try mends: another version, say.
std::optional<Error> RunSession::find_refusing_host() const {
    for (const std::string& host : hosts_->names()) {
        const auto& trouble = hosts_->trouble(host);
        if (trouble && trouble->code == "host.version") {
            return trouble;
        }
    }
    return std::nullopt;
}

// Compares before a run is created. Facts are read once more behind work that had to be waited for.
Obstacle RunSession::look_before_begin() {
    open_hosts(0);
    const std::int64_t begun = ports_.clock.monotonic_ms();
    std::int64_t began_ms = begun;  // of the reading that counts
    auto drift = look_for_drift(plan_, history_.state, *hosts_, ports_.clock, *inquiries_);
    if (auto refusing = find_refusing_host()) {
        return {{}, std::move(refusing)};
    }
    const WorkReport first = recall_work(*hosts_, ports_.clock);
    const WorkReport report = await_foreign_work(first);
    // The leases are read behind the greetings: another conductor of this journal may have begun
    // meanwhile, and a lease is in the journal before a host hears of it.
    if (const auto read = read_leases(); !read) {
        return {{}, read.error()};
    }
    if (!settings_.take_over) {
        if (auto owned = find_other_owner()) {
            return {{}, std::move(owned)};
        }
    }
    if (!report.running.empty()) {
        return {{}, under_way_error(report.running.front(), ports_.clock.monotonic_ms() - begun)};
    }
    if (auto silent = find_silent_host(report)) {
        return {{}, std::move(silent)};
    }
    if (!first.running.empty()) {
        began_ms = ports_.clock.monotonic_ms();
        drift = look_for_drift(plan_, history_.state, *hosts_, ports_.clock, *inquiries_);
    }
    looked_ms_ = began_ms;
    return {std::move(drift), {}};
}

Obstacle RunSession::look_before_resume() {
    auto history = read_history(ports_.journal, plan_);
    if (!history) {
        return {{}, history.error()};
    }
    history_ = std::move(*history);
    heads_ = std::make_shared<RecordHashes>(history_.heads);
    open_hosts(0);
    auto drift = look_for_drift(plan_, history_.state, *hosts_, ports_.clock, *inquiries_);
    if (hosts_->superseded()) {
        return {{}, *hosts_->superseded()};
    }
    return {std::move(drift), {}};
}

}  // namespace drydock::executor
