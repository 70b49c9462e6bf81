// The progress of long actions, and the time that they may be silent.
//
// An action with `stall_ms` has no limit as long as it makes progress: each report with a new
// amount moves its deadline. The journal gets a report only now and then, since a record is a disk
// write. A report may also say what an action waits for; that moves no deadline.
#include "agent/attempt.h"
#include "executor/runner.h"

namespace drydock::executor {

namespace {

using model::Action;
using run::Event;
using run::EventType;
using run::Outcome;
using run::Purpose;

// Returns the part of a report that people read: amounts and rate, and what is waited for.
Json progress_part(const Json& body) {
    Json part{Json::Object{}};
    for (const char* key : {"done", "of", "rate", "unit", "bytes", "waits"}) {
        if (!body[key].is_null()) {
            part.set(key, body[key]);
        }
    }
    return part;
}

// True if the report has something for people: an amount or a wait.
bool is_told(const Json& report) {
    return report["done"].is_number() || !report["waits"].is_null();
}

}  // namespace

// True if the journal is to have the latest report. A wait, or its end, is recorded soon; one that
// is over in a moment never is.
bool Runner::is_record_due(const Progress& progress, std::int64_t now_ms) {
    const bool has_other_wait = progress.latest["waits"] != progress.recorded["waits"];
    return (has_other_wait && now_ms >= progress.wait_ms + k_record_wait_ms)
           || (now_ms >= progress.record_ms
               && agent::has_moved(progress.latest, progress.recorded));
}

void Runner::await_end(RequestId ticket, const InFlight& flight) {
    in_flight_[ticket] = flight;
    Progress fresh;
    fresh.record_ms = clock_.monotonic_ms() + k_record_progress_ms;
    progress_.try_emplace(flight.action, std::move(fresh));
}

// Takes a progress report. It moves the deadline of an action that may go on, and is recorded now
// and then.
void Runner::on_progress(RequestId ticket, InFlight& flight, const Json& body) {
    const std::int64_t now = clock_.monotonic_ms();
    const Action& action = plan_.actions[flight.action];
    Progress& progress = progress_[flight.action];
    // Without either, a report may still be the end of a wait.
    if ((!is_told(body) && !is_told(progress.latest) && !is_told(progress.recorded))
        || hosts_.superseded()) {
        return;
    }
    if (body["waits"] != progress.latest["waits"]) {
        progress.wait_ms = now;
    }
    if (agent::has_moved(body, progress.latest) && action.stall_ms > 0) {
        flight.deadline_ms = now + action.silence_ms() + k_answer_grace_ms;
        hosts_.extend(action.host, ticket, flight.deadline_ms);
    }
    progress.latest = progress_part(body);
    if (body["done"].is_number()) {
        progress.meter.add(now, body["done"].as_double());
    }
    if (const auto rate = progress.meter.rate(); rate && !body["rate"].is_number()) {
        progress.latest.set("rate", *rate);
    }
    const Event event = {
        {EventType::action_progress, flight.action, flight.attempt, Outcome::none, Purpose::none},
        progress.latest};
    observer_.on_progress(event, plan_, state_);
    if (is_record_due(progress, now)) {
        progress.recorded = progress.latest;
        progress.record_ms = now + k_record_progress_ms;
        apply(event);
    }
}

}  // namespace drydock::executor
