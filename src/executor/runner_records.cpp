// Makes events durable: one entry a turn, written once however often it is submitted.
//
// The journal recognises an entry that it has already, by the head that the entry follows. So a
// lost answer is no problem: the same entry is submitted again. A journal that another process
// keeps locked is tried for a minute, since a backup may hold it that long.
#include "base/coverage_mark.h"
#include "executor/runner.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>

namespace drydock::executor {

using run::Event;

namespace {

// A locked journal is tried again for this long.
constexpr std::int64_t k_busy_ms_max = 60'000;
constexpr std::int64_t k_busy_pause_ms = 50;

}  // namespace

// A process that is killed leaves no last words: SIGKILL stands for any crash.
void crash_at(const CrashPoint& crash,
              std::uint64_t record,
              const std::vector<Event>& events,
              std::string_view moment) {
    const bool is_named = std::any_of(events.begin(), events.end(), [&](const Event& event) {
        return run::name_of(event.type) == crash.event;
    });
    if (crash.moment == moment && (is_named || (crash.record > 0 && crash.record == record))) {
        ::kill(::getpid(), SIGKILL);
    }
}

void Runner::crash_if(std::string_view moment) const {
    const bool dies_now = settings_.crash.record == records_ && settings_.crash.moment == moment;
    if (moment == "sent" && dies_now) {
        (void)hosts_.poll(0);  // requests of the pool leave this process first
    }
    crash_at(settings_.crash, records_, pending_, moment);
}

journal::RunState run_state_of(run::Phase phase) {
    switch (phase) {
    case run::Phase::created:
    case run::Phase::running:
    case run::Phase::pausing:
        return {"running"};
    case run::Phase::paused:
        return {"paused"};
    case run::Phase::halted:
        return {"halted"};
    case run::Phase::finished:
        return {"finished", true};
    case run::Phase::returned:
        return {"returned", true};
    case run::Phase::aborted:
        return {"aborted", true};
    }
    return {};
}

// Builds the journal's entry of this turn, with the run's new state if lists show another one.
journal::Entry Runner::entry_of(const std::vector<Event>& events) const {
    journal::Entry entry;
    entry.wall_ms = clock_.wall_ms();
    entry.events.reserve(events.size());
    for (const Event& event : events) {
        entry.events.push_back(codec_.encode(event));
    }
    if (state_.phase() != recorded_) {
        entry.state = run_state_of(state_.phase());
    }
    entry.answers = answers_;
    return entry;
}

// Submits the same entry again while the journal is locked, and once more if its fate is unknown:
// the journal writes it once.
Status Runner::append(const journal::Entry& entry) {
    const std::int64_t deadline = clock_.monotonic_ms() + k_busy_ms_max;
    bool may_retry = true;
    while (true) {
        auto head = journal_.append(settings_.run, settings_.head, entry);
        if (head) {
            settings_.head = *head;
            if (settings_.heads) {
                settings_.heads->add(*head);
            }
            return {};
        }
        const bool is_busy = head.error().kind == ErrorClass::transient;
        const bool is_unknown = head.error().kind == ErrorClass::unknown_outcome;
        if (is_busy && clock_.monotonic_ms() < deadline) {
            COVERAGE_MARK("runner: the journal is busy");
            hosts_.pass_time(k_busy_pause_ms);
        } else if (is_unknown && std::exchange(may_retry, false)) {
            COVERAGE_MARK("runner: the journal's answer is lost");
        } else {
            return tl::unexpected(head.error());
        }
    }
}

// Commits all events of this turn, then informs the audit and the observer.
Status Runner::commit() {
    if (pending_.empty()) {
        return {};
    }
    const journal::Entry entry = entry_of(pending_);
    ++records_;
    crash_if("before");
    DRYDOCK_TRY(append(entry));
    recorded_ = state_.phase();
    answers_.clear();
    crash_if("after");
    for (const Event& event : std::exchange(pending_, {})) {
        if (settings_.audit) {
            settings_.audit(event, settings_.head);
        }
        observer_.on_event(event, plan_, state_);
    }
    return {};
}

Status Runner::record(const Event& event) {
    apply(event);
    return commit();
}

}  // namespace drydock::executor
