// Long actions: how far they come, how long they may be silent, and their end before their time.
#include "conduct/runner.h"
#include "run/progress.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::conduct {

namespace {

using model::Action;
using run::Event;
using run::EventType;
using run::Outcome;
using run::Purpose;

// Between two requests to cancel an attempt that the agent could not cancel yet.
constexpr std::int64_t k_cancel_again_ms = 1'000;

Json told_part(const Json& body) {
    Json part;
    for (const char* key : {"done", "of", "rate", "unit"}) {
        if (!body[key].is_null()) {
            part.set(key, body[key]);
        }
    }
    return part;
}

}  // namespace

void Runner::await_end(Ticket ticket, const InFlight& flight) {
    in_flight_[ticket] = flight;
    Progress fresh;
    fresh.record_ms = clock_.monotonic_ms() + k_record_progress_ms;
    progress_.try_emplace(flight.action, std::move(fresh));
}

// An action that comes on may go on; the journal hears of it now and then.
void Runner::take_progress(Ticket ticket, InFlight& flight, const Json& body) {
    if (!body["done"].is_number() || hosts_.displaced()) {
        return;
    }
    const std::int64_t now = clock_.monotonic_ms();
    const Action& action = plan_.actions[flight.action];
    Progress& progress = progress_[flight.action];
    if (progress.done != body["done"]) {
        progress.done = body["done"];
        if (action.stall_ms > 0) {
            flight.deadline_ms = now + action.silence_ms() + k_answer_grace_ms;
            hosts_.extend(action.host, ticket, flight.deadline_ms);
        }
    }
    const Event event = {
        {EventType::action_progress, flight.action, flight.attempt, Outcome::none, Purpose::none},
        told_part(body)};
    listener_.on_progress(event, state_);
    if (now >= progress.record_ms && progress.recorded != progress.done) {
        progress.recorded = progress.done;
        progress.record_ms = now + k_record_progress_ms;
        apply(event);
    }
}

// Once the run is to stop, each attempt that may end early is asked to, once; again only if the
// agent did not hear it or could not do it yet.
void Runner::cancel_in_flight() {
    if (state_.phase() != run::Phase::pausing) {
        return;
    }
    const std::int64_t now = clock_.monotonic_ms();
    for (const auto& [ticket, flight] : in_flight_) {
        const Action& action = plan_.actions[flight.action];
        if (!action.cancellable) {
            continue;
        }
        Cancellation& cancellation = cancellations_[flight.action];
        if (cancellation.attempt != flight.attempt) {
            cancellation = {.attempt = flight.attempt};
        }
        if (cancellation.ticket != 0 || cancellation.is_answered || now < cancellation.ask_ms) {
            continue;
        }
        Json request;
        request.set("do", "cancel").set("run", settings_.run).set("action", action.id);
        request.set("attempt", flight.attempt);
        cancellation.ticket = hosts_.ask(action.host, std::move(request), now + k_answer_grace_ms);
    }
}

void Runner::take_cancellation(const Reply& reply) {
    const auto entry = std::find_if(cancellations_.begin(), cancellations_.end(), [&](auto& candidate) {
        return candidate.second.ticket == reply.ticket;
    });
    if (entry == cancellations_.end()) {
        return;
    }
    Cancellation& cancellation = entry->second;
    cancellation.ticket = 0;
    cancellation.ask_ms = clock_.monotonic_ms() + k_cancel_again_ms;
    cancellation.is_answered =
        reply.kind == Reply::Kind::answer
        || (reply.kind == Reply::Kind::refused && reply.error.kind == ErrorClass::permanent);
}

// What the agent found, in the form that halts and logs read.
Json Runner::detail_of_end(const InFlight& flight, const Json& result) {
    Json detail;
    detail.set("evidence", result["evidence"]);
    if (result.contains("error")) {
        detail.set("because", result["error"]["message"]).set("remedy", result["error"]["remedy"]);
    }
    if (result["cancelled"].as_bool()) {
        cancelled_[flight.action] = result["evidence"];
        detail.set("cancelled", true).set("because", run::cancelled_text(result["evidence"]));
    }
    return detail;
}

// "cancelled at 3.2 of 10 GB; goes on from there on resume"; empty if it was not cancelled.
std::string Runner::cancelled_words(std::size_t action) const {
    const auto entry = cancelled_.find(action);
    if (entry == cancelled_.end() || run::is_over(state_.status(action))) {
        return {};
    }
    return abort_request_ ? run::cancelled_text(entry->second)
                          : run::cancelled_for_resume_text(entry->second);
}

Json Runner::pause_detail() const {
    std::string because;
    for (const auto& [index, evidence] : cancelled_) {
        const Action& action = plan_.actions[index];
        const std::string words = cancelled_words(index);
        if (!words.empty()) {
            because += fmt::format("{}{}{}: {}",
                                   because.empty() ? "" : "; ",
                                   action.member.empty() ? "" : action.member + ": ",
                                   action.title,
                                   words);
        }
    }
    Json detail;
    return because.empty() ? detail : detail.set("because", because);
}

}  // namespace drydock::conduct
